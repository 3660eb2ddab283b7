"""Reads of many images at once, in one or two calls.

| pattern                     | request                                | units                        |
|-----------------------------|----------------------------------------|------------------------------|
| images by name, at most 100 | BatchGetItem image-chunks              | 0.5 read each                |
| the weights of a whole pool | Query chunk-info, chunkNumber >= 10^11 | 0.5 read per 4 KB: 80 images |
"""

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from shared.images import Image, Pool
from shared.labels import batch_get, chunks, items
from shared.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class Rows:
    """The rows of images, and the weights of whole pools, for requests that need many at once."""

    def __init__(self, client: "DynamoDBClient", settings: Settings) -> None:
        self._client = client
        self._images_table, self._chunks_table = settings.image_chunks_table, settings.chunk_info_table
        self._consistent = settings.consistent_reads

    def named(self, label: str, names: Collection[str]) -> dict[str, Image]:
        """Return name -> image of the images that exist.  If one seems missing, read it again consistently."""
        found = self._named(label, names, consistent=self._consistent)
        missing = [name for name in names if name not in found]
        if missing and not self._consistent:
            found |= self._named(label, missing, consistent=True)
        return found

    def weights(self, pool: Pool) -> dict[str, int]:
        """Return name -> weight of all images of a pool.  This reads all of its chunks."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._chunks_table,
            KeyConditionExpression="label = :label AND chunkNumber >= :chunks",
            ExpressionAttributeValues={":label": {"S": pool.key}, ":chunks": items.number(chunks.FIRST_CHUNK_NUMBER)},
            ConsistentRead=self._consistent,
        )
        return {
            name: weight for page in pages for item in page["Items"] for name, weight in items.weights(item).items()
        }

    def _named(self, label: str, names: Iterable[str], *, consistent: bool) -> dict[str, Image]:
        keys = [items.image_key(label, name) for name in sorted(set(names))]
        read = batch_get.read(self._client, self._images_table, keys, consistent=consistent)
        return {image.name: image for image in map(items.image, read)}
