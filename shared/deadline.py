"""Until when a request may ask AWS, so that its answer is out before Lambda ends the function.

Each call is bounded (shared/aws.py), but a request makes several: `check` goes before each attempt of each.
"""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from shared.errors import Unavailable

TIMEOUT = 15.0  # seconds that a request has if no Lambda context tells: the functions' timeout (template.yaml)

# Seconds from the last look at the clock to the next one, at worst: 1 to connect, 1 for TLS, 1 for S3's "100 Continue",
# 2 to read, and botocore's back-off of at most 2, which comes before it would try again.
LAST_ATTEMPT = 7.0

CLOCK = time.monotonic

_until: ContextVar[float] = ContextVar("until", default=math.inf)


@contextmanager
def of(context: Any) -> Iterator[None]:
    """In here, attempts are made as long as one that fails leaves time for an answer."""
    remaining = getattr(context, "get_remaining_time_in_millis", None)
    seconds = remaining() / 1000 if remaining else TIMEOUT
    before = _until.set(CLOCK() + seconds - LAST_ATTEMPT)
    try:
        yield
    finally:
        _until.reset(before)


def check(**_: object) -> None:
    """Unavailable when it is too late for another attempt; botocore calls this before it sends anything."""
    if CLOCK() > _until.get():
        raise Unavailable("The service is too slow just now; retry in a moment.")
