"""Every fault at every AWS call of index/, and a kill before and after each: afterwards the index equals the rows."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from shared import aws
from shared.index_queue import of_id
from tests.support import memory_index
from tests.support.index_scene import IndexScene, index_scene
from tests.support.memory_index import SETTINGS
from tests.support.pictures import tiny
from tests.support.simulation import silent
from tools.reconcile.indexed import index_reconciliation
from tools.reconcile.inventory import Inventory


class Killed(BaseException):
    """The process is killed here."""


def error(code: str, status: int) -> ClientError:
    document = {"Error": {"Code": code, "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(document, "Any")  # type: ignore[arg-type]


FAULTS: dict[str, BaseException] = {
    "the process dies": Killed(),
    "internal error": error("InternalServerError", 500),
    "throttled": error("ThrottlingException", 400),
    "too many requests": error("TooManyRequestsException", 429),
    "no permission": error("AccessDeniedException", 403),
    "refused": EndpointConnectionError(endpoint_url="https://aws.test"),
    "silent": ReadTimeoutError(endpoint_url="https://aws.test"),
}
Deliver = Callable[[], Any]


def changed(scene: IndexScene) -> list[str]:
    """Let images come, change and go since they were indexed, and return their ids."""
    tagged, gone = scene.upload(tiny(1), tags="calm"), scene.upload(tiny(2))
    scene.follow()
    scene.patch(tagged, tags=["wild"])
    scene.delete(gone)
    return [tagged, gone, scene.upload(tiny(3)), scene.upload(tiny(4))]


def by_the_stream(scene: IndexScene) -> Deliver:
    """Return how the changes are delivered: at once, and again after a call that raised."""
    changed(scene)
    records = list(scene.world.stream)
    return lambda: memory_index.follow(scene.world, records)


def by_the_queue(scene: IndexScene) -> Deliver:
    """Return how messages about the images are delivered; what is not done waits in the queue."""
    ids = changed(scene)
    scene.world.stream.clear()
    bodies = [json.dumps({"label": of_id(each).label, "name": of_id(each).name}) for each in ids]
    messages = [{"body": body, "received": 0} for body in bodies]

    def deliver() -> None:
        scene.world.queue = memory_index.take(messages)

    return deliver


WAYS = (by_the_stream, by_the_queue)


def number_of_calls(way: Callable[[IndexScene], Deliver]) -> int:
    with silent(), index_scene() as scene:
        deliver = way(scene)
        scene.calls.reset()
        deliver()
        assert scene.differences() == []
        assert len(set(scene.calls.names)) >= 8, "all that it calls is among them"
        return len(scene.calls.names)


def faults(way: Callable[[IndexScene], Deliver]) -> Iterator[tuple[str, int, str]]:
    for number in range(number_of_calls(way)):
        for fault in FAULTS:
            yield from ((fault, number, moment) for moment in ("before", "after"))


def check(way: Callable[[IndexScene], Deliver], fault: str, number: int, moment: str) -> None:
    """Let a fault come upon a call once, then deliver what must come again."""
    where = f"{way.__name__}: {fault} {moment} call {number}"
    with silent(), index_scene() as scene:
        deliver = way(scene)
        scene.calls.reset()

        def strike(at: int) -> None:
            if at == number:
                raise FAULTS[fault]

        setattr(scene.calls, moment, strike)
        try:
            deliver()
        except (Killed, Exception):
            scene.calls.reset()
            deliver()
        scene.calls.reset()
        scene.drain()
        assert scene.differences() == [], where
        report = index_reconciliation(SETTINGS, Inventory(aws.dynamodb(), SETTINGS)).run()
        assert (report.queued, report.left, report.is_clean) == (0, 0, True), where


@pytest.mark.parametrize("way", WAYS)
def test_a_kill_between_any_two_calls_leaves_nothing_wrong(way: Callable[[IndexScene], Deliver]) -> None:
    for fault, number, moment in faults(way):
        if fault == "the process dies":
            check(way, fault, number, moment)


@pytest.mark.usefixtures("slow_tier")
@pytest.mark.parametrize("way", WAYS)
def test_a_fault_at_any_call_leaves_nothing_wrong(way: Callable[[IndexScene], Deliver]) -> None:
    for fault, number, moment in faults(way):
        check(way, fault, number, moment)


@pytest.mark.parametrize("name", ["batch_get_item", "get_vectors", "get_object", "put_item", "put_vectors"])
def test_where_a_service_is_down_all_goes_to_the_queue_and_nothing_is_lost(name: str) -> None:
    with silent(), index_scene() as scene:
        images = {scene.upload(tiny(number)) for number in range(30)}

        def strike(at: int) -> None:
            if scene.calls.names[at] == name:
                raise FAULTS["internal error"]

        scene.calls.reset()
        scene.calls.before = strike
        scene.follow()
        assert len(scene.world.queue) == len(images)
        scene.calls.reset()
        scene.drain()
        assert set(scene.world.vectors) == images
        assert scene.differences() == []


def test_where_the_queue_is_down_too_the_stream_has_its_records_again() -> None:
    with silent(), index_scene() as scene:
        scene.upload(tiny(1))
        records = list(scene.world.stream)

        def strike(_: int) -> None:
            raise FAULTS["refused"]

        scene.calls.before = strike
        with pytest.raises(EndpointConnectionError):
            memory_index.follow(scene.world, records)
        scene.calls.reset()
        memory_index.follow(scene.world, records)
        assert scene.differences() == []


def test_one_vector_that_the_index_refuses_is_found_and_the_others_are_kept() -> None:
    with silent(), index_scene() as scene:
        images = [scene.upload(tiny(number)) for number in range(5)]
        put = memory_index.Vectors.put_vectors

        def refuse(self: Any, *, vectors: list[dict[str, Any]], **more: Any) -> Any:
            if any(each["key"] == images[2] for each in vectors):
                raise error("ValidationException", 400)
            return put(self, vectors=vectors, **more)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(memory_index.Vectors, "put_vectors", refuse)
            scene.follow()
        assert set(scene.world.vectors) == {*images} - {images[2]}
        assert [json.loads(message["body"])["name"] for message in scene.world.queue] == [of_id(images[2]).name]
        scene.drain()
        assert scene.differences() == []
