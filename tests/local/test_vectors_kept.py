"""The vectors of `make run` over stops, kills and restored snapshots, and what data without them becomes."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tests.support import lite0_models
from tests.support.index_view import IndexView
from tests.support.local_service import READY_MAX, LocalService
from tests.support.pictures import tiny
from tests.support.vectors_aws import ACCOUNT, HIDDEN, new_index
from tools.local.vectors import mending
from tools.local.vectors.mending import Resource
from tools.local.vectors.service import Vectors
from tools.local.vectors.stack_types import BUCKET, INDEX, StackTypes

Client = Any
PROPERTIES = {"DataType": "float32", "Dimension": 3, "DistanceMetric": "cosine"}


def client_of(service: LocalService) -> Client:
    once = Config(retries={"total_max_attempts": 1})
    return service.aws().client("s3vectors", endpoint_url=service.aws_endpoint, config=once)


def listed(client: Client, arn: str) -> dict[str, Any]:
    pages = client.get_paginator("list_vectors").paginate(indexArn=arn, returnData=True, returnMetadata=True)
    return {each["key"]: (each["data"]["float32"], each["metadata"]) for page in pages for each in page["vectors"]}


@pytest.mark.usefixtures("slow_tier")
def test_no_vector_that_was_acknowledged_is_lost_by_a_kill(tmp_path: Path) -> None:
    """Clients write and delete until the process is gone. A request without an answer counts or does not."""
    with LocalService(tmp_path / "data") as service:
        arn = new_index(client_of(service), bucket="kept")
        acknowledged: list[dict[str, int | None]] = [{} for _ in range(3)]
        uncertain: list[dict[str, int | None]] = [{} for _ in range(3)]
        enough = threading.Event()

        def write(number: int, client: Client) -> None:
            for turn in range(10_000):
                uncertain[number] = {f"{number}/{turn % 20}/{n}": None if turn % 3 == 2 else turn for n in range(5)}
                try:
                    _carry_out(client, arn, uncertain[number])
                except (BotoCoreError, ClientError):
                    return
                acknowledged[number] |= uncertain[number]
                if turn == 30:
                    enough.set()

        threads = [threading.Thread(target=write, args=[number, client_of(service)]) for number in range(3)]
        for thread in threads:
            thread.start()
        assert enough.wait(READY_MAX)
        service.kill()
        for thread in threads:
            thread.join()

        with LocalService(service.data) as again:
            after = {key: metadata["turn"] for key, (_, metadata) in listed(client_of(again), arn).items()}
            for number in range(3):
                expected = _present(acknowledged[number])
                possible = _present(acknowledged[number] | uncertain[number])
                assert {key: turn for key, turn in after.items() if key.startswith(f"{number}/")} in (
                    expected,
                    possible,
                )
        with LocalService(service.data) as once_more:
            found = listed(client_of(once_more), arn)
            assert {key: metadata["turn"] for key, (_, metadata) in found.items()} == after
            hits = client_of(once_more).query_vectors(indexArn=arn, topK=1, queryVector={"float32": [1, 0, 0]})
            assert hits["vectors"][0]["key"] in after


def _carry_out(client: Client, arn: str, change: dict[str, int | None]) -> None:
    """Put vectors of this turn, or delete them if there is none."""
    if None in change.values():
        client.delete_vectors(indexArn=arn, keys=list(change))
        return
    vectors = [
        {"key": key, "data": {"float32": [1, turn, 0]}, "metadata": {"turn": turn}} for key, turn in change.items()
    ]
    client.put_vectors(indexArn=arn, vectors=vectors)


def _present(changes: dict[str, int | None]) -> dict[str, int]:
    return {key: turn for key, turn in changes.items() if turn is not None}


@pytest.mark.usefixtures("slow_tier")
def test_a_lost_file_is_made_again_with_what_the_stack_has(tmp_path: Path) -> None:
    """A stack of the snapshot gets back its bucket and index, empty. A later one can be made again."""
    with LocalService(tmp_path / "data") as service:
        made = _create_stack(service, "first")
        client_of(service).put_vectors(indexArn=made, vectors=[{"key": "a", "data": {"float32": [1, 0, 0]}}])
    assert "missing" not in service.output
    assert [path.name for path in service.data.glob("vectors.db*")] == ["vectors.db"]

    with LocalService(service.data) as again:
        assert list(listed_keys(client_of(again), made)) == ["a"]
        late = _create_stack(again, "second")
        again.kill()
    (service.data / "vectors.db").write_bytes(b"damaged " * 1_000)

    with LocalService(service.data) as mended:
        assert "The vectors that pictures are found by are missing." in mended.output
        assert list(listed_keys(client_of(mended), made)) == []
        assert _create_stack(mended, "second") == late


@pytest.mark.usefixtures("slow_tier")
def test_pictures_whose_vectors_are_gone_are_indexed_again(tmp_path: Path) -> None:
    """They go with the file, or with the encoder when another start has none."""
    lite0 = {"ENCODER": "lite0", "LITE0_MODELS": str(lite0_models.folder())}
    with LocalService(tmp_path / "data", variables=lite0) as service:
        assert all(service.upload(tiny(number)).status == 201 for number in range(3))
        IndexView(service).wait(images=3)
    (service.data / "vectors.db").unlink()
    with LocalService(service.data, variables=lite0) as again:
        IndexView(again).wait(images=3)
    with LocalService(service.data, variables={"ENCODER": "none"}) as without:
        IndexView(without).wait(images=3)
    with LocalService(service.data, variables=lite0) as once_more:
        IndexView(once_more).wait(images=3)


@pytest.mark.usefixtures("slow_tier")
def test_a_file_that_cannot_be_opened_stops_neither_the_start_nor_draws(tmp_path: Path) -> None:
    with LocalService(tmp_path / "data") as service:
        _create_stack(service, "first")
        assert service.upload(tiny(1), label="cat").status == 201
    path = service.data / "vectors.db"
    content = path.read_bytes()
    path.unlink()
    path.mkdir()

    with LocalService(service.data) as without:
        assert f"The vectors in {path} cannot be read or written (unable to open database file)." in without.output
        assert without.get("/random?label=cat").status == 200
    path.rmdir()
    path.write_bytes(content)
    with LocalService(service.data) as again:
        assert "vectors" not in again.output


def listed_keys(client: Client, arn: str) -> Iterator[str]:
    return (each["key"] for each in client.list_vectors(indexArn=arn)["vectors"])


def _create_stack(service: LocalService, name: str) -> str:
    """Create a stack with a bucket and an index of this name, and return the index's ARN."""
    resources = {
        "Bucket": {"Type": BUCKET, "Properties": {"VectorBucketName": f"of-{name}"}},
        "Index": {
            "Type": INDEX,
            "Properties": {"VectorBucketArn": {"Ref": "Bucket"}, "IndexName": "lite0-3-1", **PROPERTIES},
        },
    }
    cloudformation = service.aws().client("cloudformation", endpoint_url=service.aws_endpoint)
    cloudformation.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": resources}))
    waiter = cloudformation.get_waiter("stack_create_complete")
    waiter.wait(StackName=name, WaiterConfig={"Delay": 0.05, "MaxAttempts": 1_000})
    found = cloudformation.describe_stack_resource(StackName=name, LogicalResourceId="Index")
    return str(found["StackResourceDetail"]["PhysicalResourceId"])


