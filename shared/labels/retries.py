"""Retries of what must be read again before another attempt can succeed: bounded, with jitter.

botocore could only send the same request again.  Its conditions come from lanes that are out of date, so it would fail
again; our code reads them first.  And botocore takes a cancelled transaction, a response with status 400, for a mistake
of the caller.
"""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from shared import metrics
from shared.errors import Unavailable

T = TypeVar("T")

ATTEMPTS = 12  # then the caller gets a 503 and may retry
SECONDS = 5.0  # no attempt starts later than this after the first one: a function has 15 s
BACK_OFF = 0.01  # seconds, doubled after each attempt
BACK_OFF_MAX = 0.3  # seconds

# Cancellation reasons that another attempt can overcome.  A cancelled transaction has one reason for each of its
# writes; "None" is the reason of a write that would have succeeded.
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
    """What was read does not hold, or could not be read whole, so the attempt must begin anew.

    Another writer was first, two reads straddle a write, a transaction was cancelled or throttled, BatchGetItem left
    keys unread, or the chunks lack images that the lanes count.
    """


def retried(attempt: Callable[[bool], T]) -> T:
    """Return what `attempt(again)` returns; `again` is true for every attempt but the first.

    Repeat an attempt that raises LostRace, after a pause.  Raise Unavailable after ATTEMPTS of them, or if the next one
    would start after SECONDS.
    """
    give_up = CLOCK() + SECONDS
    for number in range(ATTEMPTS):
        try:
            return attempt(number > 0)
        except LostRace:
            metrics.count("LostRaces")
            # Full jitter, so that those who lost do not collide again.
            pause = RNG.uniform(0, min(BACK_OFF_MAX, BACK_OFF * 2**number))
        if number == ATTEMPTS - 1 or CLOCK() + pause > give_up:
            break
        SLEEP(pause)
    raise Unavailable("This label is busy; retry in a moment.")
