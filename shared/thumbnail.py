"""A thumbnail that an image can have: its size and type, as a request asks for them, and its headers."""

from dataclasses import dataclass
from hashlib import sha256

from shared import images
from shared.api.accept import quality
from shared.api.endpoint import Request
from shared.api.image_json import picture_headers
from shared.errors import UnprocessableValue
from shared.pictures.bucket import EXTENSIONS, LOOK, SIDES

FAILED = b"cannot be shown until "  # begins what is kept in the place of a thumbnail, before seconds since 1970


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A thumbnail that an image can have. `side` is in pixels, `extension` is webp or jpg."""

    label: str
    name: str
    side: int
    extension: str

    @property
    def shown_headers(self) -> dict[str, str]:
        """The headers of a picture. Both types have one URL, so Vary names Accept."""
        return {**picture_headers(self.label, self._own_name), "Vary": "Accept"}

    @property
    def headers(self) -> dict[str, str]:
        """The same with the thumbnail's own ETag."""
        etag = sha256(f"{self._own_name} {LOOK}".encode()).hexdigest()[:32]
        return {**self.shown_headers, "ETag": f'"{etag}"'}

    @property
    def _own_name(self) -> str:
        return f"{self.name.partition('.')[0]}-{self.side}.{self.extension}"


def requested_side(request: Request) -> int | None:
    """Return the size that the request names, or None without `size`. Refuse other sizes."""
    size = request.query.get("size")
    if size is None:
        return None
    if size not in map(str, SIDES):
        raise UnprocessableValue(
            f"size must be {', '.join(map(str, SIDES[:-1]))} or {SIDES[-1]}; leave it out for the whole picture.",
            field="size",
        )
    return int(size)


def requested(request: Request, label: str, name: str) -> Thumbnail | None:
    """Return the thumbnail of this image that the request names, or None without `size`. Refuse other sizes."""
    side = requested_side(request)
    return Thumbnail(label, name, side, best_extension(request.headers.get("accept", ""))) if side else None


def best_extension(accept: str) -> str:
    """Return the type of thumbnail that an Accept header rates higher: webp for a tie, jpg if it accepts neither.

    Browsers name image/webp or accept `image/*`, and all of them can show WebP; curl and fetch() send `*/*`.  A client
    without the header gets JPEG, which every program reads.
    """
    liked = {extension: quality(accept, images.CONTENT_TYPES[extension]) for extension in EXTENSIONS}
    return "webp" if 0 < liked["webp"] >= liked["jpg"] else "jpg"
