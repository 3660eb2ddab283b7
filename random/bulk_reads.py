"""Reads of many images at once, in one or two calls.

| pattern                      | request                                | units                        |
|------------------------------|----------------------------------------|------------------------------|
| images by id, at most 100    | BatchGetItem image-chunks              | 0.5 read each                |
| their places in pools        | BatchGetItem image-chunks              | 0.5 read each                |
| the weights of a whole pool  | Query chunk-info, chunkNumber >= 10^11 | 0.5 read per 4 KB: 80 images |
"""

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from shared.images import Image, Pool
from shared.labels import batch_get, chunks, items
from shared.labels.items import Entry, Item
from shared.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class Rows:
    """The rows of images, and the weights of whole pools, for requests that need many at once."""

    def __init__(self, client: "DynamoDBClient", settings: Settings) -> None:
        self._client = client
        self._images_table, self._chunks_table = settings.image_chunks_table, settings.chunk_info_table
        self._consistent = settings.consistent_reads

    def images(self, ids: Collection[str]) -> dict[str, Image]:
        """Return id -> image of the images that exist.  If one seems missing, read it again consistently."""
        keys = [items.image_key(*image_id.split("/")) for image_id in sorted(set(ids))]
        found = {image.id: image for image in map(items.image, self._read(keys, consistent=self._consistent))}
        if len(found) < len(keys) and not self._consistent:
            missing = [key for key in keys if f"{key['label']['S']}/{key['s3key']['S']}" not in found]
            found |= {image.id: image for image in map(items.image, self._read(missing, consistent=True))}
        return found

    def entries(self, places: Iterable[tuple[Pool, str]], *, consistent: bool) -> list[Entry]:
        """Return the places of the images of these names in these pools, of those that exist."""
        keys = [items.image_key(pool.key, name) for pool, name in places]
        return [*map(items.entry, self._read(keys, consistent=consistent or self._consistent))]

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

    def _read(self, keys: Sequence[Item], *, consistent: bool) -> list[Item]:
        return batch_get.read(self._client, self._images_table, keys, consistent=consistent)
