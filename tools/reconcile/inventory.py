"""The store, with the operations that only reconcile needs: list everything, and give images other versions."""

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from shared.images import Image, Pool
from shared.labels import chunks, items
from shared.labels.retries import retried
from shared.labels.store import Store


class Inventory(Store):
    """A store that can list all labels and all images."""

    def labels(self) -> Iterator[str]:
        """Yield each label that ever had an image, once for each lane.  This reads the whole chunk-info table."""
        pages = self._client.get_paginator("scan").paginate(
            TableName=self._chunks_table,
            FilterExpression="chunkNumber < :chunks",
            ProjectionExpression="label",
            ExpressionAttributeValues={":chunks": items.number(chunks.FIRST_CHUNK_NUMBER)},
        )
        for page in pages:
            pools = [Pool.of_key(item["label"]["S"]) for item in page["Items"]]
            yield from (pool.label for pool in pools if not pool.tag)

    def images(self, label: str) -> Iterator[Image]:
        """Yield all images of a label, sorted by name."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._images_table,
            KeyConditionExpression="label = :label",
            ExpressionAttributeValues={":label": {"S": label}},
        )
        for page in pages:
            yield from map(items.image, page["Items"])

    def list_label(self, label: str) -> None:
        """Put the label into the list of labels, where labels from before there was a list are missing."""
        retried(lambda _: self._write([self._transactions.register(label)]))

    def rename_version(self, image: Image, version_id: str) -> None:
        """Let the image name another version of its picture, if it still names the version that was read."""
        writes: list[Any] = [
            {
                "Update": {
                    "TableName": self._images_table,
                    "Key": items.image_key(pool.key, image.name),
                    "UpdateExpression": "SET versionId = :new",
                    "ConditionExpression": "versionId = :old",
                    "ExpressionAttributeValues": {":new": {"S": version_id}, ":old": {"S": image.version_id}},
                }
            }
            for pool in image.pools
        ]
        try:
            self._client.transact_write_items(TransactItems=writes)
        except ClientError as error:
            if "CancellationReasons" not in error.response:
                raise
