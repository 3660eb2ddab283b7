"""GET /images/{label}/{name}?size=: a thumbnail, made once and kept, as WebP or JPEG."""

import logging
import time
from dataclasses import dataclass
from hashlib import sha256

from shared import images
from shared.api.accept import quality
from shared.api.endpoint import Request
from shared.api.image_json import picture_headers
from shared.errors import UnprocessableValue
from shared.images import Image
from shared.labels.store import Store
from shared.pictures.bucket import EXTENSIONS, LOOK, SIDES, Bucket, ThumbnailBucket
from shared.pictures.budget import CannotBeShown, TooMuchWork

logger = logging.getLogger("petapi")

clock = time.time  # seconds since 1970
FAILED = b"cannot be shown until "  # begins what is kept in the place of a thumbnail, before seconds since 1970
KEPT = 7 * 86_400  # seconds; the bucket removes it then, too
RETRIED_AFTER = 3_600  # seconds; another container may have the time or the memory that this one had not


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A thumbnail that an image can have. `side` is in pixels, `extension` is webp or jpg."""

    label: str
    name: str
    side: int
    extension: str

    @property
    def headers(self) -> dict[str, str]:
        """The headers of a picture with the thumbnail's own ETag. Both types have one URL, so Vary names Accept."""
        stem = self.name.partition(".")[0]
        own_name = f"{stem}-{self.side}.{self.extension}"
        etag = sha256(f"{own_name} {LOOK}".encode()).hexdigest()[:32]
        return {**picture_headers(self.label, own_name), "ETag": f'"{etag}"', "Vary": "Accept"}


def requested(request: Request, label: str, name: str) -> Thumbnail | None:
    """Return the thumbnail that the request names, or None without `size`. Refuse other sizes."""
    size = request.query.get("size")
    if size is None:
        return None
    if size not in map(str, SIDES):
        raise UnprocessableValue(
            f"size must be {', '.join(map(str, SIDES[:-1]))} or {SIDES[-1]}; leave it out for the whole picture.",
            field="size",
        )
    return Thumbnail(label, name, int(size), best_extension(request.headers.get("accept", "")))


def best_extension(accept: str) -> str:
    """Return the type of thumbnail that an Accept header rates higher: webp for a tie, jpg if it accepts neither.

    Browsers name image/webp or accept `image/*`, and all of them can show WebP; curl and fetch() send `*/*`.  A client
    without the header gets JPEG, which every program reads.
    """
    liked = {extension: quality(accept, images.CONTENT_TYPES[extension]) for extension in EXTENSIONS}
    return "webp" if 0 < liked["webp"] >= liked["jpg"] else "jpg"


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
        lifetime = RETRIED_AFTER if isinstance(error, TooMuchWork) else KEPT
        return FAILED + str(int(clock()) + lifetime).encode()


def _is_over(kept: bytes) -> bool:
    """Tell whether a failure was kept and should be tried again."""
    return kept.startswith(FAILED) and int(kept.removeprefix(FAILED)) <= clock()
