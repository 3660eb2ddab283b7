"""Check the bytes of an upload: strip them to the picture, and decode it once."""

from dataclasses import dataclass
from functools import cache

# isort: off
import pylibmagic  # noqa: F401 (it has the libmagic that magic looks for, so it comes first)
import magic
# isort: on

from shared.errors import UnprocessableValue, UnsupportedMediaType
from shared.pictures import decoding, sizes
from shared.pictures.budget import CannotBeShown, TooMuchWork
from shared.pictures.stripping import strip
from shared.pictures.stripping.strip_parts import Broken, Cleaned

MAGIC_BYTES = 4096  # bytes: enough to detect a type, and all that an old libmagic should read of an untrusted file


@dataclass(frozen=True, slots=True)
class Picture:
    """A whole JPEG, PNG or WebP file as it will be stored, without metadata.

    `extension` is jpg, png or webp.  `width` and `height` are pixels as stored, before the orientation is applied.
    """

    content: bytes
    extension: strip.Kind
    width: int
    height: int


# What libmagic calls them.
_MEDIA_TYPES: dict[strip.Kind, tuple[str, ...]] = {
    "jpg": ("image/jpeg",),
    "png": ("image/png", "image/apng", "image/vnd.mozilla.apng"),
    "webp": ("image/webp",),
}


def check_picture(data: bytes) -> Picture:
    """Strip these bytes to the picture in them, decode it once, and return it.

    Raise UnsupportedMediaType for anything but a whole JPEG, PNG or WebP file, and UnprocessableValue for one that
    takes too much work: too many pixels or frames, or more than the budget of time and memory.  The container is
    stripped first, so the decoder sees no metadata and accepts exactly the bytes that are stored.
    """
    kind = _kind(data)
    cleaned = strip.clean(data, kind)
    _check_decodes(cleaned, kind)
    return Picture(cleaned.content, kind, cleaned.width, cleaned.height)


def _kind(data: bytes) -> strip.Kind:
    """Return the format that the first bytes and libmagic agree on."""
    kind, media_type = strip.kind_of(data), _media_type(data)
    if kind and media_type in _MEDIA_TYPES[kind]:
        return kind
    from shared.pictures import transport

    if damage := transport.damage(data):
        raise UnsupportedMediaType(f"img {damage}.", field="img")
    if kind:
        raise UnsupportedMediaType(
            f"img begins like a picture ({kind}), but it looks like {media_type}; save it again as JPEG, PNG or WebP "
            "and retry.",
            field="img",
        )
    if media_type in ("image/jpeg", "image/png", "image/webp"):
        raise UnsupportedMediaType(
            f"img looks like {media_type}, but does not begin as such a file does; save it again and retry.",
            field="img",
        )
    raise UnsupportedMediaType(
        f"img is {media_type}, but must be a JPEG, PNG or WebP picture; convert it and retry.", field="img"
    )


def _media_type(data: bytes) -> str:
    try:
        return _libmagic().from_buffer(data[:MAGIC_BYTES])
    except magic.MagicException:
        return "of an unknown type"


@cache
def _libmagic() -> magic.Magic:
    return magic.Magic(mime=True)


def _check_decodes(cleaned: Cleaned, kind: strip.Kind) -> None:
    try:
        sizes.check(cleaned, kind)
        decoding.check(cleaned)
    except TooMuchWork as error:
        raise UnprocessableValue(
            f"img cannot be taken, because {error.reason}; {error.remedy} and retry.", field="img"
        ) from error
    except CannotBeShown as error:
        raise Broken(error.reason) from error
