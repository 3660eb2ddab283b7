"""GET /images/{label}/{name}?size=: a thumbnail, made once and kept, as WebP or JPEG."""

import logging
import time

from shared.errors import UnprocessableValue
from shared.images import Image
from shared.labels.store import Store
from shared.pictures.bucket import Bucket, ThumbnailBucket
from shared.pictures.budget import RETRIED_AFTER, CannotBeShown, TooMuchWork
from shared.thumbnail import FAILED, Thumbnail

logger = logging.getLogger("petapi")

clock = time.time  # seconds since 1970
FAILURE_KEPT = 90 * 86_400  # seconds; the lifecycle rule of the bucket removes everything then


def read_or_make(
    thumbnail: Thumbnail, image: Image, store: Store, pictures: Bucket, thumbnails: ThumbnailBucket
) -> bytes | None:
    """Return the bytes of the thumbnail, and make and keep it if it is new. Return None if the image is gone.

    Raise UnprocessableValue if the picture cannot be shown.  That is kept, too, so that not every look tries again.
    """
    kept = thumbnails.get(image.id, thumbnail.side, thumbnail.extension)
    if kept is None or _is_over(kept):
        kept = _make(thumbnail, image, store, pictures, thumbnails)
    if kept is not None and kept.startswith(FAILED):
        raise UnprocessableValue(
            f"{image.id} has no thumbnails, because it cannot be decoded within the limits of this service; leave size "
            "out for the whole picture.",
            field="size",
        )
    return kept


def _make(
    thumbnail: Thumbnail, image: Image, store: Store, pictures: Bucket, thumbnails: ThumbnailBucket
) -> bytes | None:
    picture = pictures.get(image.id, image.version_id)
    if picture is None:
        return None
    made = _scaled(picture, thumbnail)
    thumbnails.put(image.id, thumbnail.side, thumbnail.extension, made)
    # A delete between the first read and the put did not see this thumbnail. A later delete will see it.
    if store.image(image.label, image.name, consistent=True) is None:
        thumbnails.discard(image.id)
        return None
    return made


def _scaled(picture: bytes, thumbnail: Thumbnail) -> bytes:
    """Make the thumbnail, or what is kept in its place if the picture cannot be shown: until when that counts."""
    from shared.pictures.scaling import scaled

    try:
        return scaled(picture, thumbnail.side, thumbnail.extension)
    except CannotBeShown as error:
        logger.warning("%s/%s cannot be shown: %s", thumbnail.label, thumbnail.name, error)
        lifetime = RETRIED_AFTER if isinstance(error, TooMuchWork) else FAILURE_KEPT
        return FAILED + str(int(clock()) + lifetime).encode()


def _is_over(kept: bytes) -> bool:
    """Tell whether a failure was kept and should be tried again."""
    return kept.startswith(FAILED) and int(kept.removeprefix(FAILED)) <= clock()
