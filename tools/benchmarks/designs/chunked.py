"""What the designs that list all chunks of a label in one place have in common."""

import random
from collections import defaultdict
from collections.abc import Mapping

from costs.rows import size as item_size
from shared.labels import items
from tools.benchmarks.capacity import Usage, query_units, read_units
from tools.benchmarks.designs import rows
from tools.benchmarks.designs.rows import LABEL, TEXT, Clients, Stored, row

CHUNK = 100  # images
KEY = {"label": {"S": LABEL}}

Lists = Mapping[str, Mapping[int, int]]  # attribute -> chunk -> number


def open_chunk(volumes: Mapping[int, int]) -> int:
    """Return the first chunk that has room, or a new one."""
    return next((chunk for chunk in sorted(volumes) if volumes[chunk] < CHUNK), len(volumes))


class Chunks:
    """A label in memory: the images' chunks and weights, and the chunks' volumes and totals.

    Chunks are never removed from the list. Empty ones are filled again.
    """

    def __init__(self) -> None:
        self.images: dict[str, tuple[int, int]] = {}
        self.volumes: dict[int, int] = defaultdict(int)
        self.totals: dict[int, int] = defaultdict(int)
        self._with_room = 0  # no chunk before it has room, so that building a label does not search all of them

    def add(self, name: str, weight: int) -> None:
        """Upload an image."""
        chunk = self._with_room
        while self.volumes.get(chunk, 0) == CHUNK:
            chunk += 1
        self._with_room = chunk
        self.images[name] = (chunk, weight)
        self.volumes[chunk] += 1
        self.totals[chunk] += weight

    def remove(self, name: str) -> None:
        """Delete an image."""
        chunk, weight = self.images.pop(name)
        self.volumes[chunk] -= 1
        self.totals[chunk] -= weight
        self._with_room = min(self._with_room, chunk)

    def rows(self) -> list[items.Item]:
        """Return the images' rows."""
        return [row(name, weight, chunk) for name, (chunk, weight) in self.images.items()]


class Listed:
    """A label in DynamoDB: a row for each image, with the chunks as an index, and an item that lists the chunks.

    A lost race raises ClientError, because only one client works here.
    """

    images_table: str
    labels_table: str
    lists: tuple[str, ...]

    def __init__(self, clients: Clients, rng: random.Random) -> None:
        self._client, self._rng = clients.dynamodb, rng

    def create(self) -> None:
        """Create the tables and the label's item."""
        rows.create_table(self._client, self.images_table, ("label", TEXT), ("s3key", TEXT), chunk_index=True)
        rows.create_table(self._client, self.labels_table, ("label", TEXT))
        self._client.put_item(TableName=self.labels_table, Item=label_item({name: {} for name in self.lists}))

    def load(self, stored: Stored) -> None:
        """Store what was made in memory."""
        rows.write_all(self._client, stored)

    def _read(self, name: str) -> dict[int, int]:
        item = self._client.get_item(TableName=self.labels_table, Key=KEY)["Item"]
        return {int(chunk): int(value["N"]) for chunk, value in item[name]["M"].items()}

    def _image_of(self, chunk: int) -> str:
        """Return a random image of the chunk, by weight."""
        weights = rows.weights_by_query(
            self._client,
            TableName=self.images_table,
            IndexName=rows.CHUNK_INDEX,
            KeyConditionExpression="label = :label AND chunkNumber = :chunk",
            ExpressionAttributeValues={":label": {"S": LABEL}, ":chunk": items.number(chunk)},
        )
        return rows.pick(weights, self._rng)


def label_item(lists: Lists) -> items.Item:
    """Return the item that lists the chunks."""
    return {**KEY} | {
        name: {"M": {str(chunk): items.number(value) for chunk, value in values.items()}}
        for name, values in lists.items()
    }


def draw_usage(label_size: int, count: int) -> Usage:
    """Return the cost of a draw: the label's item, and a chunk by the index."""
    _, in_index = row_sizes()
    return Usage(read=read_units([label_size]) + query_units(min(count, CHUNK) * in_index), trips=2)


def row_sizes() -> tuple[int, int]:
    """Return the sizes of a row in the table and in the index."""
    item = row("0" * 36, 500_000_001, 1)
    in_index = {key: item[key] for key in ("label", "s3key", "chunkNumber", "weight")}
    return item_size(item), item_size(in_index)
