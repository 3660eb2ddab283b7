"""Chunk totals in one item of the label: a draw takes a chunk by its total, then an image by its weight.

It is exact, with a transaction for each write. All writes of the label conflict on its item, which grows.
"""

from fractions import Fraction
from typing import Any

from costs.rows import size as item_size
from shared.images import UNITS
from shared.labels import items
from tools.benchmarks.capacity import ITEM_MAX, Usage, read_units, write_units
from tools.benchmarks.designs import rows
from tools.benchmarks.designs.chunked import CHUNK, KEY, Chunks, Listed, draw_usage, label_item, open_chunk, row_sizes
from tools.benchmarks.designs.rows import LABEL, Shares, Stored, row

IMAGES, LABELS, VOLUMES, TOTALS = "TotalsImages", "TotalsLabels", "chunkVolume", "chunkTotal"

# How the lists change: update, condition, and numbers in them beside the weight.
FIRST = (
    "SET chunkVolume.#chunk = :one, chunkTotal.#chunk = :weight",
    "attribute_not_exists(chunkVolume.#chunk)",
    {":one": 1},
)
MORE = (
    "SET chunkVolume.#chunk = chunkVolume.#chunk + :one, chunkTotal.#chunk = chunkTotal.#chunk + :weight",
    "chunkVolume.#chunk < :max",
    {":one": 1, ":max": CHUNK},
)
LESS = (
    "SET chunkVolume.#chunk = chunkVolume.#chunk - :one, chunkTotal.#chunk = chunkTotal.#chunk - :weight",
    "chunkVolume.#chunk >= :one",
    {":one": 1},
)


class State(Chunks):
    """The label in memory."""

    def stored(self) -> Stored:
        """Return the items of the label."""
        return {IMAGES: self.rows(), LABELS: [label_item({VOLUMES: self.volumes, TOTALS: self.totals})]}


def law(stored: Stored) -> Shares:
    """Return each image's share of the draws: the listed share of its chunk, times its share in the chunk."""
    (label,) = stored[LABELS]
    listed = {chunk: int(total["N"]) for chunk, total in label[TOTALS]["M"].items()}
    chunks = rows.by_chunk(stored[IMAGES])
    return {
        name: Fraction(listed[chunk] * weight, total)
        for chunk, weights in chunks.items()
        for total in [sum(weights.values())]
        for name, weight in weights.items()
    }


class Label(Listed):
    """The label in DynamoDB."""

    images_table, labels_table, lists = IMAGES, LABELS, (VOLUMES, TOTALS)

    def add(self, name: str, weight: int) -> None:
        """Upload an image: write the row and the lists in one transaction."""
        volumes = self._read(VOLUMES)
        chunk = open_chunk(volumes)
        put = {
            "TableName": IMAGES,
            "Item": row(name, weight, chunk),
            "ConditionExpression": "attribute_not_exists(s3key)",
        }
        count = _count(MORE, chunk, weight) if chunk in volumes else _count(FIRST, chunk, weight)
        self._client.transact_write_items(TransactItems=[{"Put": put}, {"Update": count}])  # type: ignore[typeddict-item]

    def remove(self, name: str) -> None:
        """Delete an image: the row names its chunk, and one transaction writes both."""
        key = items.image_key(LABEL, name)
        item = self._client.get_item(TableName=IMAGES, Key=key, ConsistentRead=True)["Item"]
        delete = {
            "TableName": IMAGES,
            "Key": key,
            "ConditionExpression": "chunkNumber = :chunk AND weight = :weight",
            "ExpressionAttributeValues": {":chunk": item["chunkNumber"], ":weight": item["weight"]},
        }
        count = _count(LESS, int(item["chunkNumber"]["N"]), rows.weight_of(item))
        self._client.transact_write_items(TransactItems=[{"Delete": delete}, {"Update": count}])  # type: ignore[typeddict-item]

    def draw(self) -> str:
        """Return the name of a random image."""
        totals = {str(chunk): total for chunk, total in self._read(TOTALS).items()}
        return self._image_of(int(rows.pick(totals, self._rng)))


def _count(change: tuple[str, str, dict[str, int]], chunk: int, weight: int) -> dict[str, Any]:
    """Return the write of the label's item."""
    update, condition, numbers = change
    return {
        "TableName": LABELS,
        "Key": KEY,
        "UpdateExpression": update,
        "ConditionExpression": condition,
        "ExpressionAttributeNames": {"#chunk": str(chunk)},
        "ExpressionAttributeValues": {
            ":weight": items.number(weight),
            **{name: items.number(value) for name, value in numbers.items()},
        },
    }


def costs(count: int) -> dict[str, Usage] | None:
    """Return the computed cost of a draw, an upload and a delete, or None if the item is too large for DynamoDB."""
    chunks = range(-(-count // CHUNK))
    lists = {VOLUMES: dict.fromkeys(chunks, CHUNK), TOTALS: dict.fromkeys(chunks, CHUNK * UNITS // 2 + 1)}
    label = item_size(label_item(lists))
    if label > ITEM_MAX:
        return None
    in_table, in_index = row_sizes()
    writes = write_units(in_table, transaction=True) + write_units(in_index) + write_units(label, transaction=True)
    return {
        "draw": draw_usage(label, count),
        "upload": Usage(read=read_units([label]), write=writes, trips=2),
        "delete": Usage(read=read_units([in_table], consistent=True), write=writes, trips=2),
    }
