"""Work on many things with a few threads, which Ctrl-C ends after what is under way."""

import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

from petapi_client.problem import Stopped

INTERRUPTED = 130  # the exit code after Ctrl-C, as shells have it
LONG = 5.0  # seconds of a wait that is announced to the user, once
LOOK = 0.2  # seconds between two looks at whether the threads have ended

Task = TypeVar("Task")


class Crew:
    """Threads that work until nothing is left, or something stops them.

    `error` is the first exception that a task raised, which stops the others.  `interrupted` is true after Ctrl-C.
    """

    def __init__(self, size: int) -> None:
        self._size, self._stop, self._lock = size, threading.Event(), threading.Lock()
        self._working, self._ended = 0, threading.Event()
        self._announced = False
        self.error: Exception | None = None
        self.interrupted = False

    @property
    def stopped(self) -> bool:
        """Whether no further task is begun."""
        return self._stop.is_set()

    def pause(self, seconds: float) -> None:
        """Wait so long, or raise Stopped if the work stops before."""
        if seconds >= LONG:
            with self._lock:
                announced, self._announced = self._announced, True
            if not announced:
                tqdm.write(f"The service asks to wait {seconds:.0f} seconds.", file=sys.stderr)
        if self._stop.wait(seconds):
            raise Stopped

    def work(self, tasks: Iterable[Task], do: Callable[[Task], None]) -> None:
        """Do all tasks.  After a second Ctrl-C, end the program at once."""
        left, self._working = iter(tasks), self._size
        self._ended.clear()
        for _ in range(self._size):
            threading.Thread(target=self._each, args=(left, do), daemon=True).start()
        while True:  # not Thread.join, which takes a thread for ended if Ctrl-C interrupts it (Python 3.11)
            try:
                while not self._ended.wait(LOOK):
                    pass
                return
            except KeyboardInterrupt:
                self._interrupt()

    def _each(self, left: Iterator[Task], do: Callable[[Task], None]) -> None:
        try:
            while not self._stop.is_set() and (task := self._next(left)) is not None:
                do(task)
        except Stopped:
            pass
        except Exception as error:  # whatever it is: it is raised where the work was asked for
            with self._lock:
                self.error = self.error or error
            self._stop.set()
        with self._lock:
            self._working -= 1
            if not self._working:
                self._ended.set()

    def _next(self, left: Iterator[Task]) -> Task | None:
        with self._lock:
            return next(left, None)

    def _interrupt(self) -> None:
        if self.interrupted:
            os._exit(INTERRUPTED)
        self.interrupted = True
        self._stop.set()
        print("\nEnding what is under way. Press Ctrl-C again to stop at once.", file=sys.stderr, flush=True)
