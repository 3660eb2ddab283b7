"""Each fault at each AWS call of a search: the answer is the right one or a 503, and never a 500."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

from shared import aws
from shared.settings import PARAMETERS
from tests.support import fault_injection, search_scene, vectors_aws
from tests.support.fault_injection import Attempt, Clock, Happening
from tests.support.fault_scene import documented
from tests.support.faulty_calls import FaultyCalls, clocked
from tests.support.hosts import json_of
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


class Faulty(FaultyCalls):
    """The scene, with faults at the calls of its clients."""

    def __init__(self, scene: SearchScene, clock: Clock) -> None:
        self.scene = scene
        super().__init__(clock, self._made)

    def _made(self) -> list[Any]:
        vectors_aws.answered(aws.s3vectors(), self.scene.vectors)
        return [aws.dynamodb(), aws.ssm(), aws.s3vectors()]


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
    with search_scene.scene(tmp_path) as scene, clocked(TIMEOUT) as clock:
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
