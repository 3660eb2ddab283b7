"""Query the whole label, then choose by weight: exact, and as expensive as the label is large."""

import random

from costs.rows import size as item_size
from shared.labels import items
from tools.benchmarks.capacity import PAGE_MAX, Usage, query_units, write_units
from tools.benchmarks.designs import rows
from tools.benchmarks.designs.rows import LABEL, TEXT, Clients, Shares, Stored, row

TABLE = "FlatImages"


class State:
    """The label in memory."""

    def __init__(self) -> None:
        self._weights: dict[str, int] = {}

    def add(self, name: str, weight: int) -> None:
        """Upload an image."""
        self._weights[name] = weight

    def remove(self, name: str) -> None:
        """Delete an image."""
        del self._weights[name]

    def stored(self) -> Stored:
        """Return the items of the label."""
        return {TABLE: [row(name, weight) for name, weight in self._weights.items()]}


def law(stored: Stored) -> Shares:
    """Return each image's share of the draws."""
    return {item["s3key"]["S"]: rows.weight_of(item) for item in stored[TABLE]}


class Label:
    """The label in DynamoDB."""

    def __init__(self, clients: Clients, rng: random.Random) -> None:
        self._client, self._rng = clients.dynamodb, rng

    def create(self) -> None:
        """Create the table."""
        rows.create_table(self._client, TABLE, ("label", TEXT), ("s3key", TEXT))

    def load(self, stored: Stored) -> None:
        """Store what was made in memory."""
        rows.write_all(self._client, stored)

    def add(self, name: str, weight: int) -> None:
        """Upload an image."""
        condition = "attribute_not_exists(s3key)"
        self._client.put_item(TableName=TABLE, Item=row(name, weight), ConditionExpression=condition)

    def remove(self, name: str) -> None:
        """Delete an image."""
        key, condition = items.image_key(LABEL, name), "attribute_exists(s3key)"
        self._client.delete_item(TableName=TABLE, Key=key, ConditionExpression=condition)

    def draw(self) -> str:
        """Return the name of a random image."""
        weights = rows.weights_by_query(
            self._client,
            TableName=TABLE,
            KeyConditionExpression="label = :label",
            ExpressionAttributeValues={":label": {"S": LABEL}},
        )
        return rows.pick(weights, self._rng)


def costs(count: int) -> dict[str, Usage]:
    """Return the computed cost of a draw, an upload and a delete."""
    size = item_size(row("0" * 36, 500_000_001))
    draw = Usage(read=query_units(count * size), trips=count * size // PAGE_MAX + 1)
    write = Usage(write=write_units(size), trips=1)
    return {"draw": draw, "upload": write, "delete": write}
