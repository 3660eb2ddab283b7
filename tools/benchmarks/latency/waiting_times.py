"""How long a call of AWS in the same region takes, as its caller sees it: medians and tails.

A wait is log-normal, the usual shape of such times: many are a little shorter than the median, a few far longer.  Two
figures give it, the median and the 99th percentile.
"""

import random
from dataclasses import dataclass
from statistics import NormalDist

from tools.benchmarks.latency.calls import CONNECT

NORMAL = NormalDist()
P99 = NORMAL.inv_cdf(0.99)


@dataclass(frozen=True, slots=True)
class Wait:
    """How long a call takes: its median and its 99th percentile, in milliseconds."""

    median: float
    p99: float

    def within(self, share: float) -> float:
        """Return the milliseconds within which this share of the calls, between 0 and 1, has ended."""
        return float(self.median * (self.p99 / self.median) ** (NORMAL.inv_cdf(share) / P99))

    def drawn(self, rng: random.Random) -> float:
        """Return the milliseconds of one call."""
        return self.within(1 - rng.random() or 0.5)  # random() may be 0, but not 1


# By operation.  The page names the sources (SOURCES in latency_page.py).  What a caller in Lambda measured has the
# processor time of its own client in it; the model measures that by itself, so 3 ms are taken off.
WAITS = {
    "GetItem": Wait(3.5, 12),
    "Query": Wait(3.5, 12),
    "BatchGetItem": Wait(4, 14),
    "PutItem": Wait(4.5, 13),
    "UpdateItem": Wait(4.5, 13),
    "DeleteItem": Wait(4.5, 13),
    "TransactWriteItems": Wait(22, 88),
    "GetObject": Wait(26, 100),
    "PutObject": Wait(60, 135),
    "DeleteObject": Wait(26, 100),
    "DeleteObjects": Wait(26, 100),
    "GetParameters": Wait(15, 60),
    CONNECT: Wait(3, 10),  # its name's address, and two round trips
}
