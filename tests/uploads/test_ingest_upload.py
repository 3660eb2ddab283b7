"""A file that came by a form becomes one image, even if calls are repeated, overlap or are killed."""

import copy
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from tests.support.ingest_scene import Killed, Sent, alike, check, send, tagged
from tests.support.memory_uploads import Calls, MemoryCloud, memory_cloud


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[MemoryCloud]:
    """Run the function on a cloud in memory, which is fast enough for all places of a disturbance."""
    monkeypatch.setenv("PUBLIC_WRITES", "true")
    with memory_cloud() as cloud:
        yield cloud


@pytest.fixture
def calls(cloud: MemoryCloud) -> Calls:
    return cloud.calls


@pytest.fixture
def numbers(cloud: MemoryCloud, calls: Calls) -> range:
    """Return the numbers of the AWS calls that an undisturbed upload makes."""
    sent = tagged(1, cloud)
    calls.reset()
    sent.deliver()
    made = range(len(calls.names))
    check(sent)
    return made


def test_an_event_that_comes_twice_changes_nothing(cloud: MemoryCloud) -> None:
    sent = tagged(2, cloud)
    sent.deliver()
    check(sent)
    before = copy.deepcopy(cloud.world.tables)
    sent.deliver()
    assert cloud.world.tables == before
    assert sent.callbacks() == []


def test_an_event_that_comes_twice_fails_once(cloud: MemoryCloud) -> None:
    sent = send(3, b"meow", cloud=cloud)
    for callbacks in (1, 0):
        assert sent.deliver_once()
        assert sent.state()["state"] == "failed"
        assert len(sent.callbacks()) == callbacks


def test_two_events_at_the_same_time_make_one_image(cloud: MemoryCloud, calls: Calls, numbers: range) -> None:
    """The second event is handled while the first is about to make each of its calls. No state goes back then."""
    assert len(numbers) > 15
    for number in numbers:
        sent = tagged(100 + number, cloud)
        calls.reset()
        states: list[str] = []

        def be_second(sent: Sent = sent, states: list[str] = states) -> None:
            sent.deliver_once()
            calls.after = lambda _: (
                states.append(cloud.state(sent.shown["id"])) if calls.ended == "update_item" else None
            )

        calls.before = at(number, calls, be_second)
        sent.deliver()
        calls.reset()
        check(sent)
        assert set(states) <= {"recognised"}, calls.names
        assert len(cloud.versions(sent.api.label)) == 1, calls.names


def at(number: int, calls: Calls, happen: Callable[[], object]) -> Callable[[int], None]:
    """Return a hook that lets this happen at the call of this number, and not at the calls that it makes itself."""

    def come_upon(now: int) -> None:
        if now == number:
            calls.before = calls.after = lambda _: None
            happen()

    return come_upon


def die() -> None:
    raise Killed


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_crash_at_any_call_is_repaired_when_the_event_comes_again(
    cloud: MemoryCloud, calls: Calls, numbers: range, when: str
) -> None:
    for number in numbers:
        sent = tagged(200 + number, cloud)
        calls.reset()
        setattr(calls, when, at(number, calls, die))
        with pytest.raises(Killed):
            sent.deliver()
        calls.reset()
        sent.deliver()
        check(sent)


def test_a_call_that_set_tags_and_was_killed_does_not_conflict_with_the_other(
    cloud: MemoryCloud, calls: Calls, numbers: range
) -> None:
    for number in numbers[: calls.names.index("transact_write_items") + 1]:
        sent = tagged(300 + number, cloud)
        calls.reset()

        def tag_and_die(sent: Sent = sent) -> None:
            begun = len(calls.names)

            def after(_: int) -> None:
                if calls.names[begun:].count("transact_write_items") == 2:
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


def of_another(content: bytes, sent: Sent) -> Callable[[], object]:
    """Return a hook that posts another file by the same form, and delivers its event."""

    def come() -> None:
        sent.cloud.put_file(f"incoming/{sent.shown['id']}", content)
        with suppress(Killed):
            sent.deliver_once()

    return come


def test_a_second_file_by_the_same_form_replaces_the_first_or_is_dropped(
    cloud: MemoryCloud, calls: Calls, numbers: range
) -> None:
    for number in numbers:
        sent = tagged(400 + number, cloud)
        calls.reset()
        calls.before = at(number, calls, of_another(alike(500 + number), sent))
        sent.deliver()
        calls.reset()
        check(sent)


@pytest.mark.parametrize("dies", [False, True])
def test_a_good_file_after_a_wrong_one_becomes_the_image_or_is_dropped(
    cloud: MemoryCloud, calls: Calls, numbers: range, dies: bool
) -> None:
    """The call of the good file is killed as soon as it has stored it, or not at all."""
    wrong = send(4, b"meow", cloud=cloud)
    calls.reset()
    wrong.deliver()
    wrong.callbacks()
    outcomes = set()
    for number in range(len(calls.names)):
        sent = send(600 + number, b"meow", cloud=cloud, tags=["mine"], tag_from_labels=True)
        calls.reset()
        another = of_another(alike(600 + number), sent)

        def come(another: Callable[[], object] = another) -> None:
            if dies:
                calls.after = lambda _: die() if calls.ended == "transact_write_items" else None
            another()
            calls.after = lambda _: None

        calls.before = at(number, calls, come)
        sent.deliver()
        calls.reset()
        state = sent.state()["state"]
        outcomes.add(state)
        if state == "recognised":
            check(sent)
        else:
            assert (sent.images(), sent.state()["error"]["status"]) == ([], 415)
            assert {callback["id"] for callback in sent.callbacks()} == {sent.shown["id"]}
    assert outcomes == {"recognised", "failed"}


def test_a_late_duplicate_does_not_bring_a_deleted_image_back(cloud: MemoryCloud, calls: Calls, numbers: range) -> None:
    for number in numbers:
        sent = tagged(700 + number, cloud)
        calls.reset()

        def be_second_then_delete(sent: Sent = sent) -> None:
            sent.deliver_once()
            for image in sent.images():
                assert sent.api.delete(image["url"]).status == 204

        calls.before = at(number, calls, be_second_then_delete)
        sent.deliver()
        calls.reset()
        assert (sent.images(), sent.state()["state"]) == ([], "recognised")
        assert cloud.versions(sent.api.label) == []


@pytest.mark.parametrize("dies", [False, True])
def test_an_image_that_was_uploaded_again_since_is_left_unchanged(
    cloud: MemoryCloud, calls: Calls, numbers: range, dies: bool
) -> None:
    """At any call its image is deleted and uploaded again by POST /upload. The call is killed there, or goes on."""
    for number in numbers:
        sent, theirs = tagged(800 + number, cloud), []
        calls.reset()

        def take_over(sent: Sent = sent, theirs: list[object] = theirs, number: int = number) -> None:
            for image in sent.images():
                assert sent.api.delete(image["url"]).status == 204
                assert sent.api.upload(alike(800 + number), "0.9").status == 201
                theirs += sent.images()
            if dies:
                die()

        calls.before = at(number, calls, take_over)
        with suppress(Killed):
            sent.deliver_once()
        calls.reset()
        sent.deliver()
        if theirs:
            assert sent.images() == theirs
            assert "image" not in sent.state()
        else:
            check(sent)
