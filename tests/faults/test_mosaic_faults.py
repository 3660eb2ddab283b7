"""Each fault at each AWS call of a mosaic or a file of tiles: the answer is the right one or a 503, and never a 500."""

from collections.abc import Iterator

import pytest

from shared import aws
from shared.settings import PARAMETERS
from tests.support import fault_injection
from tests.support.fault_injection import Happening
from tests.support.fault_scene import documented
from tests.support.faulty_calls import FaultyCalls, clocked
from tests.support.hosts import Api, Handlers, new_label
from tests.support.mosaic_scene import MosaicScene

TIMEOUT = 25.0  # seconds; the function's timeout
NAMES = {"image_chunks_table": "ImageChunksTable", "tiles_table": "TilesTable", "bucket": "pictures"}
FAULTS: dict[str, Happening] = {
    "connection refused": fault_injection.refused,
    "no connection in time": fault_injection.unreachable,
    "no answer": fault_injection.silent,
    "an internal error": fault_injection.failed,
    "throttled": fault_injection.busy,
}
READ = ["GetParameters", "BatchGetItem", "Query", "Query"]  # the row; tiles behind the name, and before it
REQUESTS = {
    "a mosaic": ("/images/{id}/mosaic?columns=10", [*READ, "GetObject"]),
    "of all labels": ("/images/{id}/mosaic?columns=10&tiles=*", [*READ, *(["Query"] * 2), "GetObject"]),
    "a file of tiles": ("/labels/{label}/tiles", ["GetParameters", "Query"]),
}


@pytest.fixture
def scene(moto_aws: None, monkeypatch: pytest.MonkeyPatch) -> MosaicScene:
    found = MosaicScene(Api(Handlers(), new_label()))
    found.add(range(16))
    assert found.image
    for name, value in NAMES.items():
        monkeypatch.setenv(PARAMETERS[name][1], value)
    return found


@pytest.fixture
def faulty(scene: MosaicScene) -> Iterator[FaultyCalls]:
    with clocked(TIMEOUT) as clock:
        yield FaultyCalls(clock, lambda: (aws.dynamodb(), aws.ssm(), aws.s3()))


@pytest.mark.parametrize("request_", REQUESTS)
def test_each_fault_at_each_call_is_survived_or_a_503(
    slow_tier: None, scene: MosaicScene, faulty: FaultyCalls, request_: str, subtests: pytest.Subtests
) -> None:
    template, operations = REQUESTS[request_]
    path = template.format(id=scene.image["id"], label=scene.api.label)
    right = scene.api.get(path)
    assert right.status == 200
    assert [operation for _, operation in faulty.calls] == operations
    for title, happening in FAULTS.items():
        for number, operation in enumerate(operations, 1):
            with subtests.test(f"{title} at {operation}"):
                faulty.renew(happening, lambda call, tried, number=number: (call, tried) == (number, 1))
                once = scene.api.get(path)
                assert (once.status, once.headers.get("etag")) == (200, right.headers.get("etag"))

                faulty.renew(happening, lambda call, _, number=number: call >= number)
                begun = faulty.clock.now
                answer = scene.api.get(path)
                documented(answer, good=200)
                assert faulty.clock.now - begun < TIMEOUT, "Lambda would have ended it"
                assert answer.status == 503 or operation == "GetParameters"  # which has fallbacks
