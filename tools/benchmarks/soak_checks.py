"""What must be true at the end of a soak. Each check raises AssertionError otherwise."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from petapi_client.chi_square import p_value
from shared.pictures.bucket import Bucket
from shared.settings import Settings
from tests.support import invariants
from tools.reconcile.inventory import Inventory

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PROC = Path("/proc")


def check_label(dynamodb: "DynamoDBClient", names: Settings, label: str, weights: Mapping[str, int]) -> None:
    """Check that exactly these images exist with these weights, and that chunks, counts and totals agree."""
    image_items, chunk_items = (
        _items(dynamodb, table, label) for table in (names.image_chunks_table, names.chunk_info_table)
    )
    entries, lanes, found = invariants.label_of(label, image_items, chunk_items)
    invariants.check(entries, lanes, found)
    assert {entry.name: entry.weight for entry in entries} == weights, "the images are not those acknowledged"


def check_bucket(store: Inventory, bucket: Bucket, label: str) -> None:
    """Check that images and versions in the bucket belong together, one to one."""
    named = {(image.id, image.version_id) for image in store.images(label)}
    kept = {(version.key, version.id) for version in bucket.versions(f"{label}/")}
    assert named <= kept, "an image without its picture"
    assert kept <= named, "a version that no image names"


def law(draws: Mapping[str, int], steady: Mapping[str, int]) -> float:
    """Return the p of a chi-square test of the draws of images with a steady weight: weight / their total each.

    At any moment a steady image is in exactly one chunk, and only ever moves to lower ones, so every reader of lanes
    knows its chunk, and each dart hits it with probability weight / length of the strip, whatever else changes. So
    given that a draw hits any of them, it hits each by weight / their total, independently of all other draws.
    """
    hits = {name: draws.get(name, 0) for name in steady}
    share = sum(hits.values()) / sum(steady.values())
    return p_value(hits, {name: weight * share for name, weight in steady.items()})


def memory(pid: int) -> int:
    """Return the resident bytes of a process and of those that it started, or 0 without /proc."""
    return sum(map(_resident, _family(pid)))


def cpu_seconds(pid: int, *, alone: bool = False) -> float:
    """Return the CPU time of a process and of those that it started and that still run, or 0 without /proc."""
    return sum(map(_cpu_ticks, {pid} if alone else _family(pid))) / os.sysconf("SC_CLK_TCK")


def _family(pid: int) -> set[int]:
    parents = {int(path.parent.name): _parent(path) for path in PROC.glob("[0-9]*/stat")}
    family = {pid} & parents.keys()
    while grown := {child for child, parent in parents.items() if parent in family} - family:
        family |= grown
    return family


def _parent(stat: Path) -> int:
    try:
        return int(stat.read_text().rpartition(")")[2].split()[1])
    except OSError:  # it has ended
        return 0


def _cpu_ticks(pid: int) -> int:
    try:
        return sum(map(int, (PROC / f"{pid}/stat").read_text().rpartition(")")[2].split()[11:13]))
    except OSError:  # it has ended
        return 0


def _resident(pid: int) -> int:
    try:
        return int((PROC / f"{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def _items(dynamodb: "DynamoDBClient", table: str, label: str) -> invariants.Items:
    pages = dynamodb.get_paginator("query").paginate(
        TableName=table,
        KeyConditionExpression="label = :label",
        ExpressionAttributeValues={":label": {"S": label}},
        ConsistentRead=True,
    )
    return [item for page in pages for item in page["Items"]]
