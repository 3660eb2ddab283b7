"""Trying again what lost a race against another writer: bounded, with jitter; botocore does not do that for us."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from shared.errors import Unavailable

T = TypeVar("T")

ATTEMPTS = 12  # then the caller retries
SECONDS = 5.0  # or after this time: the functions' timeout is 15 s
BACK_OFF = 0.01  # seconds, doubled from attempt to attempt
BACK_OFF_MAX = 0.3  # seconds

# Reasons of a cancelled transaction that another try can overcome; botocore retries none of them.
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
    """Another writer was first; what was read no longer holds."""


def retried(attempt: Callable[[bool], T]) -> T:
    """What `attempt(again)` returns, made again each time that it loses a race; Unavailable when it lost too many."""
    give_up = CLOCK() + SECONDS
    for number in range(ATTEMPTS):
        try:
            return attempt(number > 0)
        except LostRace:
            # Full jitter, so that the losers do not meet again.
            SLEEP(RNG.uniform(0, min(BACK_OFF_MAX, BACK_OFF * 2**number)))
        if CLOCK() > give_up:
            break
    raise Unavailable("Many changes are being made to this label; retry in a moment.")
