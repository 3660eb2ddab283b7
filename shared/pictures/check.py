"""The bytes of an upload -> a picture that is known to decode, as it will be stored."""

import re
import struct
import zlib
from dataclasses import dataclass
from functools import cache
from io import BytesIO

# isort: off
import pylibmagic  # noqa: F401 (carries the libmagic that magic looks for, so it comes first)
import magic
# isort: on

# Without the three plugins Pillow imports all its forty to find WebP.
from PIL import Image, JpegImagePlugin, PngImagePlugin, WebPImagePlugin  # noqa: F401

from shared.errors import UnprocessableValue, UnsupportedMediaType
from shared.pictures import strip
from shared.pictures.strip_parts import Broken, Cleaned

MAX_PIXELS = 50_000_000  # pixels of all frames: 200 MB once decoded, 4 bytes each
MAX_FRAMES = 1_000  # frames: a decoder's fixed cost for each one is the same however small it is
MAGIC_BYTES = 4096  # bytes: enough to tell a type, and all that an old libmagic should be given of a stranger's file


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as it will be stored: JPEG, PNG or WebP, whole, and nothing in it but the picture.

    `extension` is jpg, png or webp; `width` and `height` are pixels as stored, before any orientation.
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
    """The picture in these bytes, cleaned and decoded once.

    Raises UnsupportedMediaType for anything but a whole JPEG, PNG or WebP file, UnprocessableValue for too many
    pixels.  The container is cleaned first, so that the decoder meets no metadata and what it accepts is to the byte
    what is stored.
    """
    kind = _kind(data)
    cleaned = strip.clean(data, kind)
    _check_size(cleaned)
    _check_decodes(cleaned, _FORMATS[kind].pillow)
    return Picture(cleaned.content, kind, cleaned.width, cleaned.height)


def _kind(data: bytes) -> strip.Kind:
    """The format that the first bytes and libmagic agree on."""
    media_type = _media_type(data)
    for kind, known in _FORMATS.items():
        if known.signature.match(data) and media_type in known.media_types:
            return kind
    raise UnsupportedMediaType(
        f"img is {media_type}; only JPEG, PNG and WebP pictures are taken: convert it and retry.", field="img"
    )


def _media_type(data: bytes) -> str:
    try:
        return _libmagic().from_buffer(data[:MAGIC_BYTES])
    except magic.MagicException:
        return "of no type that is known"


@cache
def _libmagic() -> magic.Magic:
    return magic.Magic(mime=True)


def _check_size(cleaned: Cleaned) -> None:
    """Refuses by the header alone, before a decoder takes memory for the pixels."""
    if cleaned.width * cleaned.height * cleaned.frames > MAX_PIXELS:
        raise UnprocessableValue(
            f"img has {cleaned.width} x {cleaned.height} pixels in {cleaned.frames} frame(s); "
            f"at most {MAX_PIXELS} pixels are taken: make it smaller and retry.",
            field="img",
        )
    if cleaned.frames > MAX_FRAMES:
        raise UnprocessableValue(
            f"img has {cleaned.frames} frames; at most {MAX_FRAMES} are taken: shorten it and retry.", field="img"
        )


def _check_decodes(cleaned: Cleaned, pillow_format: str) -> None:
    try:
        with Image.open(BytesIO(cleaned.content), formats=[pillow_format]) as image:
            decoded = (*image.size, getattr(image, "n_frames", 1))
            if decoded != (cleaned.width, cleaned.height, cleaned.frames):
                raise Broken("its parts disagree about its size")
            for frame in range(cleaned.frames):
                image.seek(frame)
                image.load()
    except MemoryError as error:  # within the pixel limit, so the file may be a good one
        raise UnprocessableValue("img needs too much memory: make it smaller and retry.", field="img") from error
    except PILLOW_ERRORS as error:
        raise Broken("its pixels cannot be decoded") from error
