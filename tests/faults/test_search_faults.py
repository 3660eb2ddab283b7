"""Each fault at each AWS call of a search: the answer is the right one or a 503, and never a 500."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest
from botocore.awsrequest import AWSResponse

from shared import aws, deadline
from shared.labels import retries
from shared.settings import PARAMETERS
from tests.support import fault_injection, search_scene, vectors_aws
from tests.support.fault_injection import Attempt, Clock, Happening
from tests.support.fault_scene import documented
from tests.support.hosts import forget_clients, json_of
from tests.support.local_service import Answer
from tests.support.pictures import png
from tests.support.search_scene import SearchScene, by_picture

TIMEOUT = 25.0  # seconds; the function's timeout


def too_many(attempt: Attempt) -> AWSResponse:
    """Refuse the request as S3 Vectors does under load."""
    return attempt.raw(429, b'{"message": "Injected."}', {"x-amzn-errortype": "TooManyRequestsException"})


def busy(attempt: Attempt) -> AWSResponse:
    return too_many(attempt) if attempt.service == "s3vectors" else fault_injection.busy(attempt)


FAULTS: dict[str, Happening] = {
    "connection refused": fault_injection.refused,
    "no connection in time": fault_injection.unreachable,
    "no answer": fault_injection.silent,
    "an internal error": fault_injection.failed,
    "throttled": busy,
}


class Faulty:
    """The scene, with faults before the attempts of its clients. `happening` comes upon those that `hits` chooses."""

    def __init__(self, scene: SearchScene, clock: Clock) -> None:
        self.scene, self.clock = scene, clock
        self.calls: list[tuple[str, str]] = []
        self.renew(fault_injection.refused, lambda call, number: False)

    def renew(self, happening: Happening, hits: Callable[[int, int], bool]) -> None:
        """Begin a new container, in which this happens to the attempts of these numbers of the call and in the call."""
        forget_clients()
        self.calls, self._happening, self._hits, self._id, self._number = [], happening, hits, "", 0
        vectors_aws.answered(aws.s3vectors(), self.scene.vectors)
        for client in (aws.dynamodb(), aws.ssm(), aws.s3vectors()):
            client.meta.events.register_first("before-send", self._before_send)

    def _before_send(self, request: Any, event_name: str, **_: object) -> AWSResponse | None:
        _, service, operation = event_name.split(".")
        call = request.headers["amz-sdk-invocation-id"]
        self._number = self._number + 1 if call == self._id else 1
        if call != self._id:
            self._id = call
            self.calls.append((service, operation))
        if not self._hits(len(self.calls), self._number):
            return None
        return self._happening(Attempt(service, operation, request, self.clock, _unsent))


def _unsent(_: object) -> AWSResponse:
    raise AssertionError("no fault here sends the request")


@pytest.fixture
def as_in_lambda(moto_aws: None, monkeypatch: pytest.MonkeyPatch) -> Callable[[SearchScene], None]:
    """Set the variables of the function, so that it reads no other settings than there."""

    def set_variables(scene: SearchScene) -> None:
        values = {"image_chunks_table": "ImageChunksTable", "tiles_table": "TilesTable"}
        for field, value in {**values, "vector_index": scene.index._arn}.items():
            monkeypatch.setenv(PARAMETERS[field][1], value)

    return set_variables


@pytest.fixture
def faulty(moto_aws: None, tmp_path: Path) -> Iterator[Faulty]:
    clock = Clock()
    with (
        search_scene.scene(tmp_path) as scene,
        mock.patch.object(deadline, "CLOCK", clock),
        mock.patch.object(deadline, "TIMEOUT", TIMEOUT),
        mock.patch.object(retries, "CLOCK", clock),
        mock.patch.object(retries, "SLEEP", clock.sleep),
        mock.patch("botocore.endpoint.time", SimpleNamespace(sleep=clock.back_off)),
    ):
        yield Faulty(scene, clock)


SEARCHES: dict[str, tuple[Callable[[SearchScene, str], Answer], int, list[str]]] = {
    "by a text": (
        lambda scene, _: scene.api.get("/search?q=grass"),
        200,
        ["GetParameters", "QueryVectors", "BatchGetItem", "QueryVectors", "BatchGetItem", "BatchGetItem"],
    ),
    "by a picture": (
        lambda scene, _: by_picture(scene.api, png(1)),
        200,
        ["GetParameters", "QueryVectors", "BatchGetItem", "BatchGetItem"],
    ),
    "by an image": (
        lambda scene, image_id: scene.api.get(f"/images/{image_id}/similar"),
        200,
        ["GetParameters", "BatchGetItem", "GetVectors", "QueryVectors", "BatchGetItem", "BatchGetItem"],
    ),
    "by an image that is not indexed yet": (
        lambda scene, image_id: (scene.index.delete([image_id]), scene.api.get(f"/images/{image_id}/similar"))[1],
        409,
        ["GetParameters", "BatchGetItem", "GetVectors", "GetItem"],
    ),
}


@pytest.mark.parametrize("search", SEARCHES)
def test_each_fault_at_each_call_is_survived_or_a_503(
    slow_tier: None,
    faulty: Faulty,
    as_in_lambda: Callable[[SearchScene], None],
    search: str,
    subtests: pytest.Subtests,
) -> None:
    send, good, operations = SEARCHES[search]
    images = [faulty.scene.add(png(seed), tags) for seed, tags in ((1, "grass"), (2, "grass"), (3, "boat"))]
    as_in_lambda(faulty.scene)
    faulty.renew(fault_injection.refused, lambda call, number: False)
    right = send(faulty.scene, images[0]["id"])
    assert right.status == good
    assert [operation for _, operation in faulty.calls] == operations
    for title, happening in FAULTS.items():
        for number, operation in enumerate(operations, 1):
            with subtests.test(f"{title} at {operation}"):
                faulty.renew(happening, lambda call, tried, number=number: (call, tried) == (number, 1))
                once = send(faulty.scene, images[0]["id"])
                assert (once.status, json_of(once)) == (good, json_of(right))

                faulty.renew(happening, lambda call, _, number=number: call >= number)
                begun = faulty.clock.now
                answer = send(faulty.scene, images[0]["id"])
                documented(answer, good=good)
                assert faulty.clock.now - begun < TIMEOUT, "Lambda would have ended it"
                assert answer.status == 503 or operation == "GetParameters"  # which has fallbacks


def test_rows_that_dynamodb_leaves_unprocessed_are_a_503(
    faulty: Faulty, as_in_lambda: Callable[[SearchScene], None]
) -> None:
    faulty.scene.add(png(1))
    as_in_lambda(faulty.scene)
    for number in (3, 4):
        faulty.renew(fault_injection.unprocessed, lambda call, _, number=number: call >= number)
        documented(by_picture(faulty.scene.api, png(1)), good=503)
