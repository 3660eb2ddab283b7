"""The first design of petAPI: one item lists the label's chunks, and a draw takes each of them equally often.

It is not exact, because chunks differ in weight. All writes of the label conflict on its item, which grows.
"""

from fractions import Fraction

from costs.rows import size as item_size
from shared.labels import items
from tools.benchmarks.capacity import ITEM_MAX, Usage, read_units, write_units
from tools.benchmarks.designs import rows
from tools.benchmarks.designs.chunked import CHUNK, KEY, Chunks, Listed, draw_usage, label_item, open_chunk, row_sizes
from tools.benchmarks.designs.rows import LABEL, Shares, Stored, row

IMAGES, LABELS, VOLUMES = "UniformImages", "UniformLabels", "chunkVolume"


class State(Chunks):
    """The label in memory."""

    def stored(self) -> Stored:
        """Return the items of the label."""
        return {IMAGES: self.rows(), LABELS: [label_item({VOLUMES: self.volumes})]}


def law(stored: Stored) -> Shares:
    """Return each image's share of the draws: its share in the chunk, divided by the number of non-empty chunks."""
    chunks = rows.by_chunk(stored[IMAGES])
    totals = {chunk: sum(weights.values()) for chunk, weights in chunks.items()}
    (label,) = stored[LABELS]
    return {
        name: Fraction(weight, totals[chunk])
        for chunk, volume in label[VOLUMES]["M"].items()
        if int(volume["N"])
        for name, weight in chunks[chunk].items()
    }


class Label(Listed):
    """The label in DynamoDB."""

    images_table, labels_table, lists = IMAGES, LABELS, (VOLUMES,)

    def add(self, name: str, weight: int) -> None:
        """Upload an image: count it, then write it."""
        volumes = self._read(VOLUMES)
        chunk = open_chunk(volumes)
        condition = "chunkVolume.#chunk = :old" if chunk in volumes else "attribute_not_exists(chunkVolume.#chunk)"
        old = {":old": items.number(volumes[chunk])} if chunk in volumes else {}
        self._client.update_item(
            TableName=LABELS,
            Key=KEY,
            UpdateExpression="SET chunkVolume.#chunk = :new",
            ConditionExpression=condition,
            ExpressionAttributeNames={"#chunk": str(chunk)},
            ExpressionAttributeValues={":new": items.number(volumes.get(chunk, 0) + 1), **old},
        )
        condition = "attribute_not_exists(s3key)"
        self._client.put_item(TableName=IMAGES, Item=row(name, weight, chunk), ConditionExpression=condition)

    def remove(self, name: str) -> None:
        """Delete an image: the row names its chunk, whose count goes down by one."""
        key, condition = items.image_key(LABEL, name), "attribute_exists(s3key)"
        answer = self._client.delete_item(
            TableName=IMAGES, Key=key, ConditionExpression=condition, ReturnValues="ALL_OLD"
        )
        self._client.update_item(
            TableName=LABELS,
            Key=KEY,
            UpdateExpression="SET chunkVolume.#chunk = chunkVolume.#chunk - :one",
            ExpressionAttributeNames={"#chunk": answer["Attributes"]["chunkNumber"]["N"]},
            ExpressionAttributeValues={":one": items.number(1)},
        )

    def draw(self) -> str:
        """Return the name of a random image."""
        return self._image_of(self._rng.choice([chunk for chunk, volume in self._read(VOLUMES).items() if volume]))


def costs(count: int) -> dict[str, Usage] | None:
    """Return the computed cost of a draw, an upload and a delete, or None if the item is too large for DynamoDB."""
    label = item_size(label_item({VOLUMES: dict.fromkeys(range(-(-count // CHUNK)), CHUNK)}))
    if label > ITEM_MAX:
        return None
    in_table, in_index = row_sizes()
    writes = write_units(in_table) + write_units(in_index) + write_units(label)
    return {
        "draw": draw_usage(label, count),
        "upload": Usage(read=read_units([label]), write=writes, trips=3),
        "delete": Usage(write=writes, trips=2),
    }
