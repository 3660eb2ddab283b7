"""Pages over the images of all labels: each image exactly once, whatever the limit, and at a bounded cost."""

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import all_labels
from shared.api import paging
from shared.api.endpoint import Request
from shared.errors import BadRequest
from shared.images import Image, Pool
from shared.labels import items
from shared.labels.catalogue import Catalogue, Page
from tests.support.memory_aws import IMAGES, DynamoDB, World, key_of
from tests.support.simulation import SETTINGS

LABELS = [f"label-{number:02}" for number in range(35)]
TAG = "red"
# label -> for each of its images whether it has the tag; a label may have lost all its images
COLLECTIONS = st.dictionaries(st.sampled_from(LABELS), st.lists(st.booleans(), max_size=7), max_size=len(LABELS))


def stored(collection: Mapping[str, Sequence[bool]]) -> tuple[World, list[Image]]:
    """Return a world with these images, and the images in the order of a list."""
    world = World(random.Random(7))
    put_all(
        world,
        found := [
            image(label, n, tagged) for label in sorted(collection) for n, tagged in enumerate(collection[label])
        ],
    )
    for label in collection:
        put(world, {"label": {"S": items.LABELS}, "s3key": {"S": label}})
    return world, found


def image(label: str, number: int, tagged: bool) -> Image:
    tags = (TAG,) if tagged else ()
    return Image(label, f"{number:032x}.png", 5, "v", 1, 1, 1, "2026-01-01T00:00:00.000Z", tags=tags)


def put_all(world: World, images: Sequence[Image]) -> None:
    for each in images:
        put(world, items.image_item(each, 1))
        for tag in each.tags:
            put(world, items.tag_item(each, Pool(each.label, tag), 1))


def put(world: World, row: items.Item) -> None:
    world.write(IMAGES, key_of(IMAGES, row), row)


def remove(world: World, image: Image) -> None:
    for key in (image.label, f"{image.label}#{TAG}"):
        world.write(IMAGES, (key, image.name), None)


def pages(world: World, tag: str, limit: int) -> Iterator[Page[Image]]:
    rows = Catalogue(DynamoDB(world), SETTINGS)  # type: ignore[arg-type]
    after: tuple[str, ...] = ()
    while True:
        page = all_labels.walk(rows, tag, limit, after)
        assert len(page.entries) <= limit
        yield page
        if not page.last:
            return
        assert all_labels._is_place(page.last)
        assert page.last != after
        after = page.last


@settings(max_examples=50)
@given(COLLECTIONS, st.sampled_from(["", TAG]), st.integers(1, 8) | st.just(100))
@example({label: [] for label in LABELS}, "", 1)
@example({label: [False] for label in LABELS}, TAG, 50)
@example({LABELS[0]: [True] * 4}, TAG, 2)
@example({}, "", 50)
def test_every_image_comes_exactly_once_and_in_order(collection: dict[str, list[bool]], tag: str, limit: int) -> None:
    world, images = stored(collection)
    calls: list[str] = []
    world.pause = calls.append
    seen: list[Image] = []
    for page in pages(world, tag, limit):
        seen += page.entries
        # The names of the labels, and a Query and perhaps a BatchGetItem for each label.
        assert calls.count("query") <= 1 + all_labels.LABELS_MAX
        assert len(calls) <= 1 + 2 * all_labels.LABELS_MAX
        calls.clear()
    assert seen == [each for each in images if not tag or tag in each.tags]


@settings(max_examples=50)
@given(COLLECTIONS, st.sampled_from(["", TAG]), st.integers(1, 5), st.randoms(use_true_random=False))
def test_what_stays_comes_exactly_once_while_labels_and_images_come_and_go(
    collection: dict[str, list[bool]], tag: str, limit: int, rng: random.Random
) -> None:
    world, images = stored(collection)
    kept, passing = [each for each in images if rng.random() < 0.6], {}
    coming = {each.id: each for each in (image(rng.choice(LABELS), 8 + n, rng.random() < 0.5) for n in range(40))}
    passing = {each.id: each for each in images if each not in kept} | coming
    seen: list[str] = []
    for page in pages(world, tag, limit):
        seen += [each.id for each in page.entries]
        for _ in range(rng.randrange(4)):
            changed = passing[rng.choice(sorted(passing))]
            if (changed.label, changed.name) in world.tables[IMAGES]:
                remove(world, changed)
            else:
                put_all(world, [changed])
                put(world, {"label": {"S": items.LABELS}, "s3key": {"S": changed.label}})
        if rng.random() < 0.3:  # a label of which nothing is left is never listed again
            gone = rng.choice(LABELS)
            if gone not in {each.label for each in kept}:
                world.tables[IMAGES] = {
                    key: row
                    for key, row in world.tables[IMAGES].items()
                    if gone not in (*key, key[0].partition("#")[0])
                }
    assert [each for each in seen if each not in passing] == [each.id for each in kept if not tag or tag in each.tags]
    assert len(seen) == len(set(seen))


PLACES = {
    "cat": True,
    "cat\n" + "0" * 32 + ".png": True,
    "": False,
    "#labels": False,
    "a_b": False,
    "cat\n": False,
    "cat\nx.png": False,
    "cat#red\n" + "0" * 32 + ".png": False,
    "0" * 32 + ".png": False,
    "cat\n" + "0" * 32 + ".png\n" + "0" * 32 + ".png": False,
}


@pytest.mark.parametrize(("place", "possible"), PLACES.items())
def test_a_forged_cursor_is_refused_unless_a_page_can_end_there(place: str, possible: bool) -> None:
    cursor = paging.encode_cursor("images", tuple(place.split("\n")))
    world, images = stored({"cat": [True, True], "dog": [False]})
    rows = Catalogue(DynamoDB(world), SETTINGS)  # type: ignore[arg-type]
    request = Request("GET", "/images", {}, {"cursor": cursor}, {}, b"", "", "", {})
    with nullcontext() if possible else pytest.raises(BadRequest):
        page, query = all_labels.page(request, rows)
        assert query == "images"
        assert page.entries == (images[2:] if place == "cat" else images[1:])
