"""The index of vectors: what VectorIndex asks of S3 Vectors, on the service of `make run`."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from shared.errors import Unavailable
from shared.vectors import vector_index
from shared.vectors.vector_index import BUSY, IndexBusy, Vector, VectorIndex
from tests.support.vectors_aws import new_index, served

if TYPE_CHECKING:
    from mypy_boto3_s3vectors import S3VectorsClient


@pytest.fixture
def client(tmp_path: Path) -> Iterator["S3VectorsClient"]:
    with served(tmp_path / "vectors.db") as client:
        yield client


@pytest.fixture
def index(client: "S3VectorsClient") -> VectorIndex:
    return VectorIndex(client, new_index(client))


def requests_of(client: "S3VectorsClient") -> list[tuple[str, Any]]:
    """Return a list to which each request is added: the operation and its body."""
    sent: list[tuple[str, Any]] = []

    def note(request: Any, **_: object) -> None:
        sent.append((request.url.rpartition("/")[2], request.body))

    client.meta.events.register_first("before-send.s3vectors", note)
    return sent


def test_a_vector_is_found_by_its_key_with_its_metadata(index: VectorIndex) -> None:
    cat = Vector("cat/Ä b.jpg", {"label": "cat", "tags": ["grass", "sun"], "version": "v1"}, [1.0, 0.5, 0.25])

    index.put([cat, Vector("cat/2", {"label": "cat"}, [0.0, 1.0, 0.0])])

    assert index.get(["cat/Ä b.jpg", "dog/9"], with_data=True) == {cat.key: cat}
    assert index.get([cat.key, cat.key]) == {cat.key: Vector(cat.key, cat.metadata)}
    assert index.get([]) == {}


def test_a_vector_is_replaced_as_a_whole_and_the_last_of_two_counts(index: VectorIndex) -> None:
    index.put([Vector("a", {"tags": ["old"]}, [1, 0, 0])])
    index.put([Vector("a", {"label": "x"}, [1, 0, 0]), Vector("a", {"label": "y"}, [0, 1, 0])])

    assert index.get(["a"], with_data=True) == {"a": Vector("a", {"label": "y"}, [0.0, 1.0, 0.0])}


def test_removed_vectors_are_gone_and_missing_ones_do_no_harm(index: VectorIndex) -> None:
    index.put([Vector("a", {}, [1, 0, 0]), Vector("b", {}, [1, 0, 0])])

    index.delete(["a", "missing", "a"])
    index.delete([])

    assert list(index.get(["a", "b"])) == ["b"]


def test_a_query_gives_the_nearest_first_and_no_more_than_pass_the_filter(index: VectorIndex) -> None:
    index.put([Vector(f"v/{n}", {"n": n, "odd": n % 2}, [1, n, 0]) for n in range(10)])

    everything = index.query([1, 0, 0], 100)
    some = index.query([1, 0, 0], 2, {"odd": 1})

    assert [hit.key for hit in everything] == [f"v/{n}" for n in range(10)]
    assert [(hit.key, hit.metadata) for hit in some] == [("v/1", {"n": 1, "odd": 1}), ("v/3", {"n": 3, "odd": 1})]
    assert some[0].distance == pytest.approx(1 - 1 / math.sqrt(2), abs=1e-6)


def test_all_pages_of_a_query_are_read(client: "S3VectorsClient", index: VectorIndex) -> None:
    index.put([Vector(f"{n:03}", {}, [1, n, 0]) for n in range(130)])
    sent = requests_of(client)

    assert [hit.key for hit in index.query([1, 0, 0], 120)] == [f"{n:03}" for n in range(120)]
    assert len(sent) == 3


def test_all_vectors_are_listed_with_their_metadata(index: VectorIndex) -> None:
    assert [*index.pages()] == [[]]
    vectors = [Vector(f"{n:04}", {"label": "cat"}, [1, n, 0]) for n in range(1_100)]
    index.put(vectors)

    pages = [*index.pages()]

    assert [len(page) for page in pages] == [1_000, 100]
    assert [vector for page in pages for vector in page] == [Vector(v.key, v.metadata) for v in vectors]


def test_requests_have_as_many_vectors_as_the_service_takes(client: "S3VectorsClient", index: VectorIndex) -> None:
    sent, keys = requests_of(client), [f"cat/{n}" for n in range(600)]

    index.put([Vector(key, {}, [1, 0, 0]) for key in keys])
    assert set(index.get(keys)) == set(keys)
    index.delete(keys)

    operations = [operation for operation, _ in sent]
    assert operations == ["PutVectors"] * 2 + ["GetVectors"] * 6 + ["DeleteVectors"] * 2
    assert index.get(keys) == {}


def test_requests_are_as_large_as_the_service_takes(slow_tier: None, client: "S3VectorsClient") -> None:
    """The numbers are the longest that there are, so that 20 MiB have room for 196 vectors."""
    index, sent = VectorIndex(client, new_index(client, dimension=4_096)), requests_of(client)
    longest = [-1.1754943508222875e-38] * 4_095 + [1.0]

    index.put([Vector(f"cat/{n}", {"words": ["ü" * 20]}, longest) for n in range(200)])

    assert [operation for operation, _ in sent] == ["PutVectors"] * 2
    assert max(len(body) for _, body in sent) > 20_000_000


def test_the_estimate_of_a_size_is_never_too_small() -> None:
    vector = Vector('ä"\n', {"words": ["ü\x00", "a" * 90], "n": -1.5, "yes": True}, [-1.7976931348623157e308] * 3)
    ((sent,),) = vector_index._batches([vector])
    assert len(json.dumps(sent)) <= vector_index._size(vector) < len(json.dumps(sent)) + 40


@pytest.mark.parametrize("code", sorted(BUSY))
def test_a_busy_index_is_told_apart(index: VectorIndex, code: str) -> None:
    _fail(index, ClientError({"Error": {"Code": code, "Message": ""}}, "Operation"))
    for call in (
        lambda: index.put([Vector("a", {}, [1, 0, 0])]),
        lambda: index.get(["a"]),
        lambda: index.delete(["a"]),
    ):
        with pytest.raises(IndexBusy, match=code):
            call()
    for more in (lambda: index.query([1, 0, 0], 1), lambda: [*index.pages()]):
        with pytest.raises(IndexBusy, match=code):
            more()


@pytest.mark.parametrize("error", [ReadTimeoutError(endpoint_url=""), Unavailable("too late")])
def test_an_index_out_of_reach_is_busy(index: VectorIndex, error: Exception) -> None:
    _fail(index, error)
    with pytest.raises(IndexBusy):
        index.query([1, 0, 0], 1)


def test_an_index_that_does_not_exist_is_a_failure(client: "S3VectorsClient", index: VectorIndex) -> None:
    with pytest.raises(ClientError, match="NotFoundException"):
        VectorIndex(client, f"{index._arn}-2").query([1, 0, 0], 1)


def _fail(index: VectorIndex, error: Exception) -> None:
    """Let each further request fail."""

    def fail(**_: object) -> None:
        raise error

    index._client.meta.events.register_first("before-send.s3vectors", fail)
