"""S3 Vectors of `make run`, asked by botocore: each operation that petAPI calls, and each refusal."""

import itertools
import json
import math
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from botocore.exceptions import ClientError
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.cloud import ROOT
from tests.support.vectors_aws import ACCOUNT, BUCKET, HIDDEN, INDEX, client_of, new_index, served
from tools.local.vectors import rules, service, wire
from tools.local.vectors.service import Vectors

Client = Any  # botocore's, to which tests send what its types do not allow


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with served(tmp_path / "vectors.db") as client:
        yield client


@pytest.fixture
def arn(client: Client) -> str:
    return new_index(client)


def refusal(call: Any) -> tuple[int, str, str]:
    """Return status, code and message of the error that the call raises."""
    with pytest.raises(ClientError) as raised:
        call()
    error = raised.value.response
    return error["ResponseMetadata"]["HTTPStatusCode"], error["Error"]["Code"], error["Error"]["Message"]


def put(client: Client, arn: str, *vectors: Any) -> None:
    client.put_vectors(indexArn=arn, vectors=list(vectors))


def vector(key: str, *numbers: float, **metadata: Any) -> dict[str, Any]:
    return {"key": key, "data": {"float32": list(numbers) or [1.0, 0.0, 0.0]}, "metadata": metadata}


def keys(answer: Any) -> list[str]:
    return [each["key"] for each in answer["vectors"]]


# --- buckets and indexes ---


def test_a_bucket_is_described_until_it_is_deleted(client: Client) -> None:
    arn = client.create_vector_bucket(vectorBucketName=BUCKET)["vectorBucketArn"]

    assert arn == f"{ACCOUNT}:bucket/{BUCKET}"
    for named in ({"vectorBucketName": BUCKET}, {"vectorBucketArn": arn}):
        bucket = client.get_vector_bucket(**named)["vectorBucket"]
        assert (bucket["vectorBucketName"], bucket["vectorBucketArn"]) == (BUCKET, arn)
    client.delete_vector_bucket(vectorBucketArn=arn)
    for call in (client.get_vector_bucket, client.delete_vector_bucket):
        assert refusal(lambda call=call: call(vectorBucketName=BUCKET))[:2] == (404, "NotFoundException")


def test_an_index_is_described_until_it_is_deleted(client: Client) -> None:
    arn = new_index(client, dimension=1_024, metric="euclidean", name="titan-1024-1")

    for named in ({"vectorBucketName": BUCKET, "indexName": "titan-1024-1"}, {"indexArn": arn}):
        index = client.get_index(**named)["index"]
        assert (index["indexArn"], index["dimension"], index["distanceMetric"]) == (arn, 1_024, "euclidean")
        assert index["metadataConfiguration"] == {"nonFilterableMetadataKeys": HIDDEN}
    client.delete_index(indexArn=arn)
    for call in (client.get_index, client.delete_index):
        assert refusal(lambda call=call: call(indexArn=arn))[:2] == (404, "NotFoundException")
    client.delete_vector_bucket(vectorBucketName=BUCKET)


def test_an_index_may_name_its_bucket_by_its_arn(client: Client) -> None:
    bucket = client.create_vector_bucket(vectorBucketName=BUCKET)["vectorBucketArn"]
    given = {"indexName": INDEX, "dataType": "float32", "dimension": 1, "distanceMetric": "cosine"}
    arn = client.create_index(vectorBucketArn=bucket, **given)["indexArn"]
    assert arn == f"{bucket}/index/{INDEX}"
    assert "metadataConfiguration" not in client.get_index(indexArn=arn)["index"]


def test_what_exists_is_not_made_again(client: Client, arn: str) -> None:
    put(client, arn, vector("a"))
    assert refusal(lambda: client.create_vector_bucket(vectorBucketName=BUCKET))[:2] == (409, "ConflictException")
    again = {"indexName": INDEX, "dataType": "float32", "dimension": 3, "distanceMetric": "cosine"}
    assert refusal(lambda: client.create_index(vectorBucketName=BUCKET, **again))[:2] == (409, "ConflictException")
    assert keys(client.list_vectors(indexArn=arn)) == ["a"]


