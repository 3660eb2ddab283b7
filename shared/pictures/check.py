"""Check the bytes of an upload: strip them to the picture, and decode it once."""

import re
import struct
import zlib
from dataclasses import dataclass
from functools import cache
from io import BytesIO

# isort: off
import pylibmagic  # noqa: F401 (it has the libmagic that magic looks for, so it comes first)
import magic
# isort: on

# Without these three plugins, Pillow imports all of its forty to find WebP.
from PIL import Image, JpegImagePlugin, PngImagePlugin, WebPImagePlugin  # noqa: F401

from shared.errors import UnprocessableValue, UnsupportedMediaType
from shared.pictures import strip
from shared.pictures.icc import PROFILE_MAX
from shared.pictures.strip_parts import Broken, Cleaned

PngImagePlugin.MAX_TEXT_CHUNK = PROFILE_MAX + 1  # bytes, for a stored profile; Pillow itself refuses above 1 MiB

MAX_PIXELS = 50_000_000  # pixels of all frames: 200 MB once decoded, 4 bytes each
MAX_FRAMES = 1_000  # frames: each has a fixed cost for the decoder, however small it is
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


@dataclass(frozen=True, slots=True)
class _Format:
    signature: re.Pattern[bytes]
    media_types: tuple[str, ...]  # what libmagic calls it
    pillow: str  # what Pillow calls it


_FORMATS: dict[strip.Kind, _Format] = {
    "jpg": _Format(re.compile(rb"\xff\xd8\xff"), ("image/jpeg",), "JPEG"),
    "png": _Format(re.compile(rb"\x89PNG\r\n\x1a\n"), ("image/png", "image/apng", "image/vnd.mozilla.apng"), "PNG"),
    "webp": _Format(re.compile(rb"RIFF....WEBP", re.DOTALL), ("image/webp",), "WEBP"),
}

# What Pillow and its plugins raise on hostile files.
PILLOW_ERRORS = (
    Image.DecompressionBombError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    OverflowError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)


def check_picture(data: bytes) -> Picture:
    """Strip these bytes to the picture in them, decode it once, and return it.

    Raise UnsupportedMediaType for anything but a whole JPEG, PNG or WebP file, and UnprocessableValue for too many
    pixels or frames.  The container is stripped first, so the decoder sees no metadata and accepts exactly the bytes
    that are stored.
    """
    kind = _kind(data)
    cleaned = strip.clean(data, kind)
    _check_size(cleaned)
    _check_decodes(cleaned, _FORMATS[kind].pillow)
    return Picture(cleaned.content, kind, cleaned.width, cleaned.height)


def _kind(data: bytes) -> strip.Kind:
    """Return the format that the first bytes and libmagic agree on."""
    media_type = _media_type(data)
    for kind, known in _FORMATS.items():
        if known.signature.match(data) and media_type in known.media_types:
            return kind
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


def _check_size(cleaned: Cleaned) -> None:
    """Refuse a picture by its header, before a decoder takes memory for the pixels."""
    if cleaned.width * cleaned.height * cleaned.frames > MAX_PIXELS:
        raise UnprocessableValue(
            f"img has {cleaned.width} x {cleaned.height} pixels in {cleaned.frames} frame(s), "
            f"but all frames may have at most {MAX_PIXELS:,} pixels; make it smaller and retry.",
            field="img",
        )
    if cleaned.frames > MAX_FRAMES:
        raise UnprocessableValue(
            f"img has {cleaned.frames} frames, but may have at most {MAX_FRAMES:,}; shorten it and retry.", field="img"
        )


def _check_decodes(cleaned: Cleaned, pillow_format: str) -> None:
    try:
        with Image.open(BytesIO(cleaned.content), formats=[pillow_format]) as image:
            decoded = (*image.size, getattr(image, "n_frames", 1))
            if decoded != (cleaned.width, cleaned.height, cleaned.frames):
                raise Broken("its parts disagree about its size or frames")
            for frame in range(cleaned.frames):
                image.seek(frame)
                image.load()
    except MemoryError as error:  # the pixels are within the limit, so the file itself may be fine
        raise UnprocessableValue("img needs too much memory; make it smaller and retry.", field="img") from error
    except PILLOW_ERRORS as error:
        raise Broken("its pixels cannot be decoded") from error
