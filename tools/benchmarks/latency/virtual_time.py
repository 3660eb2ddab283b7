"""Threads of a function in virtual time: their processor time is measured, and what they wait for is not waited for.

Real threads run the shipped code, one at a time, as Python lets them.  A thread runs until it waits: for AWS, or for a
task beside it.  Then the processor time that it took since it went on moves the clock, as far as the quota of the
function allows, and the thread whose wait ends first goes on.  So a busy machine does not change what is found, except
that processor time is a little longer there.
"""

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol, TypeVar

T = TypeVar("T")

MILLISECOND = 1_000_000  # nanoseconds

Task = Callable[[], T]
Running = tuple[Task[T], Callable[[], object]]  # as in shared/parallel.py


class Processor(Protocol):
    """What says when work ends, in nanoseconds."""

    def end(self, begin: int, work: int) -> int:
        """Return when work ends that begins at this moment."""


@dataclass(slots=True)
class _Ended:
    """Whether a task has ended, and who waits for that."""

    has: bool = False
    waiting: list[threading.Lock] = field(default_factory=list)


class Clock:
    """The virtual time of a function, in nanoseconds.

    `lasts` says how many milliseconds an operation takes.  `begin_thread` begins a task in a thread, and `used` is the
    processor time of the present thread.
    """

    def __init__(
        self,
        lasts: Callable[[str], float],
        begin_thread: Callable[[Task[Any]], Running[Any]],
        used: Callable[[], int] = time.thread_time_ns,
    ) -> None:
        self._lasts, self._begin_thread, self._used = lasts, begin_thread, used
        self._next: list[tuple[int, int, threading.Lock]] = []  # when who goes on
        self._numbers = itertools.count()
        self._of_thread = threading.local()

    def start(self, processor: Processor, now: int) -> None:
        """Begin a request at this time, in the present thread."""
        self._processor, self._now = processor, now
        self._of_thread.used = self._used()

    def stop(self) -> int:
        """Return the time at which the present thread has come here."""
        self._count()
        return self._now

    def wait(self, operation: str) -> None:
        """Let the present thread wait for this operation, and others run meanwhile."""
        self._count()
        me = _closed()
        self._go_on(self._now + round(self._lasts(operation) * MILLISECOND), me)
        self._hand_over()
        self._pause(me)

    def begin(self, task: Task[T]) -> Running[T]:
        """Begin a task in a thread, at the present moment; as shared/parallel.py has its runner.

        There must be a thread for it: virtual time does not know of waiting for one.
        """
        self._count()
        ended, turn = _Ended(), _closed()
        self._go_on(self._now, turn)

        def run() -> T:
            turn.acquire()
            self._of_thread.__dict__.setdefault("used", self._used())
            self._count()  # of the thread, since its last task
            try:
                return task()
            finally:
                self._count()
                ended.has = True
                for waiting in ended.waiting:
                    self._go_on(self._now, waiting)
                self._hand_over()

        wait, end = self._begin_thread(run)
        return partial(self._after, ended, wait), partial(self._after, ended, end)

    def _after(self, ended: _Ended, then: Callable[[], T]) -> T:
        """Do this after a task has ended."""
        self._count()
        if not ended.has:
            me = _closed()
            ended.waiting.append(me)
            self._hand_over()
            self._pause(me)
        return then()

    def _count(self) -> None:
        """Move the clock by the processor time of the present thread since it was counted last."""
        used = self._used()
        self._now = self._processor.end(self._now, used - self._of_thread.used)
        self._of_thread.used = used

    def _go_on(self, at: int, turn: threading.Lock) -> None:
        heapq.heappush(self._next, (at, next(self._numbers), turn))

    def _hand_over(self) -> None:
        """Let the thread run that goes on first."""
        at, _, turn = heapq.heappop(self._next)
        self._now = max(self._now, at)
        turn.release()

    def _pause(self, turn: threading.Lock) -> None:
        """Stand still until it is the present thread's turn."""
        turn.acquire()
        self._of_thread.used = self._used()


def _closed() -> threading.Lock:
    """Return a lock that opens when it is the turn of the thread that waits for it."""
    lock = threading.Lock()
    lock.acquire()
    return lock