def test_a_bucket_with_an_index_stays(client: Client, arn: str) -> None:
    assert refusal(lambda: client.delete_vector_bucket(vectorBucketName=BUCKET))[:2] == (409, "ConflictException")
    assert client.get_index(indexArn=arn)


def test_a_deleted_index_leaves_nothing_to_the_next_of_its_name(client: Client, arn: str) -> None:
    put(client, arn, vector("a"))
    assert keys(client.query_vectors(indexArn=arn, topK=5, queryVector={"float32": [1, 0, 0]})) == ["a"]
    client.delete_index(indexArn=arn)
    again = {"indexName": INDEX, "dataType": "float32", "dimension": 2, "distanceMetric": "cosine"}
    client.create_index(vectorBucketName=BUCKET, **again)

    assert keys(client.query_vectors(indexArn=arn, topK=5, queryVector={"float32": [1, 0]})) == []
    assert keys(client.list_vectors(indexArn=arn)) == []


def test_indexes_do_not_share_vectors(client: Client, arn: str) -> None:
    other = new_index(client, name="test-3-2", bucket="other")
    put(client, arn, vector("a"))
    put(client, other, vector("b"))

    assert keys(client.list_vectors(indexArn=arn)) == ["a"]
    assert keys(client.query_vectors(indexArn=other, topK=5, queryVector={"float32": [1, 0, 0]})) == ["b"]


@pytest.mark.parametrize("name", ["Pets", "ab x", "-pets", "pets-", "pets_2", "pe.ts", "a" * 64])
def test_a_name_of_a_bucket_keeps_the_rules(client: Client, name: str) -> None:
    status, code, message = refusal(lambda: client.create_vector_bucket(vectorBucketName=name))
    assert (status, code) == (400, "ValidationException")
    assert "vectorBucketName has 3 to 63" in message


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"indexName": "Test"}, "indexName has 3 to 63"),
        ({"dataType": "float64"}, "dataType is float32"),
        ({"dimension": 0}, "dimension is a whole number from 1 to 4096"),
        ({"dimension": 4_097}, "dimension is a whole number from 1 to 4096"),
        ({"distanceMetric": "dot"}, "distanceMetric is one of cosine, euclidean"),
        ({"metadataConfiguration": {"nonFilterableMetadataKeys": []}}, "a list of 1 to 10"),
        ({"metadataConfiguration": {"nonFilterableMetadataKeys": [f"k{n}" for n in range(11)]}}, "a list of 1 to 10"),
        ({"metadataConfiguration": {"nonFilterableMetadataKeys": ["k" * 64]}}, "has 1 to 63 characters"),
        ({"metadataConfiguration": {"nonFilterableMetadataKeys": ["k", "k"]}}, "named twice"),
    ],
)
def test_an_index_keeps_the_rules(client: Client, wrong: dict[str, Any], said: str) -> None:
    client.create_vector_bucket(vectorBucketName=BUCKET)
    right = {"indexName": INDEX, "dataType": "float32", "dimension": 3, "distanceMetric": "cosine"}
    status, code, message = _unchecked(client, "CreateIndex", {"vectorBucketName": BUCKET, **right, **wrong})
    assert (status, code) == (400, "ValidationException")
    assert said in message


def test_an_index_needs_its_bucket(client: Client) -> None:
    given = {"indexName": INDEX, "dataType": "float32", "dimension": 3, "distanceMetric": "cosine"}
    assert refusal(lambda: client.create_index(vectorBucketName="other", **given))[:2] == (404, "NotFoundException")


@pytest.mark.parametrize(
    "named",
    [
        {},
        {"indexName": INDEX},
        {"vectorBucketName": BUCKET},
        {"indexArn": f"{ACCOUNT}:bucket/{BUCKET}/index/{INDEX}", "indexName": INDEX},
        {"indexArn": f"{ACCOUNT}:bucket/{BUCKET}"},
        {"vectorBucketName": f"{BUCKET}/index/{INDEX}", "indexName": "x/y"},
        {"indexArn": f"{ACCOUNT}:bucket/{BUCKET}/index/\ud800\ud800\ud800"},
    ],
)
def test_an_index_is_named_in_one_way(client: Client, arn: str, named: dict[str, str]) -> None:
    assert _unchecked(client, "GetIndex", named)[:2] == (400, "ValidationException")


