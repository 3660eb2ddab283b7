"""Filters of QueryVectors, each operator: compared with a plain evaluation, and what is refused."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.vectors_aws import new_index, served
from tools.local.vectors import filters
from tools.local.vectors.refused import Invalid

FIELDS = ("label", "tags", "n")
VALUES = st.sampled_from(["cat", "Cat", "", "1", "ä", 0, 1, 2, 1.0, 1.5, -1, True, False])
METADATA = st.dictionaries(st.sampled_from(FIELDS), VALUES | st.lists(VALUES, min_size=1, max_size=3))
NUMBERS = st.sampled_from([0, 1, 1.0, 1.5, -1, 3])
TESTS = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("$eq", "$ne"), VALUES),
        **dict.fromkeys(("$gt", "$gte", "$lt", "$lte"), NUMBERS),
        **dict.fromkeys(("$in", "$nin"), st.lists(VALUES, min_size=1, max_size=3)),
        "$exists": st.booleans(),
    },
).filter(bool)
ABOUT_FIELDS = st.builds(lambda name, test: {name: test}, st.sampled_from(FIELDS), VALUES | TESTS)
FILTERS = st.recursive(
    ABOUT_FIELDS,
    lambda inner: st.builds(
        lambda name, filters: {name: filters}, st.sampled_from(["$and", "$or"]), st.lists(inner, min_size=1, max_size=3)
    ),
    max_leaves=5,
)


def passes(metadata: dict[str, Any], condition: dict[str, Any]) -> bool:
    """Evaluate a filter as its description reads."""
    ((name, content),) = condition.items()
    if name == "$and":
        return all(passes(metadata, each) for each in content)
    if name == "$or":
        return any(passes(metadata, each) for each in content)
    tests = content if isinstance(content, dict) else {"$eq": content}
    return all(holds(metadata, name, test, value) for test, value in tests.items())


def holds(metadata: dict[str, Any], name: str, test: str, value: Any) -> bool:
    if test == "$exists":
        return (name in metadata) is value
    if name not in metadata:
        return False
    present = metadata[name] if isinstance(metadata[name], list) else [metadata[name]]
    values = value if test in ("$in", "$nin") else [value]
    if test in ("$eq", "$in"):
        return any(same(one, other) for one in present for other in values)
    if test in ("$ne", "$nin"):
        return not any(same(one, other) for one in present for other in values)
    numbers = [one for one in present if type(one) in (int, float)]
    return {
        "$gt": any(number > value for number in numbers),
        "$gte": any(number >= value for number in numbers),
        "$lt": any(number < value for number in numbers),
        "$lte": any(number <= value for number in numbers),
    }[test]


def same(one: Any, other: Any) -> bool:
    """Return whether two values of JSON are equal: 1 is 1.0, and true is not 1."""
    return (type(one) is bool) == (type(other) is bool) and one == other


@given(metadata=METADATA, condition=FILTERS)
@example(metadata={"n": True}, condition={"n": 1})
@example(metadata={"n": 1}, condition={"n": {"$in": [True]}})
@example(metadata={"n": 1}, condition={"n": {"$nin": [1.0, "1"]}})
@example(metadata={"tags": ["cat", "1"]}, condition={"tags": {"$ne": "cat"}})
@example(metadata={"tags": ["cat", "1"]}, condition={"tags": {"$nin": ["dog"]}})
@example(metadata={"n": [1, 3]}, condition={"n": {"$gt": 1, "$lt": 3}})
@example(metadata={"n": "2"}, condition={"n": {"$gt": 1}})
@example(metadata={}, condition={"tags": {"$ne": "cat"}})
@example(metadata={}, condition={"tags": {"$exists": False}})
@example(metadata={}, condition={"$or": [{"tags": {"$nin": ["cat"]}}, {"tags": {"$exists": False}}]})
def test_a_filter_passes_what_its_description_says(metadata: dict[str, Any], condition: dict[str, Any]) -> None:
    assert filters.parse(condition, hidden=())(metadata) == passes(metadata, condition)


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ({"label": "cat"}, ["a", "b", "c"]),
        ({"label": {"$eq": "cat"}}, ["a", "b", "c"]),
        ({"label": {"$ne": "cat"}}, ["d"]),
        ({"tags": "sun"}, ["b", "c"]),
        ({"tags": {"$in": ["sea", "grass"]}}, ["a", "b", "d"]),
        ({"tags": {"$nin": ["sea", "sun"]}}, ["a"]),
        ({"tags": {"$exists": True}}, ["a", "b", "c", "d"]),
        ({"best": {"$exists": False}}, ["b", "c", "d"]),
        ({"best": True}, ["a"]),
        ({"year": {"$gt": 2001}}, ["c", "d"]),
        ({"year": {"$gte": 2001}}, ["b", "c", "d"]),
        ({"year": {"$lt": 2001}}, ["a"]),
        ({"year": {"$lte": 2001}}, ["a", "b"]),
        ({"year": {"$gt": 2000, "$lt": 2003}}, ["b", "c"]),
        ({"$and": [{"label": "cat"}, {"tags": "sun"}]}, ["b", "c"]),
        ({"$or": [{"label": "dog"}, {"tags": "grass"}]}, ["a", "b", "d"]),
        ({"$and": [{"$or": [{"label": "dog"}, {"tags": "grass"}]}, {"year": {"$ne": 2000}}]}, ["b", "d"]),
        ({"label": "cow"}, []),
    ],
)
def test_each_operator_works_over_http(indexed: tuple[Any, str], condition: dict[str, Any], found: list[str]) -> None:
    client, arn = indexed
    answer = client.query_vectors(indexArn=arn, topK=10, queryVector={"float32": [1, 0, 0]}, filter=condition)
    assert [hit["key"] for hit in answer["vectors"]] == found


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_filter_comes_before_the_number_of_results(indexed: tuple[Any, str], count: int) -> None:
    client, arn = indexed
    ask = {"queryVector": {"float32": [0, 1, 0]}, "filter": {"label": "cat"}}
    assert len(client.query_vectors(indexArn=arn, topK=count, **ask)["vectors"]) == count


DEEP: Any = {"label": "cat"}
for _ in range(21):
    DEEP = {"$and": [DEEP]}


@pytest.mark.parametrize(
    "condition",
    [
        {},
        [],
        "cat",
        True,
        {"label": "cat", "tags": "sun"},
        {"label": {}},
        {"label": None},
        {"label": ["cat"]},
        {"label": {"$eq": None}},
        {"label": {"$eq": ["cat"]}},
        {"label": {"$like": "c*"}},
        {"label": {"eq": "cat"}},
        {"label": {"$not": {"$eq": "cat"}}},
        {"year": {"$gt": "2000"}},
        {"year": {"$lte": True}},
        {"tags": {"$in": []}},
        {"tags": {"$in": "sun"}},
        {"tags": {"$nin": [None]}},
        {"tags": {"$exists": 1}},
        {"$and": []},
        {"$or": {"label": "cat"}},
        {"$or": [{"label": "cat"}, "sun"]},
        {"$not": [{"label": "cat"}]},
        {"version": "v1"},
        {"$and": [{"label": "cat"}, {"state": {"$exists": True}}]},
        DEEP,
    ],
)
def test_what_is_no_filter_is_refused(indexed: tuple[Any, str], condition: Any) -> None:
    client, arn = indexed
    with pytest.raises(ClientError, match="ValidationException"):
        client.query_vectors(indexArn=arn, topK=10, queryVector={"float32": [1, 0, 0]}, filter=condition)


@settings(max_examples=50)
@given(
    st.recursive(
        VALUES | st.none(), lambda inner: st.lists(inner) | st.dictionaries(st.text("$aein", max_size=4), inner)
    )
)
def test_any_other_document_is_refused_in_the_same_way(document: Any) -> None:
    try:
        condition = filters.parse(document, hidden=())
    except Invalid:
        return
    assert condition({}) in (True, False)
    assert condition({"a": [1, "a"], "": True}) in (True, False)


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, str]]:
    """Provide a client and an index with four vectors, which is not changed."""
    path: Path = tmp_path_factory.mktemp("vectors") / "vectors.db"
    metadata: dict[str, dict[str, Any]] = {
        "a": {"label": "cat", "tags": ["grass"], "year": 2000, "best": True, "version": "v1"},
        "b": {"label": "cat", "tags": ["grass", "sun"], "year": 2001},
        "c": {"label": "cat", "tags": ["sun"], "year": 2002.5},
        "d": {"label": "dog", "tags": ["sea"], "year": 2003},
    }
    with served(path) as client:
        arn = new_index(client)
        vectors = [
            {"key": key, "data": {"float32": [1.0, number, 0.0]}, "metadata": metadata[key]}
            for number, key in enumerate(metadata)
        ]
        client.put_vectors(indexArn=arn, vectors=vectors)
        yield client, arn
