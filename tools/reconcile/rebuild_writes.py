"""The writes that put the images of a pool into their places, whatever is there now: pure."""

from dataclasses import dataclass

from shared.images import Image, Pool
from shared.labels import items
from shared.labels.chunks import Lane
from shared.labels.items import Item
from shared.labels.transactions import Write
from tools.reconcile.placing import Filled


@dataclass(frozen=True, slots=True)
class Placed:
    """An image that gets a place in a pool, and its row there, None if it is missing."""

    image: Image
    row: Item | None


@dataclass(frozen=True, slots=True)
class RebuildWrites:
    """The writes for these two tables."""

    image_chunks_table: str
    chunk_info_table: str

    def chunk(self, pool: Pool, chunk: Filled[Placed]) -> Write:
        """Write a chunk with its images."""
        weights = {placed.image.name: placed.image.weight for placed in chunk.images}
        return {"Put": {"TableName": self.chunk_info_table, "Item": items.chunk_item(pool, chunk.number, weights)}}

    def row(self, pool: Pool, placed: Placed, chunk_number: int) -> Write | None:
        """Write the row of an image, if it is not yet as it should be."""
        if pool.tag:
            item = items.tag_item(placed.image, pool, chunk_number)
            return None if item == placed.row else {"Put": {"TableName": self.image_chunks_table, "Item": item}}
        if placed.row and placed.row["chunkNumber"] == items.number(chunk_number):
            return None
        update = {
            "TableName": self.image_chunks_table,
            "Key": items.image_key(pool.key, placed.image.name),
            "UpdateExpression": "SET chunkNumber = :chunk",
            "ConditionExpression": "weight = :weight AND versionId = :version",  # fails if another client writes
            "ExpressionAttributeValues": {
                ":chunk": items.number(chunk_number),
                ":weight": items.number(placed.image.weight),
                ":version": {"S": placed.image.version_id},
            },
        }
        return {"Update": update}

    def lane(self, pool: Pool, lane: Lane) -> Write:
        """Write a lane."""
        return {"Put": {"TableName": self.chunk_info_table, "Item": items.lane_item(pool, lane)}}

    def no_chunk(self, pool: Pool, number: int) -> Write:
        """Delete a chunk or a lane."""
        return {"Delete": {"TableName": self.chunk_info_table, "Key": items.chunk_key(pool, number)}}

    def no_row(self, pool: Pool, name: str) -> Write:
        """Delete a row under a tag."""
        return {"Delete": {"TableName": self.image_chunks_table, "Key": items.image_key(pool.key, name)}}