@pytest.mark.parametrize(
    "other", ["arn:aws:s3vectors:eu-west-1:000000000000", "arn:aws:s3vectors:us-east-1:111111111111"]
)
def test_other_regions_and_accounts_have_nothing(client: Client, arn: str, other: str) -> None:
    assert refusal(lambda: client.get_index(indexArn=arn.replace(ACCOUNT, other)))[:2] == (404, "NotFoundException")


# --- vectors ---


def test_numbers_come_back_as_float32(client: Client, arn: str) -> None:
    put(client, arn, vector("a", 0.1, -1e-40, 3.4e38))
    ((found,),) = (client.get_vectors(indexArn=arn, keys=["a"], returnData=True)["vectors"],)
    assert found["data"]["float32"] == [float(np.float32(number)) for number in (0.1, -1e-40, 3.4e38)]
    assert "metadata" not in found


def test_only_what_is_asked_for_is_returned(client: Client, arn: str) -> None:
    put(client, arn, vector("a", n=1))
    ask = {"indexArn": arn, "topK": 1, "queryVector": {"float32": [1, 0, 0]}}
    assert client.get_vectors(indexArn=arn, keys=["a"])["vectors"] == [{"key": "a"}]
    assert client.list_vectors(indexArn=arn)["vectors"] == [{"key": "a"}]
    assert client.query_vectors(**ask)["vectors"] == [{"key": "a"}]
    assert client.query_vectors(**ask)["distanceMetric"] == "cosine"
    everything = client.query_vectors(**ask, returnDistance=True, returnMetadata=True)["vectors"]
    assert everything == [{"key": "a", "distance": 0.0, "metadata": {"n": 1}}]


def test_a_request_is_carried_out_as_a_whole_or_not_at_all(client: Client, arn: str) -> None:
    wrong = vector("b", 1.0)
    assert refusal(lambda: put(client, arn, vector("a"), wrong))[:2] == (400, "ValidationException")
    assert keys(client.list_vectors(indexArn=arn)) == []


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ([1.0, 2.0], "the index's 3 numbers"),
        ([1.0] * 4, "the index's 3 numbers"),
        ([0.0, 0.0, 0.0], "zero"),
        ([-0.0, 1e-60, 0.0], "zero"),
        ([1.0, math.nan, 0.0], "not finite"),
        ([1.0, math.inf, 0.0], "not finite"),
        ([1.0, -1e39, 0.0], "not finite"),
        ([1.0, 10**400, 0.0], "not finite"),
        ([1.0, "2", 0.0], "numbers only"),
        ([1.0, True, 0.0], "numbers only"),
        ([1.0, None, 0.0], "numbers only"),
        ([1.0, [2.0], 0.0], "numbers only"),
    ],
)
def test_vectors_keep_the_rules(client: Client, arn: str, numbers: list[Any], said: str) -> None:
    stored = {"indexArn": arn, "vectors": [{"key": "a", "data": {"float32": numbers}}]}
    asked = {"indexArn": arn, "topK": 1, "queryVector": {"float32": numbers}}
    for operation, request in (("PutVectors", stored), ("QueryVectors", asked)):
        status, code, message = _unchecked(client, operation, request)
        assert (status, code) == (400, "ValidationException")
        assert said in message


def test_a_zero_vector_has_a_place_but_no_direction(client: Client) -> None:
    arn = new_index(client, metric="euclidean")
    put(client, arn, vector("zero", 0.0, 0.0, 0.0), vector("far", 3.0, 4.0, 0.0))
    ask = {"indexArn": arn, "topK": 2, "queryVector": {"float32": [0.0, 0.0, 0.0]}, "returnDistance": True}
    assert client.query_vectors(**ask)["vectors"] == [{"key": "zero", "distance": 0.0}, {"key": "far", "distance": 5.0}]


