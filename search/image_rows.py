"""The rows of images by their ids: BatchGetItem of image-chunks, 1 read unit each."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from shared.images import Image
from shared.labels import batch_get, items

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class ImageRows:
    """The rows of images of any labels, in the table with this name."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client, self._table = client, table

    def of(self, ids: Iterable[str]) -> dict[str, Image]:
        """Return id -> image of those that exist. The read is consistent, so that a deleted image is never found."""
        keys = [items.image_key(*image_id.split("/", 1)) for image_id in ids]
        read = batch_get.read(self._client, self._table, keys, consistent=True)
        return {image.id: image for image in map(items.image, read)}
