"""A Lambda function in virtual time: how long a request takes it, warm or cold."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest import mock

from shared import parallel
from tools.benchmarks.latency.calls import waiting
from tools.benchmarks.latency.cold_start import ColdStart
from tools.benchmarks.latency.quota import PERIOD, Quota
from tools.benchmarks.latency.virtual_time import MILLISECOND, Clock
from tools.benchmarks.latency.waiting_times import WAITS


class Model:
    """One function, whose requests come one after the other, each at any moment of a period.

    A request has a number.  Requests of one number begin at the same moment of a period, and the first wait for each
    operation is the same, the second is, and so on: only what they do themselves makes one slower than another.
    `used` is the processor time of the present thread, in nanoseconds.
    """

    def __init__(self, used: Callable[[], int] = time.thread_time_ns) -> None:
        self.clock = Clock(self._lasts, parallel.in_thread, used)
        self._number = 0
        self._random: dict[str, random.Random] = {}

    def _lasts(self, operation: str) -> float:
        """Return how many milliseconds an operation takes this time."""
        return WAITS[operation].drawn(self._random_of(operation))

    def _random_of(self, what: str) -> random.Random:
        if what not in self._random:
            self._random[what] = random.Random(f"{self._number} {what}")
        return self._random[what]

    def _begin(self, number: int) -> int:
        """Begin the request of this number.  Return when in a period it begins."""
        self._number, self._random = number, {}
        return self._random_of("begin").randrange(PERIOD)

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Let the calls and threads of this process follow the clock."""
        with waiting(self.clock.wait), mock.patch.object(parallel, "RUN", self.clock.begin):
            yield

    def warm(self, act: Callable[[], object], quota: Quota, number: int) -> float:
        """Do this, and return how many milliseconds it takes a function with so much of a processor."""
        begin = self._begin(number)
        self.clock.start(quota, begin)
        act()
        return (self.clock.stop() - begin) / MILLISECOND

    def cold(self, start: ColdStart, quota: Quota, number: int) -> float:
        """Return how many milliseconds a cold start takes. Lambda lets a function import with a whole processor."""
        begin = self._begin(number)
        now = begin + start.imports * quota.slowness
        for work, operation in start.steps:
            now = quota.end(now, work) + round(self._lasts(operation) * MILLISECOND)
        return (quota.end(now, start.rest) - begin) / MILLISECOND
