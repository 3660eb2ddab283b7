"""The schedule of messages that fail: each delay is twice as long as the one before, up to the longest."""

import random
from typing import NamedTuple

JITTER = 0.2  # of a delay, up or down, so that messages that failed together do not come again together


class BackOff(NamedTuple):
    """A schedule for the messages of a queue whose maxReceiveCount is `attempts`.

    `first` and `longest` are seconds.  SQS hides a message for at most 12 hours, jitter included.
    """

    first: float
    longest: float
    attempts: int

    def delay(self, attempt: int, rng: random.Random) -> int:
        """Return the seconds to wait after this attempt; the first attempt is 1.

        After the last attempt the delay is 0: SQS moves the message when it would be received once more, so waiting
        would only delay that.
        """
        if attempt >= self.attempts:
            return 0
        doublings = min(attempt - 1, 64)  # beyond, the longest delay is reached, and the power would not fit
        return round(min(self.longest, self.first * 2.0**doublings) * rng.uniform(1 - JITTER, 1 + JITTER))
