"""No thumbnail of a deleted image is returned, and none is left, however requests interleave."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

import browse_images
import delete_image
import upload_image
from tests.support import simulation
from tests.support.memory_aws import World
from tests.support.pictures import File, multipart_body, name_of, tiny
from tests.support.simulation import LABEL, Simulation

NAME = name_of(tiny(1))
PATH = f"/images/{LABEL}/{NAME}"


def upload() -> int:
    body, content_type = multipart_body([("label", LABEL), ("img", File(tiny(1)))])
    return status(upload_image, "POST", "/upload", "/upload", body=body, headers={"Content-Type": content_type})


def delete() -> int:
    return status(delete_image, "DELETE", "/images/{label}/{name}", PATH)


def thumbnail(accept: str = "*/*") -> int:
    parts = {"query": {"size": ["256"]}, "headers": {"Accept": accept}}
    return status(browse_images, "GET", "/images/{label}/{name}", PATH, **parts)


def status(function: Any, *request: str, **parts: Any) -> int:
    return int(simulation.call(function, *request, **parts)["statusCode"])


def at_call(world: World, number: int, then: Callable[[], object]) -> list[str]:
    """Call `then` before the AWS call with this number, from 0.  Return the names of the other calls."""
    calls: list[str] = []

    def pause(call: str) -> None:
        calls.append(call)
        if len(calls) == number + 1:
            world.pause = lambda call: None
            then()
            world.pause = pause

    world.pause = pause
    return calls


CALLS_OF_MAKING = ["get_item", "get_object", "get_object", "put_thumbnail", "get_item"]
# The first two, and the last two, are made at a time.
CALLS_OF_DELETING = ["query", "get_item", "transact_write_items", "delete_objects", "delete_object"]


@pytest.mark.parametrize("number", range(len(CALLS_OF_MAKING) + 1))
def test_an_image_deleted_while_its_thumbnail_is_made_leaves_none(world: World, number: int) -> None:
    assert upload() == 201
    calls = at_call(world, number, delete)
    made = thumbnail()
    world.pause = lambda call: None
    if number == len(CALLS_OF_MAKING):
        assert (calls, made, len(world.thumbnails), delete()) == (CALLS_OF_MAKING, 200, 1, 204)
    else:
        assert made == 404
    assert thumbnail() == 404
    assert not world.thumbnails
    assert {label for label, _ in world.tables["images-table"]} == {"#labels"}


@pytest.mark.parametrize("kept_before", [False, True])
@pytest.mark.parametrize("number", range(len(CALLS_OF_DELETING)))
def test_a_thumbnail_made_while_its_image_is_deleted_does_not_stay(
    world: World, number: int, kept_before: bool
) -> None:
    assert upload() == 201
    if kept_before:
        assert thumbnail("image/jpeg") == 200
    answers: list[int] = []
    calls = at_call(world, number, lambda: answers.append(thumbnail()))
    assert delete() == 204
    assert calls == CALLS_OF_DELETING
    assert answers == ([200] if number <= calls.index("transact_write_items") else [404])
    world.pause = lambda call: None
    assert thumbnail() == 404
    assert world.thumbnails == {}


def test_a_stored_thumbnail_of_a_deleted_image_is_not_shown_even_if_the_delete_was_killed(world: World) -> None:
    assert (upload(), thumbnail()) == (201, 200)

    def die() -> None:
        raise simulation.Killed

    at_call(world, CALLS_OF_DELETING.index("delete_objects"), die)
    with pytest.raises(simulation.Killed):
        delete()
    world.pause = lambda call: None
    assert len(world.thumbnails) == 1
    assert thumbnail() == 404


def test_the_thumbnail_of_an_image_uploaded_again_meanwhile_is_returned(world: World) -> None:
    for number in range(len(CALLS_OF_MAKING)):
        upload()
        at_call(world, number, lambda: (delete(), upload()))
        assert thumbnail() == 200
        world.pause = lambda call: None
        assert thumbnail() == 200
        assert delete() == 204
        assert world.thumbnails == {}


@pytest.mark.parametrize("seeds", [range(30), pytest.param(range(30, 120), marks=pytest.mark.slow)])
def test_only_killed_clients_leave_thumbnails_of_deleted_images(seeds: range) -> None:
    answers: Counter[str] = Counter()
    for seed in seeds:
        answers += Simulation(seed, pictures=1 + seed % 3, heavy=2, thumbnails=1.0).run().answers
    assert min(answers[f"_thumbnail {code}"] for code in (200, 404)) > 6 * len(seeds)


@pytest.mark.usefixtures("slow_tier")
def test_no_thumbnail_is_left_if_no_client_dies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulation, "KILLED", 0.0)
    for seed in range(60):
        outcome = Simulation(seed, pictures=1 + seed % 3, heavy=2, thumbnails=1.0).run()
        assert outcome.touched == set()
