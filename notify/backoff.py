"""When a callback that failed is sent again: 14 attempts over a day."""

import random

FIRST = 30.0  # seconds from the first attempt to the second; then twice as long each time
LONGEST = 18_000.0  # seconds, 5 hours
JITTER = 0.2  # of a delay, up or down, so that callbacks that failed together do not come back together

# Ten delays double, 30 + 60 + ... + 15,360 = 30 * (2^10 - 1) = 30,690 s, and three are the longest, 54,000 s: together
# 84,690 s, 23.5 hours, give or take the jitter.  SQS hides a message for at most 12 hours; 5 * 1.2 = 6.
ATTEMPTS = 14  # the queue's maxReceiveCount (template.yaml); SQS then moves the message to the dead-letter queue


def delay(attempt: int, rng: random.Random) -> int:
    """Seconds to wait after this attempt, the first being 1.

    After the last it is 0: the message is moved when it would be received once more, so there is nothing to wait for.
    """
    if attempt >= ATTEMPTS:
        return 0
    return round(min(LONGEST, FIRST * 2.0 ** (attempt - 1)) * rng.uniform(1 - JITTER, 1 + JITTER))
