"""Pages: what they request of DynamoDB, at the same cost each.  Cursors: any other text is 400."""

import re
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared import aws
from shared.api import paging
from shared.api.endpoint import Request
from shared.errors import BadRequest, UnprocessableValue
from shared.labels import catalogue
from shared.labels.catalogue import Catalogue
from shared.settings import read_settings
from tests.support.hosts import Api, Handlers, json_of
from tests.support.memory_aws import DynamoDB, World
from tests.support.memory_label import stored
from tests.support.pictures import tiny
from tests.support.rows import image, put_rows
from tests.support.simulation import LABEL, SETTINGS

SELECTIONS = (
    catalogue.of_label("cat"),
    catalogue.with_tag("cat", "x"),
    catalogue.with_filename("cat", "f"),
    catalogue.of_owner("cat", "bob"),
)


@pytest.fixture
def calls(moto_aws: None) -> list[tuple[str, Any]]:
    """Record the operation and the parameters of each call to DynamoDB."""
    made: list[tuple[str, Any]] = []
    events = aws.dynamodb().meta.events
    events.register("provide-client-params.dynamodb", lambda params, model, **_: made.append((model.name, params)))
    return made


@pytest.fixture
def cats(calls: list[Any]) -> Api:
    """Store 300 images with a tag, a file name and an owner in each of two labels."""
    for label in ("cat", "dog"):
        api = Api(Handlers(), label)
        put_rows(api, [image(label, n, filename=f"f{n}", owner="bob") for n in range(300)], "x")
    calls.clear()
    return Api(Handlers(), "cat")


@pytest.mark.parametrize("selection", SELECTIONS, ids=lambda selection: selection.index or str(selection.values))
def test_a_page_costs_the_same_wherever_it_is(
    cats: Api, calls: list[tuple[str, Any]], selection: catalogue.Selection
) -> None:
    rows = Catalogue(aws.dynamodb(), read_settings())
    seen: list[str] = []
    after: tuple[str, ...] = ()
    for number in range(10):
        page = rows.images("cat", selection, 30, after)
        seen += [each.id for each in page.entries]
        after = page.last
        assert bool(after) == (number < 9)
    assert sorted(seen) == sorted(image("cat", n).id for n in range(300))
    asked = [params for name, params in calls if name == "Query"]
    assert [params["Limit"] for params in asked] == [31] * 10
    batches = [params["RequestItems"]["ImageChunksTable"]["Keys"] for name, params in calls if name == "BatchGetItem"]
    assert [len(keys) for keys in batches] == ([] if selection == catalogue.of_label("cat") else [30] * 10)
    assert len(calls) == len(asked) + len(batches)


def test_reads_are_consistent_if_requested_and_possible(cats: Api, calls: list[tuple[str, Any]]) -> None:
    rows = Catalogue(aws.dynamodb(), replace(read_settings(), consistent_reads=True))
    for selection in SELECTIONS:
        assert len(rows.images("cat", selection, 3).entries) == 3
    consistent = [params["ConsistentRead"] for name, params in calls if name == "Query"]
    assert consistent == [True, True, False, False]  # a read of an index cannot be consistent


def test_a_page_of_labels_reads_only_the_lanes_of_its_labels(calls: list[tuple[str, Any]]) -> None:
    api = Api(Handlers(), "cat")
    for number in range(6):
        api.upload(tiny(1), label=f"label-{number}")
    calls.clear()
    assert len(json_of(api.get("/labels?limit=2"))["labels"]) == 2
    assert [name for name, _ in calls] == ["Query"] * 3
    assert [params.get("Limit") for _, params in calls] == [3, None, None]


def test_only_the_first_image_of_a_label_adds_it_to_the_list(calls: list[tuple[str, Any]]) -> None:
    api = Api(Handlers(), "cat")
    for seed in range(8):
        api.upload(tiny(seed))
    writes = [len(params["TransactItems"]) for name, params in calls if name == "TransactWriteItems"]
    assert writes == [4, *[3] * 7]


@pytest.mark.parametrize("selection", SELECTIONS, ids=lambda selection: selection.index or str(selection.values))
def test_a_page_that_dynamodb_ends_early_is_completed(
    cats: Api, selection: catalogue.Selection, monkeypatch: pytest.MonkeyPatch
) -> None:
    client: Any = aws.dynamodb()
    rows = Catalogue(client, read_settings())
    expected = [rows.images("cat", selection, 100)]
    expected.append(rows.images("cat", selection, 100, expected[0].last))
    whole, limits = client.query, []

    def ended_early(*, Limit: int, **request: Any) -> Any:
        limits.append(Limit)
        return whole(Limit=min(Limit, 40), **request)

    monkeypatch.setattr(client, "query", ended_early)
    first = rows.images("cat", selection, 100)
    assert [first, rows.images("cat", selection, 100, first.last)] == expected
    assert limits == [101, 61, 21] * 2


