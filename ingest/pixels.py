"""Decoding of stored pictures for recognisers: a smaller picture, or Unrecognisable."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

from PIL import Image

from detections import Unrecognisable
from shared.pictures import scaling
from shared.pictures.budget import CannotBeShown
from shared.pictures.check import MAX_PIXELS, PILLOW_ERRORS
from shared.pictures.shown import shown

FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}  # Pillow's names
TOO_LARGE = f"The picture is too large: it has more than {MAX_PIXELS} pixels, or needs too much memory."


def small(content: bytes, content_type: str, side: int) -> Image.Image:
    """Decode the picture as RGB or RGBA, upright, with its longest side at most `side` pixels."""
    with _decoding(content, content_type):
        return shown(content, side)


def jpeg(content: bytes, content_type: str, *, longest: int, least: int) -> bytes:
    """Encode the picture as JPEG on white, with its longest side at most `longest` pixels.

    A side with fewer than `least` pixels gets white borders up to that length.
    """
    picture = scaling.on_white(small(content, content_type, longest))
    canvas = Image.new("RGB", (max(picture.width, least), max(picture.height, least)), "white")
    canvas.paste(picture, ((canvas.width - picture.width) // 2, (canvas.height - picture.height) // 2))
    return scaling.encoded(canvas, "jpg")


def size(content: bytes, content_type: str) -> tuple[int, int]:
    """Return width and height in pixels."""
    with _decoding(content, content_type) as size:
        return size


@contextmanager
def _decoding(content: bytes, content_type: str) -> Iterator[tuple[int, int]]:
    """Check that the picture may be decoded inside, and turn failures of Pillow into Unrecognisable."""
    if content_type not in FORMATS:
        raise Unrecognisable(f"Pictures of the type {content_type} are not supported; use one of {', '.join(FORMATS)}.")
    try:
        with Image.open(BytesIO(content), formats=[FORMATS[content_type]]) as header:
            size = header.size
        if size[0] * size[1] > MAX_PIXELS:
            raise Unrecognisable(TOO_LARGE)
        yield size
    except (MemoryError, Image.DecompressionBombError) as error:
        raise Unrecognisable(TOO_LARGE) from error
    except (CannotBeShown, *PILLOW_ERRORS) as error:
        raise Unrecognisable(f"The picture is broken: it cannot be decoded as {content_type}.") from error
