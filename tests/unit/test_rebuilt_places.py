"""Places of a rebuild are dense and always the same, and comparing a label takes no more memory if it is larger."""

import random
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.images import UNITS, Image, Pool
from shared.labels import items
from shared.labels.chunks import Lane
from tests.support import invariants
from tools.reconcile import rebuild, tally
from tools.reconcile.placing import Filled, Placing

POOL = Pool("cat")
WEIGHTS = st.lists(st.one_of(st.integers(1, 40), st.integers(1, UNITS - 1)), max_size=120)


def image(number: int, weight: int) -> Image:
    return Image("cat", f"{number:032x}.png", weight, "v", 1, 1, 1, "2026-01-01T00:00:00.000Z")


def placed(weights: list[int]) -> tuple[list[Any], list[Any], Placing[Image]]:
    """Return the rows and the chunks of images with these weights."""
    placing: Placing[Image] = Placing()
    filled: list[Filled[Image]] = []
    for number, weight in enumerate(weights):
        if chunk := placing.add(weight, image(number, weight)):
            filled.append(chunk)
    filled += placing.rest()
    rows = [items.image_item(each, chunk.number) for chunk in filled for each in chunk.images]
    held = [items.chunk_item(POOL, c.number, {each.name: each.weight for each in c.images}) for c in filled]
    return rows, sorted(held, key=lambda item: int(item["chunkNumber"]["N"])), placing


@given(WEIGHTS)
def test_places_hold_all_invariants_and_compare_equal(weights: list[int]) -> None:
    rows, held, placing = placed(weights)
    lanes = [items.lane_item(POOL, lane) for lane in placing.lanes().values()]
    invariants.check(*invariants.label_of("cat", rows, [*lanes, *held]))
    assert len(rows) == len(weights)
    assert all(placing.has(int(item["chunkNumber"]["N"])) for item in held)
    assert tally.difference(tally.of_rows(rows), tally.of_chunks(held), placing.lanes()) is None
    assert placed(weights)[:2] == (rows, held)


@given(WEIGHTS.filter(bool), st.integers(0, 10**6), st.sampled_from(["row", "weight", "place", "chunk", "swap"]))
def test_any_one_difference_is_noticed(weights: list[int], which: int, kind: str) -> None:
    rows, held, placing = placed(weights)
    row = rows[which % len(rows)]
    if kind == "row":
        rows.remove(row)
    elif kind == "weight":
        row["weight"] = items.number(int(row["weight"]["N"]) + 1)
    elif kind == "place":
        row["chunkNumber"] = items.number(int(row["chunkNumber"]["N"]) + 1)
    elif kind == "chunk":
        held.pop(which % len(held))
    else:
        chunk = held[which % len(held)]["images"]["M"]
        chunk[image(10**6, 1).name] = chunk.pop(min(chunk))
    assert tally.difference(tally.of_rows(rows), tally.of_chunks(held), placing.lanes())


def test_a_larger_label_takes_no_more_memory() -> None:
    def rows(count: int) -> Iterator[Any]:
        rng = random.Random(1)
        for number in range(count):
            yield items.image_item(image(number, rng.randrange(1, UNITS)), 30 * 10**9 + 10**11)

    def peak(count: int) -> int:
        tracemalloc.start()
        tally.of_rows(rows(count))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(200)
    assert peak(4000) < 2 * peak(400)


@pytest.mark.parametrize(("found", "written"), [(None, 1), (Lane(1, 5, {3: 1}, 4), 4), (Lane(1, 6, {3: 1}, 4), 5)])
def test_a_rebuilt_lane_goes_on_counting_openings(found: Lane | None, written: int) -> None:
    """Or else a container could take the new layout for the old one that it remembers."""
    assert rebuild._after(found, Lane(1, 5, {3: 1})) == Lane(1, 5, {3: 1}, written)