@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        ("PutVectors", {"vectors": []}),
        ("PutVectors", {"vectors": [vector(f"{n}") for n in range(501)]}),
        ("PutVectors", {"vectors": [vector("a"), vector("a")]}),
        ("PutVectors", {"vectors": [vector("")]}),
        ("PutVectors", {"vectors": [vector("k" * 1_025)]}),
        ("PutVectors", {"vectors": [vector("\ud800")]}),
        ("PutVectors", {"vectors": [{"key": "a"}]}),
        ("PutVectors", {"vectors": [{"key": "a", "data": {"float64": [1, 0, 0]}}]}),
        ("PutVectors", {"vectors": [{**vector("a"), "more": 1}]}),
        ("PutVectors", {"vectors": "a"}),
        ("GetVectors", {"keys": []}),
        ("GetVectors", {"keys": [f"{n}" for n in range(101)]}),
        ("GetVectors", {"keys": [1]}),
        ("GetVectors", {"keys": ["a"], "returnData": "yes"}),
        ("DeleteVectors", {"keys": []}),
        ("DeleteVectors", {"keys": [f"{n}" for n in range(501)]}),
        ("ListVectors", {"maxResults": 0}),
        ("ListVectors", {"maxResults": 1_001}),
        ("QueryVectors", {"topK": 0, "queryVector": {"float32": [1, 0, 0]}}),
        ("QueryVectors", {"topK": 10_001, "queryVector": {"float32": [1, 0, 0]}}),
        ("QueryVectors", {"topK": True, "queryVector": {"float32": [1, 0, 0]}}),
        ("QueryVectors", {"topK": 1}),
        ("QueryVectors", {"topK": 1, "queryVector": {"float32": [1, 0, 0]}, "nextToken": "of another"}),
    ],
)
def test_requests_keep_the_limits(client: Client, arn: str, operation: str, request_: dict[str, Any]) -> None:
    put(client, arn, vector("a"))
    assert _unchecked(client, operation, {"indexArn": arn, **request_})[:2] == (400, "ValidationException")
    assert keys(client.list_vectors(indexArn=arn)) == ["a"]


def test_the_limits_themselves_are_allowed(client: Client, arn: str) -> None:
    longest = "k" * 1_024
    put(client, arn, vector(longest), *(vector(f"{n}") for n in range(499)))
    assert len(client.get_vectors(indexArn=arn, keys=[f"{n}" for n in range(100)])["vectors"]) == 100
    assert len(client.list_vectors(indexArn=arn, maxResults=1_000)["vectors"]) == 500
    client.query_vectors(indexArn=arn, topK=10_000, queryVector={"float32": [1, 0, 0]})
    client.delete_vectors(indexArn=arn, keys=[longest, *(f"{n}" for n in range(499))])
    assert keys(client.list_vectors(indexArn=arn)) == []


# --- metadata ---


@pytest.mark.parametrize(
    "metadata",
    [
        {"a": None},
        {"a": []},
        {"a": [None]},
        {"a": [["b"]]},
        {"a": {"b": 1}},
        {"a": math.nan},
        {"a": [math.inf]},
        {"a": "\ud800"},
        {"": "a"},
        {"k" * 64: "a"},
        {"\ud800": "a"},
        {f"k{n}": n for n in range(51)},
        {"words": "a" * 2_100},
        {"words": "ü" * 1_030},
        {"version": "a" * 41_000},
        ["a"],
        "a",
    ],
)
def test_metadata_keep_the_rules(client: Client, arn: str, metadata: Any) -> None:
    status, code, message = _unchecked(
        client, "PutVectors", {"indexArn": arn, "vectors": [{**vector("cat/a"), "metadata": metadata}]}
    )
    assert (status, code) == (400, "ValidationException")
    assert message.startswith("Invalid record for key 'cat/a': ")


def test_metadata_come_back_as_they_were(client: Client, arn: str) -> None:
    metadata = {"s": "ä\n", "n": 1, "f": 1.5, "yes": True, "list": ["a", 1, False], "version": "v" * 40_000}
    put(client, arn, vector("a", **metadata), vector("b", words="ü" * 1_017))
    found = client.get_vectors(indexArn=arn, keys=["a"], returnMetadata=True)["vectors"]
    assert found == [{"key": "a", "metadata": metadata}]


