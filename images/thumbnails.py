"""GET /images/{label}/{name}?size=: a thumbnail, made once and kept; WebP for those who take it, otherwise JPEG."""

import re
from dataclasses import dataclass
from hashlib import sha256

from shared import images
from shared.api import Request
from shared.bucket import EXTENSIONS, SIDES, Bucket, ThumbnailBucket
from shared.errors import UnprocessableValue
from shared.images import Image
from shared.store import Store

WEIGHT = re.compile(r"q=([01](\.[0-9]{0,3})?)")  # RFC 9110, section 12.4.2


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """One of those that an image can have. `side` is in pixels, `extension` webp or jpg."""

    label: str
    name: str
    side: int
    extension: str

    @property
    def headers(self) -> dict[str, str]:
        """A picture's, with an ETag of its own; the address is the same for both types, so caches have to ask."""
        stem = self.name.partition(".")[0]
        own_name = f"{stem}-{self.side}.{self.extension}"
        etag = sha256(own_name.encode()).hexdigest()[:32]
        return {**images.picture_headers(self.label, own_name), "ETag": f'"{etag}"', "Vary": "Accept"}


def asked(request: Request, label: str, name: str) -> Thumbnail | None:
    """The thumbnail that the request is for, None if it is for the picture; UnprocessableValue for other sizes."""
    size = request.query.get("size")
    if size is None:
        return None
    if size not in map(str, SIDES):
        raise UnprocessableValue(f"size must be one of {', '.join(map(str, SIDES))}.", field="size")
    return Thumbnail(label, name, int(size), best_extension(request.headers.get("accept", "")))


def best_extension(accept: str) -> str:
    """The type of thumbnail that an Accept header likes best: webp where it likes both alike, jpg where none.

    Browsers name image/webp or take `image/*`, and all of them can show it by now; curl and fetch() say `*/*`.  Those
    who say nothing get what every program reads.
    """
    liked = {extension: quality(accept, images.CONTENT_TYPES[extension]) for extension in EXTENSIONS}
    return "webp" if 0 < liked["webp"] >= liked["jpg"] else "jpg"


def quality(accept: str, media_type: str) -> float:
    """How much an Accept header likes a type, from 0 to 1: the most special range counts (RFC 9110, section 12.5.1)."""
    ranges: dict[str, float] = {}
    for entry in "".join(accept.lower().split()).split(","):
        name, *parameters = entry.split(";")
        weights = [float(found[1]) for found in map(WEIGHT.fullmatch, parameters) if found]
        ranges[name] = weights[0] if weights else 1.0
    general = media_type.partition("/")[0] + "/*"
    return next((ranges[name] for name in (media_type, general, "*/*") if name in ranges), 0.0)


def content(
    thumbnail: Thumbnail, image: Image, store: Store, pictures: Bucket, thumbnails: ThumbnailBucket
) -> bytes | None:
    """The thumbnail's bytes, made and kept if nobody did before; None if the image is gone by now."""
    kept = thumbnails.get(image.id, thumbnail.side, thumbnail.extension)
    if kept is not None:
        return kept
    picture = pictures.get(image.id)
    if picture is None:
        return None
    from shared.scaling import scaled  # with Pillow, which other answers do not wait for

    made = scaled(picture, thumbnail.side, thumbnail.extension)
    thumbnails.put(image.id, thumbnail.side, thumbnail.extension, made)
    # A delete that came between our first look and the put did not see what was put; one that comes later does.
    if store.image(image.label, image.name, consistent=True) is None:
        thumbnails.discard(image.id)
        return None
    return made