def test_an_empty_page_is_not_taken_for_the_last_one(world: World) -> None:
    stored(world, [500_000_000] * 9)
    rows = Catalogue(DynamoDB(world), SETTINGS)  # type: ignore[arg-type]
    whole = rows.images(LABEL, catalogue.of_label(LABEL), 5)
    world.page_sizes = [0, 2, 0, 0, 1]
    assert rows.images(LABEL, catalogue.of_label(LABEL), 5) == whole
    assert (len(whole.entries), len(whole.last)) == (5, 1)
    world.page_sizes = [4, 0]
    rest = rows.images(LABEL, catalogue.of_label(LABEL), 5, whole.last)
    assert [each.name for each in (*whole.entries, *rest.entries)] == [f"{n:032x}.png" for n in range(9)]
    assert (rest.last, world.page_sizes) == ((), [])


def test_throttled_rows_are_requested_again(cats: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    client: Any = aws.dynamodb()
    whole, sizes = client.batch_get_item, []

    def throttled(*, RequestItems: Any) -> Any:
        ((table, request),) = RequestItems.items()
        sizes.append(len(request["Keys"]))
        answer = whole(RequestItems={table: {**request, "Keys": request["Keys"][:4]}})
        rest = request["Keys"][4:]
        return {**answer, "UnprocessedKeys": {table: {**request, "Keys": rest}} if rest else {}}

    monkeypatch.setattr(client, "batch_get_item", throttled)
    page = Catalogue(client, read_settings()).images("cat", catalogue.with_tag("cat", "x"), 10)
    assert [each.name for each in page.entries] == [image("cat", n).name for n in range(10)]
    assert sizes == [10, 6, 2]


# --- cursors ---


def asking(**query: str) -> Request:
    return Request("GET", "/images", {}, query, {}, b"", "", "", {})


PLACES = st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n")), min_size=1, max_size=3)


@given(st.text(), PLACES)
def test_a_cursor_is_decoded_to_what_was_encoded(query: str, place: list[str]) -> None:
    query = query.encode("utf-8", "replace").decode()
    if sum(map(len, place)) < 300:
        assert paging.decode_cursor(query, paging.encode_cursor(query, tuple(place))) == tuple(place)


@given(st.text() | st.from_regex(paging.CURSOR, fullmatch=True))
@example("AAAAAAAA=")
@example("A" * 100_000)
@example("\ud800")
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="take it from the previous page"):
        paging.decode_cursor("images?label=cat", text)


FORGED = {
    "": False,
    "\n": False,
    "a_b": False,
    "#labels": False,
    "0" * 32 + ".gif": False,
    "0" * 32 + ".png": True,
    "f\n" + "0" * 32 + ".png": False,
    "0" * 32 + ".png\n" + "0" * 32 + ".png": False,
}
FORGED_NAMES = {
    "0" * 32 + ".png": False,
    "\n" + "0" * 32 + ".png": False,
    "g\n" + "0" * 32 + ".png": False,
    "f\r\n" + "0" * 32 + ".png": False,
    "f" * 256 + "\n" + "0" * 32 + ".png": False,
    "f\nf\n" + "0" * 32 + ".png": False,
    "f" * 255 + "\n" + "0" * 32 + ".png": True,
}


@pytest.mark.parametrize(
    ("selection", "place", "possible"),
    [
        *((catalogue.of_label("cat"), *case) for case in FORGED.items()),
        *((catalogue.with_filename("cat", "f"), *case) for case in FORGED_NAMES.items()),
        *((catalogue.LABELS, *case) for case in {"": False, "a": True, "a_b": False, "a\na": False}.items()),
    ],
)
def test_a_forged_cursor_is_refused_unless_a_row_could_stand_there(
    selection: catalogue.Selection, place: str, possible: bool
) -> None:
    cursor = paging.encode_cursor("a query", tuple(place.split("\n")))
    with nullcontext() if possible else pytest.raises(BadRequest):
        assert paging.start_after(asking(cursor=cursor), "a query", selection) == tuple(place.split("\n"))


def test_a_forged_cursor_between_two_images_does_no_harm(cats: Api) -> None:
    names = [image("cat", n).name for n in range(300)]
    cursor = paging.encode_cursor("images?label=cat", ("0" * 31 + "1.png",))
    found = json_of(cats.get(f"/images?label=cat&limit=1&cursor={cursor}"))
    assert found["images"][0]["id"] == f"cat/{names[1]}"


@given(st.text())
@example("²")
@example("0" * 5000 + "1")
def test_any_limit_is_accepted_or_refused(text: str) -> None:
    taken = re.fullmatch(r"[0-9]{1,3}", text) and 1 <= int(text) <= 100
    with nullcontext() if taken else pytest.raises(UnprocessableValue):
        assert 1 <= paging.limit(asking(limit=text)) <= 100
