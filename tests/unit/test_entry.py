"""The entry of functions whose events are not HTTP requests: each call has a deadline and ends the cold start."""

import gc
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from shared import deadline
from shared.entry import entry
from shared.errors import Unavailable


@pytest.fixture
def cold_start() -> Iterator[None]:
    """Stop the garbage collector, as shared/__init__.py does in Lambda until the first call has ended."""
    gc.disable()
    yield
    gc.unfreeze()
    gc.enable()


def context(milliseconds: int) -> SimpleNamespace:
    return SimpleNamespace(get_remaining_time_in_millis=lambda: milliseconds)


@entry
def ask_aws(event: str) -> str:
    deadline.check()
    return event


def test_the_handler_gets_the_event_and_its_result_is_the_answer() -> None:
    assert ask_aws("event", context(60_000)) == "event"


def test_a_call_without_time_left_asks_aws_nothing_and_the_next_one_may() -> None:
    with pytest.raises(Unavailable):
        ask_aws("event", context(int(deadline.LAST_ATTEMPT * 1000) - 1))
    deadline.check()
    assert ask_aws("event", None) == "event", "outside Lambda a call has the functions' usual time"


def test_the_first_call_ends_the_cold_start(cold_start: None) -> None:
    ask_aws("event", None)
    assert gc.isenabled()
    assert gc.get_freeze_count() > 0


def test_a_call_that_fails_ends_the_cold_start_as_well(cold_start: None) -> None:
    with pytest.raises(Unavailable):
        ask_aws("event", context(0))
    assert gc.isenabled()
