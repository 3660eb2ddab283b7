"""GET /images/{label}/{name}?size=: a thumbnail, made once and kept; WebP for those who take it, otherwise JPEG."""

from dataclasses import dataclass
from hashlib import sha256

from shared import images
from shared.api.accept import quality
from shared.api.endpoint import Request
from shared.api.image_json import picture_headers
from shared.errors import UnprocessableValue
from shared.images import Image
from shared.labels.store import Store
from shared.pictures.bucket import EXTENSIONS, SIDES, Bucket, ThumbnailBucket


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
        return {**picture_headers(self.label, own_name), "ETag": f'"{etag}"', "Vary": "Accept"}


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
    from shared.pictures.scaling import scaled

    made = scaled(picture, thumbnail.side, thumbnail.extension)
    thumbnails.put(image.id, thumbnail.side, thumbnail.extension, made)
    # A delete that came between our first look and the put did not see what was put; one that comes later does.
    if store.image(image.label, image.name, consistent=True) is None:
        thumbnails.discard(image.id)
        return None
    return made