# --- pages ---


def test_lists_have_pages_in_the_order_of_the_keys(client: Client, arn: str) -> None:
    put(client, arn, *(vector(f"{n:02}") for n in range(25)))
    pages = list(client.get_paginator("list_vectors").paginate(indexArn=arn, maxResults=10))
    assert [keys(page) for page in pages] == [
        [f"{n:02}" for n in part] for part in (range(10), range(10, 20), range(20, 25))
    ]


def test_a_page_of_a_list_ends_after_a_megabyte(client: Client) -> None:
    arn = new_index(client, dimension=4_096)
    put(client, arn, *({"key": f"{n}", "data": {"float32": [1 / 3] * 4_096}} for n in range(30)))
    pages = list(client.get_paginator("list_vectors").paginate(indexArn=arn, returnData=True))
    assert len(pages) > 1
    assert [key for page in pages for key in keys(page)] == sorted(f"{n}" for n in range(30))


def test_a_list_goes_on_where_it_was_while_vectors_come_and_go(client: Client, arn: str) -> None:
    put(client, arn, *(vector(f"{n}") for n in range(6)))
    first = client.list_vectors(indexArn=arn, maxResults=3)
    client.delete_vectors(indexArn=arn, keys=["0", "2", "4"])
    put(client, arn, vector("1a"), vector("9"))
    assert keys(client.list_vectors(indexArn=arn, nextToken=first["nextToken"])) == ["3", "5", "9"]


def test_a_query_keeps_its_result_for_its_pages(client: Client, arn: str) -> None:
    put(client, arn, *(vector(f"{n:03}", 1.0, n, 0.0) for n in range(120)))
    ask = {"indexArn": arn, "topK": 110, "queryVector": {"float32": [1.0, 0.0, 0.0]}}
    first = client.query_vectors(**ask)
    put(client, arn, vector("nearer", 1.0, 0.0, 0.0))
    client.delete_vectors(indexArn=arn, keys=["060"])

    second = client.query_vectors(**ask, nextToken=first["nextToken"])
    again = client.query_vectors(**ask, nextToken=first["nextToken"])
    third = client.query_vectors(**ask, nextToken=second["nextToken"])

    assert keys(second) == keys(again)
    assert keys(first) + keys(second) + keys(third) == [f"{n:03}" for n in range(110)]
    assert "nextToken" not in third
    other = {**ask, "topK": 109, "nextToken": first["nextToken"]}
    assert refusal(lambda: client.query_vectors(**other))[1] == "ValidationException"


def test_a_page_that_nobody_asked_for_is_forgotten(client: Client, arn: str) -> None:
    put(client, arn, *(vector(f"{n:03}", 1.0, n, 0.0) for n in range(60)))
    ask = {"indexArn": arn, "topK": 60, "queryVector": {"float32": [1.0, 0.0, 0.0]}}
    tokens = [client.query_vectors(**ask)["nextToken"] for _ in range(101)]
    assert refusal(lambda: client.query_vectors(**ask, nextToken=tokens[0]))[1] == "ValidationException"
    assert len(keys(client.query_vectors(**ask, nextToken=tokens[1]))) == 10


# --- nearest ---


NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def one_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vectors]:
    """Provide a service with a bucket, for all examples of a property."""
    vectors = Vectors(tmp_path_factory.mktemp("vectors") / "vectors.db", ACCOUNT)
    vectors.answer("CreateVectorBucket", {"vectorBucketName": BUCKET})
    yield vectors
    vectors.close()


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[str, list[float] | None]]:
    """Return keys with the vectors that they get, None if they are deleted, in order."""
    numbers = st.lists(st.integers(-3, 3).map(float), min_size=2, max_size=2).filter(any)
    return draw(st.lists(st.tuples(st.sampled_from("abcdef"), st.none() | numbers), max_size=30))


