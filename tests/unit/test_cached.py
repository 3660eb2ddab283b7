"""A value that is kept: read on first use, again when it is old, and used on while reading fails."""

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.cached import Refreshing

MARKER = "s3cret"


class Down(Exception):
    """The source does not answer."""


class Source:
    """A source of numbers that counts its reads, on a clock of its own."""

    def __init__(self, *, down: bool = False) -> None:
        self.now, self.reads, self.down = 1000.0, 0, down

    def read(self) -> int:
        self.reads += 1
        if self.down:
            raise Down
        return self.reads

    def cached(
        self, *, fallback: Callable[[], int] | None = None, stale_max: float = math.inf, failure_lifetime: float = 0.0
    ) -> Refreshing[int]:
        return Refreshing(
            "the number",
            self.read,
            failures=(Down,),
            lifetime=300,
            patience=10,
            fallback=fallback,
            stale_max=stale_max,
            failure_lifetime=failure_lifetime,
            clock=lambda: self.now,
        )


def test_a_value_is_read_once_in_its_lifetime() -> None:
    source = Source()
    cached = source.cached()
    assert [cached.get(), cached.get()] == [1, 1]
    source.now += 300
    assert cached.get() == 1
    source.now += 1
    assert (cached.get(), source.reads) == (2, 2)


def test_an_older_value_is_used_while_reading_fails_and_the_source_is_asked_after_the_patience() -> None:
    source = Source()
    cached = source.cached()
    cached.get()
    source.down, source.now = True, source.now + 301
    assert [cached.get(), cached.get(), source.reads] == [1, 1, 2]
    source.now += 10
    assert [cached.get(), source.reads] == [1, 3]
    source.down, source.now = False, source.now + 10
    assert cached.get() == 4


def test_a_first_failure_is_raised_and_not_kept() -> None:
    source = Source(down=True)
    cached = source.cached()
    for _ in range(2):
        with pytest.raises(Down):
            cached.get()
    assert source.reads == 2
    source.down = False
    assert cached.get() == 3


def test_a_first_failure_is_raised_again_without_asking_for_its_lifetime() -> None:
    source = Source(down=True)
    cached = source.cached(failure_lifetime=5)
    for _ in range(3):
        with pytest.raises(Down):
            cached.get()
    assert source.reads == 1
    source.down, source.now = False, source.now + 5
    assert cached.get() == 2


def test_the_fallback_serves_until_the_source_answers() -> None:
    source = Source(down=True)
    cached = source.cached(fallback=lambda: -1)
    assert [cached.get(), cached.get(), source.reads] == [-1, -1, 1]
    source.down, source.now = False, source.now + 10
    assert cached.get() == 2


def test_a_fallback_that_fails_leaves_nothing_behind() -> None:
    def fallback() -> int:
        raise LookupError

    source = Source(down=True)
    cached = source.cached(fallback=fallback)
    with pytest.raises(LookupError):
        cached.get()
    source.down = False
    assert cached.get() == 2


def test_a_value_that_is_too_old_is_not_used_any_more() -> None:
    source = Source()
    cached = source.cached(stale_max=3600)
    cached.get()
    source.down, source.now = True, source.now + 3600
    assert cached.get() == 1
    source.now += 1
    with pytest.raises(Down):
        cached.get()


def test_a_refresh_reads_again_but_not_twice_within_the_patience() -> None:
    source = Source()
    cached = source.cached()
    cached.get()
    source.now += 10
    assert [cached.refresh(), cached.refresh(), source.reads] == [2, 2, 2]


def test_the_failure_of_the_last_read_can_be_asked_for_while_an_older_value_is_used() -> None:
    source = Source()
    cached = source.cached()
    assert cached.failure is None
    cached.get()
    assert cached.failure is None
    source.down, source.now = True, source.now + 301
    cached.get()
    assert isinstance(cached.failure, Down)
    source.down, source.now = False, source.now + 10
    cached.get()
    assert cached.failure is None


def test_the_log_has_the_cause_of_a_failure_but_not_its_message(caplog: pytest.LogCaptureFixture) -> None:
    def read() -> int:
        try:
            return int(MARKER)
        except ValueError as error:
            raise Down from error

    with pytest.raises(Down):
        Refreshing("the number", read, failures=(Down,), lifetime=1, patience=1).get()
    assert "the number: reading failed" in caplog.text
    assert "ValueError" in caplog.text
    assert MARKER not in caplog.text


def test_another_error_rises_as_it_is() -> None:
    def broken() -> int:
        raise ZeroDivisionError

    cached = Refreshing("the number", broken, failures=(Down,), lifetime=1, patience=1, fallback=lambda: 1)
    with pytest.raises(ZeroDivisionError):
        cached.get()


@given(st.lists(st.tuples(st.floats(0, 400), st.booleans()), max_size=30))
def test_whatever_fails_when_a_value_read_once_is_always_there_and_never_read_in_vain(
    steps: list[tuple[float, bool]],
) -> None:
    source = Source()
    cached = source.cached()
    cached.get()
    for seconds, down in steps:
        source.now, source.down = source.now + seconds, down
        before = source.reads
        value = cached.get()
        assert source.reads <= before + 1
        assert value <= source.reads
        if not down and source.reads > before:
            assert value == source.reads
