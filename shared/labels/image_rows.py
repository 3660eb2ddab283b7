"""The rows of images by their ids: BatchGetItem of image-chunks, 1 read unit each."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from shared.images import Image, is_image_path
from shared.labels import batch_get, items

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class ImageRows:
    """The rows of images of any labels, in the table with this name."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client, self._table = client, table

    def of(self, ids: Iterable[str]) -> dict[str, Image]:
        """Return id -> image of those that exist. The read is consistent, so that a deleted image is never found.

        A text that is no image's id, such as the key of a vector that another program put into the index, has no row.
        """
        paths = [(label, name) for label, _, name in (image_id.partition("/") for image_id in ids)]
        keys = [items.image_key(*path) for path in paths if is_image_path(*path)]
        read = batch_get.read(self._client, self._table, keys, consistent=True)
        return {image.id: image for image in map(items.image, read)}
