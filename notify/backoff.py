"""The schedule of a callback that fails: 14 attempts over a day."""

import random

FIRST = 30.0  # seconds from the first attempt to the second; each next delay is twice as long
LONGEST = 18_000.0  # seconds, 5 hours
JITTER = 0.2  # of a delay, up or down, so that callbacks that failed together are not sent again together

# Ten delays double: 30 + 60 + ... + 15,360 = 30 * (2^10 - 1) = 30,690 s. Three are the longest: 54,000 s. Together they
# are 84,690 s, 23.5 hours, plus or minus the jitter. SQS hides a message for at most 12 hours; 5 * 1.2 = 6.
ATTEMPTS = 14  # the queue's maxReceiveCount (template.yaml); SQS then moves the message to the dead-letter queue


def delay(attempt: int, rng: random.Random) -> int:
    """Return the seconds to wait after this attempt; the first attempt is 1.

    After the last attempt the delay is 0: SQS moves the message when it would be received once more, so waiting would
    only delay that.
    """
    if attempt >= ATTEMPTS:
        return 0
    return round(min(LONGEST, FIRST * 2.0 ** (attempt - 1)) * rng.uniform(1 - JITTER, 1 + JITTER))
