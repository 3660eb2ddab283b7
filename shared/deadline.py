"""The deadline of a request: the last moment to call AWS, so that the response leaves before Lambda ends the function.

Each call is bounded (shared/aws.py), but a request makes several.  So `check` runs before each attempt of each call.
"""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from shared.errors import Unavailable

TIMEOUT = 15.0  # seconds for a request without a Lambda context: the timeout of the functions (template.yaml)

# Seconds between two checks at worst: 1 to connect, 1 for TLS, 1 for S3's "100 Continue", 2 to read, and at most 2 of
# botocore's back-off, which comes before the next attempt.
LAST_ATTEMPT = 7.0

CLOCK = time.monotonic

_until: ContextVar[float] = ContextVar("until", default=math.inf)


@contextmanager
def of(context: Any) -> Iterator[None]:
    """Allow attempts within this block as long as a failed one leaves time for a response."""
    remaining = getattr(context, "get_remaining_time_in_millis", None)
    seconds = remaining() / 1000 if remaining else TIMEOUT
    before = _until.set(CLOCK() + seconds - LAST_ATTEMPT)
    try:
        yield
    finally:
        _until.reset(before)


def seconds_left() -> float:
    """Return for how many seconds attempts are allowed: fewer than 0 if it is too late, infinity without a request."""
    return _until.get() - CLOCK()


def check(*, longer: float = 0, **_: object) -> None:
    """Raise Unavailable if it is too late for another attempt, which may take `longer` seconds more than others.

    botocore calls this before it sends a request.
    """
    if seconds_left() < longer:
        raise Unavailable("The service is too slow now; retry in a moment.")
