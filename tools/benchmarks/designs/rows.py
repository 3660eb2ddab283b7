"""What the simple designs have in common: a row for each image, and tables for them."""

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from shared.images import Image
from shared.labels import items

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

LABEL = "cat"
BUCKET = "designs"
CHUNK_INDEX = "LabelChunkIndex"
TEXT, NUMBER = "S", "N"  # types of keys

Stored = dict[str, list[items.Item]]  # table -> its items
Shares = Mapping[str, int | Fraction]  # name -> an image's share of the draws; of an exact law, its weight
BATCH = 25  # items of a BatchWriteItem


@dataclass(frozen=True, slots=True)
class Clients:
    """The clients that a design may use."""

    dynamodb: "DynamoDBClient"
    s3: "S3Client"


def row(name: str, weight: int, chunk: int | None = None) -> items.Item:
    """Return an image's row, with all that petAPI keeps about an image."""
    item = items.image_item(image(name, weight), chunk_number=chunk or 0)
    return item if chunk is not None else {key: value for key, value in item.items() if key != "chunkNumber"}


def image(name: str, weight: int) -> Image:
    """Return the image with this name."""
    return Image(LABEL, name, weight, "3sL4kqtJlcpXroDTDmJ+rmSpXd3dIbrH", 204_800, 1024, 768, "2026-11-21T12:00:00Z")


def weight_of(item: Mapping[str, Any]) -> int:
    """Return the weight in a row."""
    return int(item["weight"]["N"])


def pick(weights: Mapping[str, int], rng: random.Random) -> str:
    """Return a random name, in proportion to the weights."""
    dart = rng.randrange(sum(weights.values()))
    for name, weight in weights.items():
        if dart < weight:
            return name
        dart -= weight
    raise AssertionError("a dart beyond the total")


def create_table(client: "DynamoDBClient", name: str, *keys: tuple[str, str], chunk_index: bool = False) -> None:
    """Create a table with these keys, perhaps with an index of the images of a chunk."""
    chunk_keys = (("label", TEXT), ("chunkNumber", NUMBER))
    kinds = dict(keys) | (dict(chunk_keys) if chunk_index else {})
    definitions: Any = [{"AttributeName": key, "AttributeType": kind} for key, kind in kinds.items()]
    request: dict[str, Any] = {"KeySchema": _schema(keys), "AttributeDefinitions": definitions}
    if chunk_index:
        projection = {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["weight"]}
        request["GlobalSecondaryIndexes"] = [
            {"IndexName": CHUNK_INDEX, "KeySchema": _schema(chunk_keys), "Projection": projection}
        ]
    client.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", **request)


def weights_by_query(client: "DynamoDBClient", **request: Any) -> dict[str, int]:
    """Return name -> weight of the rows that a Query finds, in all its pages."""
    found: dict[str, int] = {}
    for page in client.get_paginator("query").paginate(ProjectionExpression="s3key, weight", **request):
        found |= {item["s3key"]["S"]: weight_of(item) for item in page["Items"]}
    return found


def write_all(client: "DynamoDBClient", stored: Stored) -> None:
    """Put these items into their tables."""
    for table, rows in stored.items():
        for first in range(0, len(rows), BATCH):
            requests = [{"PutRequest": {"Item": item}} for item in rows[first : first + BATCH]]
            left: Any = {table: requests}
            while left:
                left = client.batch_write_item(RequestItems=left)["UnprocessedItems"]


def by_chunk(stored_rows: Iterable[items.Item]) -> dict[str, dict[str, int]]:
    """Return chunk -> name -> weight of rows that name their chunk."""
    found: dict[str, dict[str, int]] = {}
    for item in stored_rows:
        found.setdefault(item["chunkNumber"]["N"], {})[item["s3key"]["S"]] = weight_of(item)
    return found


def _schema(keys: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"AttributeName": key, "KeyType": kind} for (key, _), kind in zip(keys, ("HASH", "RANGE"), strict=False)]
