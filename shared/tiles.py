"""The table of tiles: a small picture of each image, for mosaics, and what was recognised in it.

| key         | attributes                                                                                       |
|-------------|--------------------------------------------------------------------------------------------------|
| label, name | version: of the picture; tile: 3,072 bytes of RGB, the centre square at 32 x 32                   |
|             | labels: a list of {name, confidence}, if known                                                   |
|             | refused, refusedBy: why no vector can be made of the picture, and by which encoder               |

A picture that cannot be decoded has no tile, only a refusal.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from shared import recognised_label
from shared.images import Image
from shared.labels import batch_get, query
from shared.labels.items import Item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

SIDE = 32  # pixels
TILE_BYTES = SIDE * SIDE * 3
TILES_MIN = 16  # that a mosaic is made of
TILE_ALONE = ("label", "name", "version", "tile")  # what a mosaic reads
WITHOUT_TILE = ("label", "name", "version", "labels")  # what a list reads: 100 tiles would be 400 kB on the wire

Label = tuple[str, float]
Labels = tuple[Label, ...]  # with their confidence in percent, the strongest first


@dataclass(frozen=True, slots=True)
class Tile:
    """What the table has of an image. `labels` is None if the picture was not recognised."""

    label: str
    name: str
    version: str
    tile: bytes = b""  # TILE_BYTES of RGB, or none if the picture cannot be decoded
    labels: Labels | None = None
    refused: str = ""  # a sentence
    refused_by: str = ""  # the name of the encoder's index; empty if no encoder can take the picture

    @property
    def id(self) -> str:
        """The image's id."""
        return f"{self.label}/{self.name}"


class Tiles:
    """The tiles in the table with this name."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client, self._table = client, table

    def put(self, tile: Tile) -> bool:
        """Store what is known of an image, in place of what was.

        Return False if it was recognised meanwhile: labels of a version are not replaced by none.
        """
        request: Any = {"TableName": self._table, "Item": _item(tile)}
        if tile.labels is None:
            request |= {
                "ConditionExpression": "attribute_not_exists(#labels) OR #version <> :version",
                "ExpressionAttributeNames": {"#labels": "labels", "#version": "version"},
                "ExpressionAttributeValues": {":version": {"S": tile.version}},
            }
        try:
            self._client.put_item(**request)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return False
        return True

    def get(self, label: str, name: str) -> Tile | None:
        """Read what is known of an image consistently."""
        found = self._client.get_item(TableName=self._table, Key=_key(label, name), ConsistentRead=True)
        return _tile(found["Item"]) if "Item" in found else None

    def batch(self, ids: Iterable[str]) -> dict[str, Tile]:
        """Read what is known of these images consistently, by their ids label/name. The ids must differ."""
        keys = [_key(*image_id.split("/", 1)) for image_id in ids]
        found = batch_get.read(self._client, self._table, keys, consistent=True)
        return {tile.id: tile for tile in map(_tile, found)}

    def labels_of(self, images: Iterable[Image]) -> dict[str, Labels]:
        """Return what was recognised in the images of which it is known, by their ids."""
        versions = {image.id: image.version_id for image in images}
        keys = [_key(*image_id.split("/", 1)) for image_id in versions]
        read = batch_get.read(self._client, self._table, keys, consistent=False, only=WITHOUT_TILE)
        known = [(tile.id, tile) for tile in map(_tile, read)]
        return {key: tile.labels for key, tile in known if tile.labels is not None and tile.version == versions[key]}

    def around(self, label: str, name: str, most: int) -> list[Tile]:
        """Return at most `most` of the label's tiles: those behind this name, then from the first on, round the end.

        Names are hashes, so these are a fair sample, and the same one each time. An image of this name is not among
        them. A tile takes 0.39 read units: 0.5 for 4 KB.
        """
        found = self._query(label, most, than=(">", name))
        return found if len(found) == most else found + self._query(label, most - len(found), than=("<", name))

    def page(self, label: str, limit: int, after: str = "") -> tuple[list[Tile], str]:
        """Return at most `limit` of the label's tiles, by name, behind the name `after`.

        The text is the last of their names if more follow, or else empty.
        """
        found = self._query(label, limit + 1, than=(">", after) if after else None)
        return found[:limit], found[limit - 1].name if len(found) > limit else ""

    def _query(self, label: str, most: int, *, than: tuple[str, str] | None) -> list[Tile]:
        """Return the first tiles of a label, or those whose names compare so. They have no labels."""
        request: Any = {
            "TableName": self._table,
            "KeyConditionExpression": "#label = :label",
            # A picture that cannot be decoded has none.
            "FilterExpression": "attribute_exists(#tile) AND size(#tile) = :bytes",
            "ProjectionExpression": ", ".join(f"#{name}" for name in TILE_ALONE),
            "ExpressionAttributeNames": {f"#{name}": name for name in TILE_ALONE},
            "ExpressionAttributeValues": {":label": {"S": label}, ":bytes": {"N": str(TILE_BYTES)}},
            "ConsistentRead": False,  # at half the price
        }
        if than:
            request["KeyConditionExpression"] += f" AND #name {than[0]} :name"
            request["ExpressionAttributeValues"][":name"] = {"S": than[1]}
        return [_tile(item) for item in query.read(self._client, request, limit=most)]

    def delete(self, label: str, name: str) -> None:
        """Remove what is known of an image, if anything is."""
        self._client.delete_item(TableName=self._table, Key=_key(label, name))

    def pages(self) -> Iterator[list[str]]:
        """Yield pages of the ids of all images that the table knows, in no particular order."""
        pages = self._client.get_paginator("scan").paginate(
            TableName=self._table, ProjectionExpression="label, #name", ExpressionAttributeNames={"#name": "name"}
        )
        for page in pages:
            yield [f"{item['label']['S']}/{item['name']['S']}" for item in page["Items"]]


def _key(label: str, name: str) -> Item:
    return {"label": {"S": label}, "name": {"S": name}}


def _item(tile: Tile) -> Item:
    item: Item = {**_key(tile.label, tile.name), "version": {"S": tile.version}}
    if tile.tile:
        item["tile"] = {"B": tile.tile}
    if tile.labels is not None:
        item["labels"] = {"L": [recognised_label.item(*each) for each in tile.labels]}
    if tile.refused:
        item |= {"refused": {"S": tile.refused}, "refusedBy": {"S": tile.refused_by}}
    return item


def _tile(item: Item) -> Tile:
    found = item.get("labels")
    labels = found and tuple(map(recognised_label.of_item, found["L"]))
    return Tile(
        item["label"]["S"],
        item["name"]["S"],
        item["version"]["S"],
        tile=bytes(item["tile"]["B"]) if "tile" in item else b"",
        labels=labels,
        refused=item["refused"]["S"] if "refused" in item else "",
        refused_by=item["refusedBy"]["S"] if "refusedBy" in item else "",
    )