@settings(max_examples=25)
@given(history=histories(), query=st.tuples(st.integers(1, 3), st.integers(-3, 3)), k=st.integers(1, 7))
@pytest.mark.parametrize("metric", rules.METRICS)
def test_the_nearest_are_exact_after_any_history(
    one_service: Vectors, metric: str, history: list[tuple[str, list[float] | None]], query: tuple[int, int], k: int
) -> None:
    """The index is loaded before the first change, so that its memory follows, and once more from the file."""
    vectors, present = one_service, dict[str, list[float]]()
    new = {"indexName": f"index-{next(NUMBERS)}", "dataType": "float32", "dimension": 2, "distanceMetric": metric}
    index = {"indexArn": vectors.answer("CreateIndex", {"vectorBucketName": BUCKET, **new})["indexArn"]}
    ask = {**index, "topK": k, "returnDistance": True, "queryVector": {"float32": list(query)}}
    vectors.answer("QueryVectors", ask)
    for key, numbers in history:
        if numbers is None:
            vectors.answer("DeleteVectors", {**index, "keys": [key]})
            present.pop(key, None)
        else:
            vectors.answer("PutVectors", {**index, "vectors": [vector(key, *numbers)]})
            present[key] = numbers
    followed = vectors.answer("QueryVectors", ask)["vectors"]
    vectors._loaded.clear()
    loaded = vectors.answer("QueryVectors", ask)["vectors"]

    def distance(numbers: list[float]) -> float:
        if metric == "euclidean":
            return math.dist(numbers, query)
        return 1 - sum(a * b for a, b in zip(numbers, query, strict=True)) / math.hypot(*numbers) / math.hypot(*query)

    expected = sorted(distance(numbers) for numbers in present.values())[:k]
    assert [hit["distance"] for hit in followed] == pytest.approx(expected, abs=1e-6)
    assert [distance(present[hit["key"]]) for hit in followed] == pytest.approx(expected, abs=1e-6)
    assert len({hit["key"] for hit in followed}) == len(followed)
    assert keys({"vectors": followed}) == keys({"vectors": loaded})


def test_equally_near_vectors_come_in_the_order_of_their_keys(client: Client, arn: str) -> None:
    put(client, arn, *(vector(key) for key in "dbca"))
    client.query_vectors(indexArn=arn, topK=1, queryVector={"float32": [1, 0, 0]})
    client.delete_vectors(indexArn=arn, keys=["b"])
    put(client, arn, vector("b"))
    assert keys(client.query_vectors(indexArn=arn, topK=3, queryVector={"float32": [2, 0, 0]})) == ["a", "b", "c"]


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_the_cosine_does_not_depend_on_the_length(client: Client, arn: str, scale: float) -> None:
    put(client, arn, vector("a", scale, 0.0, 0.0), vector("b", scale, scale, 0.0))
    ask = {"indexArn": arn, "topK": 2, "returnDistance": True, "queryVector": {"float32": [scale, 0.0, 0.0]}}
    distances = [hit["distance"] for hit in client.query_vectors(**ask)["vectors"]]
    assert distances == pytest.approx([0, 1 - math.sqrt(0.5)], abs=1e-6)


# --- other requests ---


@pytest.mark.parametrize("operation", ["ListIndexes", "ListVectorBuckets", "PutVectorBucketPolicy", "UpdateIndexMode"])
def test_other_operations_are_refused_and_the_answer_names_those_that_are_served(
    client: Client, operation: str
) -> None:
    status, code, message = _unchecked(client, operation, {})
    assert (status, code) == (501, "NotImplemented")
    assert all(name in message for name in service.OPERATIONS)


@pytest.mark.parametrize(
    ("operation", "request_", "member"),
    [
        ("ListVectors", {"segmentCount": 2, "segmentIndex": 0}, "segmentCount"),
        ("QueryVectors", {"topK": 1, "queryVector": {"float32": [1, 0, 0]}, "queryMode": "CLASSIC"}, "queryMode"),
        ("GetVectors", {"keys": ["a"], "unheardOf": 1}, "unheardOf"),
    ],
)
def test_choices_that_are_not_served_are_refused(
    client: Client, arn: str, operation: str, request_: dict[str, Any], member: str
) -> None:
    status, code, message = _unchecked(client, operation, {"indexArn": arn, **request_})
    assert (status, code) == (501, "NotImplemented")
    assert member in message


