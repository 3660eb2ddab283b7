"""The invariants of a label's items, which docs/explanation/transactions.md lists."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import darts
from pools import of_pool
from shared.images import Pool
from shared.labels import chunks, items
from shared.labels.chunks import Lane

TagRow = tuple[str, str, int, str]  # key of the pool, name, weight, version

Items = list[dict[str, Any]]
Label = tuple[list[items.Entry], dict[int, Lane], dict[int, dict[str, int]]]


def label_of(key: str, image_items: Items, chunk_items: Items) -> Label:
    """Return the entries, lanes and chunks of the pool with this key."""
    entries = [items.entry(item) for item in image_items if item["label"]["S"] == key]
    mine = [(int(item["chunkNumber"]["N"]), item) for item in chunk_items if item["label"]["S"] == key]
    lanes = {number: items.lane(item) for number, item in mine if number < chunks.FIRST_CHUNK_NUMBER}
    found = {number: items.weights(item) for number, item in mine if number >= chunks.FIRST_CHUNK_NUMBER}
    return entries, lanes, found


def check(entries: list[items.Entry], lanes: dict[int, Lane], found: dict[int, dict[str, int]]) -> None:
    """Raise AssertionError unless entries, lanes and chunks agree."""
    held: dict[int, dict[str, int]] = {}
    placed: dict[tuple[int, int], list[int]] = {}
    totals: Counter[int] = Counter()
    for entry in entries:
        lane, weight_class = chunks.lane_of(entry.chunk_number), chunks.class_of(entry.weight)
        held.setdefault(entry.chunk_number, {})[entry.name] = entry.weight
        placed.setdefault((lane, weight_class), []).append(chunks.index_of(entry.chunk_number))
        totals[lane] += entry.weight
        expected = chunks.chunk_number(lane, weight_class, chunks.index_of(entry.chunk_number))
        assert entry.chunk_number == expected, "an image is in a chunk of another class"
    assert held == found, "chunks do not hold exactly the images that point at them"
    counted = {(lane.number, k): n for lane in lanes.values() for k, n in lane.volumes.items() if n}
    assert counted == {where: len(indices) for where, indices in placed.items()}, "a lane counts wrong"
    for indices in placed.values():
        assert sorted(indices) == [chunks.chunk_of(place) for place in range(len(indices))], "places have gaps"
    assert {lane.number: lane.total_weight for lane in lanes.values() if lane.total_weight} == totals, (
        "a total is wrong"
    )
    length, weight = darts.strip_of(of_pool(Pool("any"), lanes)).length, sum(totals.values())
    assert weight <= length <= 4 * weight, "the strip is shorter than its images, or needs too many darts"


class Row(NamedTuple):
    """An item of the image table: the rows under tags that it asks for, and the one that it is."""

    asked: tuple[TagRow, ...]
    own: tuple[TagRow, ...]


def row(item: dict[str, Any]) -> Row:
    """Return what an item of the image table says of tags."""
    key = item["label"]["S"]
    if "#" not in key:
        image = items.image(item)
        return Row(tuple((pool.key, image.name, image.weight, image.version_id) for pool in image.pools[1:]), ())
    if key == items.LABELS:
        return Row((), ())
    return Row((), ((key, item["s3key"]["S"], int(item["weight"]["N"]), item["versionId"]["S"]),))


def check_tags(image_items: Items) -> None:
    """Raise AssertionError unless the pool of each tag has exactly the images with the tag."""
    check_rows([row(item) for item in image_items])


def check_rows(rows: Sequence[Row]) -> None:
    """Do the same with what was parsed before."""
    tagged, stand = {each for row in rows for each in row.asked}, {each for row in rows for each in row.own}
    assert stand == tagged, "the images under a tag are not those that have it"


def knows(lanes: dict[int, Lane], chunk_number: int) -> bool:
    """Return whether these lanes, read at some time, count the chunk as in use."""
    lane = lanes.get(chunks.lane_of(chunk_number))
    weight_class = chunk_number // 10**9 % 100
    return bool(lane) and chunks.first_place(chunks.index_of(chunk_number)) < lane.volume(weight_class)


def throw_every_dart(lanes: dict[int, Lane], found: dict[int, dict[str, int]]) -> Counter[str]:
    """Return how many of all possible darts hit each image."""
    strip = darts.strip_of(of_pool(Pool("any"), lanes))
    hits: Counter[str] = Counter()
    for dart in range(strip.length):
        (_, number), offset = darts.locate(strip, dart)
        name = darts.image_at(found.get(number, {}), offset)
        if name:
            hits[name] += 1
    return hits
