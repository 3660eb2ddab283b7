"""What runs beside a block has ended when the block is left, and knows the deadline of the request."""

import threading
import time
from contextlib import suppress
from contextvars import ContextVar
from types import SimpleNamespace

import pytest

from shared import deadline, parallel
from shared.errors import Unavailable
from shared.parallel import beside

NAME: ContextVar[str] = ContextVar("name", default="nobody")


def test_a_task_runs_beside_the_block_and_returns_its_result() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def task() -> object:
        begun.set()
        assert go_on.wait(10)
        return object()

    with beside(task) as result:
        assert begun.wait(10), "it waits for the end of the block"
        go_on.set()
        assert result() is result()


def test_two_tasks_run_at_a_time() -> None:
    both = threading.Barrier(3)
    with beside(lambda: both.wait(10)), beside(lambda: both.wait(10)):
        both.wait(10)


@pytest.mark.parametrize("error", [None, KeyError("of the block")], ids=str)
def test_a_task_has_ended_when_the_block_is_left(error: Exception | None) -> None:
    """Lambda would freeze it in the middle of a call, and go on with it in another request."""
    ended = []

    def task() -> None:
        time.sleep(0.05)
        ended.append(True)

    with suppress(KeyError), beside(task):
        if error:
            raise error
    assert ended


def test_an_exception_is_raised_where_the_result_is_asked_for_and_nowhere_else() -> None:
    def task() -> None:
        raise Unavailable("busy")

    with beside(task):
        pass
    with beside(task) as result, pytest.raises(Unavailable):
        result()
    with pytest.raises(ValueError, match="of the block"), beside(task):
        raise ValueError("of the block")


def test_a_task_has_the_context_of_its_request() -> None:
    NAME.set("me")
    with beside(NAME.get) as name:
        assert name() == "me"
    late = SimpleNamespace(get_remaining_time_in_millis=lambda: 1000)
    with deadline.of(late), beside(deadline.check) as checked, pytest.raises(Unavailable):
        checked()


@pytest.mark.parametrize("is_asked", [False, True])
def test_a_cold_start_does_one_after_the_other(monkeypatch: pytest.MonkeyPatch, is_asked: bool) -> None:
    monkeypatch.setattr(parallel, "is_cold_start", lambda: True)
    order = []

    def task() -> None:
        order.append(threading.current_thread())
        raise Unavailable("busy")

    with beside(task) as result:
        assert not order
        if is_asked:
            for _ in range(2):
                with pytest.raises(Unavailable):
                    result()
    assert order == [threading.current_thread()] * is_asked  # without a question, it would be for nothing