@pytest.mark.parametrize("choice", [{"tags": {"a": "b"}}, {"encryptionConfiguration": {"sseType": "aws:kms"}}])
def test_tags_and_own_keys_are_refused(client: Client, choice: dict[str, Any]) -> None:
    assert refusal(lambda: client.create_vector_bucket(vectorBucketName=BUCKET, **choice))[1] == "NotImplemented"
    client.create_vector_bucket(vectorBucketName=BUCKET, encryptionConfiguration={"sseType": "AES256"})


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"1", b"[" * 100_000, b"{" + b" " * rules.BODY_MAX + b"}"])
def test_a_body_that_is_no_request_is_refused(tmp_path: Path, body: bytes) -> None:
    status, headers, content = wire.answer(Vectors(tmp_path / "vectors.db", ACCOUNT), "POST", "/GetVectors", body)
    assert (status, headers["x-amzn-errortype"]) == (400, "ValidationException")
    assert json.loads(content)["message"]


def test_another_method_is_refused(tmp_path: Path) -> None:
    assert wire.answer(Vectors(tmp_path / "vectors.db", ACCOUNT), "GET", "/GetVectors", b"{}")[0] == 501
    assert not list(tmp_path.iterdir())


MEMBERS = [
    *("indexArn", "keys", "vectors", "key", "data", "float32", "metadata", "filter", "topK", "queryVector"),
    *("maxResults", "nextToken", "$and", "$eq", "indexName", "dimension"),
]
TEXTS = st.text(st.characters(exclude_categories=()), max_size=3)  # also halves of characters, as JSON has them
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(MEMBERS) | TEXTS, inner, max_size=4),
)


@settings(max_examples=25)
@given(document=DOCUMENTS)
@pytest.mark.parametrize("operation", service.OPERATIONS)
def test_no_request_is_an_error_of_the_service(one_service: Vectors, operation: str, document: Any) -> None:
    given = document if isinstance(document, dict) else dict.fromkeys(("vectors", "keys", "queryVector"), document)
    members = {name: value for name, value in given.items() if name in service.OPERATIONS[operation][0]}
    body = json.dumps({"indexArn": f"{ACCOUNT}:bucket/{BUCKET}/index/{INDEX}", **members}).encode()
    assert wire.answer(one_service, "POST", f"/{operation}", body)[0] in (400, 404, 409, 501)


@settings(max_examples=25)
@given(document=DOCUMENTS)
@example(document={"\ud800": "a"})
@pytest.mark.parametrize("member", ["key", "float32", "metadata", "filter", "nextToken", "queryVector"])
def test_no_part_of_a_request_is_an_error_of_the_service(tmp_index: Vectors, member: str, document: Any) -> None:
    """All else in these requests is right."""
    index = {"indexArn": f"{ACCOUNT}:bucket/{BUCKET}/index/{INDEX}"}
    one = {"key": "a", "data": {"float32": [1, 0, 0]}, "metadata": {}}
    put = one | {member: document} if member != "float32" else one | {"data": {member: document}}
    query = {"topK": 1, "queryVector": {"float32": [1, 0, 0]}, member: document}
    listing = {"nextToken": document, "maxResults": 1}
    for operation, request in {"PutVectors": {"vectors": [put]}, "QueryVectors": query, "ListVectors": listing}.items():
        body = json.dumps({**index, **request}).encode()
        assert wire.answer(tmp_index, "POST", f"/{operation}", body)[0] in (200, 400, 501)


@pytest.fixture(scope="module")
def tmp_index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vectors]:
    """Provide a service with an index that examples may write to."""
    vectors = Vectors(tmp_path_factory.mktemp("vectors") / "vectors.db", ACCOUNT)
    new_index(client_of(vectors))
    yield vectors
    vectors.close()


# --- the disk ---


