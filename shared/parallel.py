"""Several AWS calls at a time: one in a thread that waits, while the block of a `with` makes the other.

    with beside(partial(bucket.get, key)) as picture:
        lanes = store.lanes(pool)
        return lanes, picture()

Lambda freezes a process as soon as its function has responded, also in the middle of a call.  So the task has always
ended when the block is left.  The thread has the context of the caller, or else the deadline of the request would not
count in it.  botocore's clients may be shared by threads once they are made, so the caller makes them.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from functools import cache, partial
from typing import TYPE_CHECKING, Any, TypeVar

from shared import is_cold_start
from shared.images import TAGS_MAX

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

T = TypeVar("T")

THREADS = 1 + TAGS_MAX  # at most: an upload reads the lanes of its label and of its tags beside storing the picture

Wait = Callable[[], T]  # returns what a task returned, or raises what it raised, once it has ended


# A task that was begun: what waits for its result, and what returns when it has ended, or will never begin.
Running = tuple[Wait[T], Callable[[], object]]


def in_thread(task: Callable[[], T]) -> Running[T]:
    """Begin a task in a thread, in the caller's context.

    A cold start has no connections yet.  To open two at a time would cost it more processor time than waiting, so there
    the task runs when it is waited for, if at all.
    """
    if is_cold_start():
        return once(task), lambda: None
    begun = _threads().submit(copy_context().run, task)
    return begun.result, begun.exception


def once(task: Callable[[], T]) -> Wait[T]:
    """Return what runs the task when it is called first, and then gives the same result or exception."""
    ended: list[Wait[T]] = []

    def wait() -> T:
        if not ended:
            try:
                result = task()
                ended.append(lambda: result)
            except Exception as error:
                ended.append(partial(_throw, error))
        return ended[0]()

    return wait


def _throw(error: Exception) -> Any:
    raise error


@cache
def _threads() -> "ThreadPoolExecutor":
    """Return the threads, which stay: to start one takes three times as long as to wake it."""
    from concurrent.futures import ThreadPoolExecutor  # here, because a cold start needs none

    return ThreadPoolExecutor(THREADS, thread_name_prefix="beside")


RUN: Callable[[Callable[[], Any]], Running[Any]] = in_thread  # the simulation puts its scheduler here


@contextmanager
def beside(task: Callable[[], T]) -> Iterator[Wait[T]]:
    """Run the task while the block runs.  Yield what waits for it: its result is returned, its exception is raised.

    The task has ended when the block is left.  If its result is not asked for, its exception is lost, and it
    may not have run: a task that changes anything must be asked.
    """
    wait, end = RUN(task)
    try:
        yield wait
    finally:
        end()
