"""A file that came by a form is one image, whatever comes twice, at the same time or to a sudden end."""

from collections.abc import Callable

import pytest

import cloud
from received import Calls, Killed, Sent, check, items, send, tagged
from shared import aws


@pytest.fixture
def calls(moto_aws: None) -> Calls:
    return Calls()


@pytest.fixture
def numbers(calls: Calls) -> range:
    """Those of the AWS calls that an upload takes when nothing happens."""
    tagged(0).deliver()  # which reads the settings, too
    sent = tagged(1)
    sent.callbacks()
    calls.reset()
    sent.deliver()
    made = range(len(calls.names))
    check(sent)
    return made


def test_an_event_that_comes_twice_changes_nothing(calls: Calls) -> None:
    sent = tagged(2)
    sent.deliver()
    check(sent)
    before = [items(table) for table in cloud.TABLES]
    sent.deliver()
    assert [items(table) for table in cloud.TABLES] == before
    assert sent.callbacks() == []


def test_an_event_that_comes_twice_fails_once(calls: Calls) -> None:
    sent = send(3, b"meow")
    for callbacks in (1, 0):
        assert sent.deliver_once()
        assert sent.state()["state"] == "failed"
        assert len(sent.callbacks()) == callbacks


def test_two_events_at_once_are_one_image(calls: Calls, numbers: range) -> None:
    """The second comes, and is done, while the first is about to make each of its calls; nothing goes back then."""
    assert len(numbers) > 15
    for number in numbers:
        sent = tagged(100 + number)
        calls.reset()
        states: list[str] = []

        def be_second(sent: Sent = sent, states: list[str] = states) -> None:
            sent.deliver_once()
            calls.after = lambda _: states.append(sent.kept_state()) if calls.ended == "UpdateItem" else None

        calls.before = at(number, calls, be_second)
        sent.deliver()
        calls.reset()
        check(sent)
        assert set(states) <= {"recognised"}, calls.names
        versions = aws.s3().list_object_versions(Bucket="pictures", Prefix=f"{sent.api.label}/")["Versions"]
        assert len(versions) == 1, calls.names


def at(number: int, calls: Calls, happen: Callable[[], object]) -> Callable[[int], None]:
    """At the call of this number, this happens; nothing comes upon the calls that it makes itself."""

    def come_upon(now: int) -> None:
        if now == number:
            calls.before = calls.after = lambda _: None
            happen()

    return come_upon


def die() -> None:
    raise Killed


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_crash_at_any_call_is_made_good_when_the_event_comes_again(calls: Calls, numbers: range, when: str) -> None:
    for number in numbers:
        sent = tagged(200 + number)
        calls.reset()
        setattr(calls, when, at(number, calls, die))
        with pytest.raises(Killed):
            sent.deliver()
        calls.reset()
        sent.deliver()
        check(sent)


def test_one_that_gave_it_tags_and_died_is_no_conflict_of_the_other(calls: Calls, numbers: range) -> None:
    for number in numbers[: calls.names.index("TransactWriteItems") + 1]:
        sent = tagged(300 + number)
        calls.reset()

        def tag_and_die(sent: Sent = sent) -> None:
            begun = len(calls.names)

            def after(_: int) -> None:
                if calls.names[begun:].count("TransactWriteItems") == 2:
                    die()

            calls.after = after
            try:
                sent.deliver_once()
            except Killed:
                pass
            calls.after = lambda _: None

        calls.before = at(number, calls, tag_and_die)
        sent.deliver()
        calls.reset()
        check(sent)
