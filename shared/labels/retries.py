"""Retries of what lost a race against another writer: bounded, with jitter.  botocore does not retry these."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from shared.errors import Unavailable

T = TypeVar("T")

ATTEMPTS = 12  # then the caller gets a 503 and may retry
SECONDS = 5.0  # the limit for all attempts together: a function has 15 s
BACK_OFF = 0.01  # seconds, doubled after each attempt
BACK_OFF_MAX = 0.3  # seconds

# Cancellation reasons that another attempt can overcome; botocore retries none of them.
TRANSIENT = {
    "None",
    "ConditionalCheckFailed",
    "TransactionConflict",
    "ThrottlingError",
    "ProvisionedThroughputExceeded",
}

RNG: random.Random = random.SystemRandom()
SLEEP = time.sleep
CLOCK = time.monotonic


class LostRace(Exception):
    """Another writer was faster, and what was read no longer holds."""


def retried(attempt: Callable[[bool], T]) -> T:
    """Return what `attempt(again)` returns; `again` is true for every attempt but the first.

    Repeat an attempt that raises LostRace.  Raise Unavailable after too many of them.
    """
    give_up = CLOCK() + SECONDS
    for number in range(ATTEMPTS):
        try:
            return attempt(number > 0)
        except LostRace:
            # Full jitter, so that those who lost do not collide again.
            SLEEP(RNG.uniform(0, min(BACK_OFF_MAX, BACK_OFF * 2**number)))
        if CLOCK() > give_up:
            break
    raise Unavailable("Many changes are being made to this label; retry in a moment.")