def test_what_was_answered_is_in_the_file(tmp_path: Path) -> None:
    """The service is not closed: its process has no moment to write more when it is killed."""
    first = client_of(Vectors(tmp_path / "vectors.db", ACCOUNT))
    arn = new_index(first)
    put(first, arn, vector("a", 0.25, 0.5, 1.0, label="cat"), vector("b"))
    first.delete_vectors(indexArn=arn, keys=["b"])
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in tmp_path.glob("vectors.db*"):
        (copy / path.name).write_bytes(path.read_bytes())

    with served(copy / "vectors.db") as again:
        found = again.list_vectors(indexArn=arn, returnData=True, returnMetadata=True)["vectors"]
    assert found == [{"key": "a", "data": {"float32": [0.25, 0.5, 1.0]}, "metadata": {"label": "cat"}}]


def test_each_change_waits_for_the_disk(tmp_path: Path) -> None:
    vectors = Vectors(tmp_path / "vectors.db", ACCOUNT)
    assert vectors._database._sql.execute("PRAGMA synchronous").fetchone() == (2,)
    assert vectors._database._sql.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    vectors.close()


def test_a_full_disk_refuses_the_change_and_the_next_one_works(tmp_path: Path) -> None:
    vectors = Vectors(tmp_path / "vectors.db", ACCOUNT)
    client = client_of(vectors)
    arn = new_index(client)
    client.query_vectors(indexArn=arn, topK=1, queryVector={"float32": [1, 0, 0]})
    (pages,) = vectors._database._sql.execute("PRAGMA page_count").fetchone()
    vectors._database._sql.execute(f"PRAGMA max_page_count = {pages}")

    many = [vector(f"{n}", words=["a" * 1_900]) for n in range(100)]
    assert refusal(lambda: put(client, arn, *many))[:2] == (503, "ServiceUnavailableException")
    assert keys(client.query_vectors(indexArn=arn, topK=1, queryVector={"float32": [1, 0, 0]})) == []

    vectors._database._sql.execute("PRAGMA max_page_count = 100000")
    put(client, arn, *many)
    assert len(keys(client.list_vectors(indexArn=arn))) == 100
    vectors.close()


def _overwrite(path: Path) -> None:
    path.write_bytes(b"no database " * 1_000)


def _overwrite_a_page(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4_096 : 3 * 4_096] = bytes(2 * 4_096)
    path.write_bytes(content)


def _be_of_a_later_version(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        file.execute("PRAGMA user_version = 99")


@pytest.mark.parametrize("damage", [_overwrite, _overwrite_a_page, _be_of_a_later_version])
def test_a_file_that_cannot_be_used_is_set_aside(tmp_path: Path, damage: Any) -> None:
    path = tmp_path / "vectors.db"
    with served(path) as client:
        put(client, new_index(client), vector("a"))
    damage(path)
    before = path.read_bytes()

    with served(path) as client:
        assert keys(client.list_vectors(indexArn=new_index(client))) == []

    assert (tmp_path / "damaged-vectors.db").read_bytes() == before


def test_nothing_is_written_until_somebody_asks(tmp_path: Path) -> None:
    vectors = Vectors(tmp_path / "vectors.db", ACCOUNT)
    vectors.close()
    assert not list(tmp_path.iterdir())


def test_numpy_is_imported_for_the_first_vector_and_not_for_the_start() -> None:
    """It takes a tenth of a second and 13 MB."""
    code = "import sys, tools.local.service, tools.local.vectors.installation; print('numpy' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True) == "False\n"


def _unchecked(client: Client, operation: str, request: dict[str, Any]) -> tuple[int, str, str]:
    """Send a request that botocore's own checks would not let through. Return status, code and message of the error."""

    def replace(params: dict[str, Any], **_: object) -> None:
        params["body"] = json.dumps(request).encode()
        params["url"] = params["url"].replace("ListVectorBuckets", operation)

    client.meta.events.register_last("before-call.s3vectors", replace, unique_id="unchecked")
    try:
        return refusal(client.list_vector_buckets)
    finally:
        client.meta.events.unregister("before-call.s3vectors", unique_id="unchecked")