# --- mending alone ---


@pytest.fixture
def vectors(tmp_path: Path) -> Iterator[Vectors]:
    vectors = Vectors(tmp_path / "vectors.db", ACCOUNT)
    yield vectors
    vectors.close()


def made_by_a_stack(vectors: Vectors, stack: str) -> list[Resource]:
    """Create a bucket and an index as CloudFormation does, and return them as it keeps them."""
    types = StackTypes(vectors, lambda stack, logical_id, **_: f"{stack}-{logical_id}".lower()).handlers()
    bucket, _ = types[BUCKET]["create"]("Bucket", {}, stack)
    hidden = {"MetadataConfiguration": {"NonFilterableMetadataKeys": HIDDEN}}
    properties = {"VectorBucketArn": bucket, **PROPERTIES, **hidden}
    index, _ = types[INDEX]["create"]("Index", properties, stack)
    return [
        Resource(INDEX, f"{stack}/Index", properties, index),
        Resource(BUCKET, f"{stack}/Bucket", {}, bucket),
    ]


def indexes(vectors: Vectors) -> set[str]:
    with vectors.alone() as catalogue:
        return set(catalogue.of_stacks()[0])


def test_what_agrees_is_left_alone(vectors: Vectors) -> None:
    resources = made_by_a_stack(vectors, "first")
    one = {"key": "a", "data": {"float32": [1.0, 0.0, 0.0]}}
    vectors.answer("PutVectors", {"indexArn": resources[0].arn, "vectors": [one]})

    assert not mending.mend(vectors, resources)
    assert vectors.answer("ListVectors", {"indexArn": resources[0].arn})["vectors"] == [{"key": "a"}]


def test_what_a_stack_has_is_made_and_what_none_has_is_removed(tmp_path: Path, vectors: Vectors) -> None:
    first, second = made_by_a_stack(vectors, "first"), made_by_a_stack(vectors, "second")
    other = Vectors(tmp_path / "other.db", ACCOUNT)

    assert not mending.mend(vectors, second)
    assert indexes(vectors) == {second[0].arn}
    assert mending.mend(other, first)
    assert indexes(other) == {first[0].arn}
    found = other.answer("GetIndex", {"indexArn": first[0].arn})["index"]
    assert found["metadataConfiguration"] == {"nonFilterableMetadataKeys": HIDDEN}
    assert not mending.mend(other, first)
    other.close()


def test_what_clients_made_stays(vectors: Vectors) -> None:
    first = made_by_a_stack(vectors, "first")
    mine = {"indexName": "mine", "dataType": "float32", "dimension": 1, "distanceMetric": "cosine"}
    arn = vectors.answer("CreateIndex", {"vectorBucketArn": first[1].arn, **mine})["indexArn"]

    assert not mending.mend(vectors, [])
    assert indexes(vectors) == set()
    assert vectors.answer("GetIndex", {"indexArn": arn})


def test_without_vectors_there_is_no_file(tmp_path: Path) -> None:
    assert not mending.mend(Vectors(tmp_path / "vectors.db", ACCOUNT), [])
    assert not list(tmp_path.iterdir())
