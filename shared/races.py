"""Trying again what lost a race against another writer: bounded, with jitter; botocore does not do that for us."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from shared.errors import Unavailable

T = TypeVar("T")

ATTEMPTS = 12  # then the caller retries
BACK_OFF = 0.01  # seconds, doubled from attempt to attempt
BACK_OFF_MAX = 0.3  # seconds; all attempts together wait less than 3 s, far below the functions' timeout

RNG: random.Random = random.SystemRandom()
SLEEP = time.sleep


class LostRace(Exception):
    """Another writer was first; what was read no longer holds."""


def retried(attempt: Callable[[bool], T]) -> T:
    """What `attempt(again)` returns, made again each time that it loses a race; Unavailable after ATTEMPTS of them."""
    for number in range(ATTEMPTS):
        if number:
            # Full jitter, so that the losers do not meet again.
            SLEEP(RNG.uniform(0, min(BACK_OFF_MAX, BACK_OFF * 2**number)))
        try:
            return attempt(number > 0)
        except LostRace:
            continue
    raise Unavailable("Many changes are being made to this label; retry in a moment.")
