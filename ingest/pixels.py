"""The bytes of a stored picture -> a smaller picture for a recogniser, or Unrecognisable."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

from PIL import Image

from detections import Unrecognisable
from shared.pictures import scaling
from shared.pictures.check import MAX_PIXELS, PILLOW_ERRORS

FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}  # what Pillow calls them
TOO_LARGE = f"The picture is too large: it has more than {MAX_PIXELS} pixels, or needs more memory than there is."


def small(content: bytes, content_type: str, side: int) -> Image.Image:
    """The picture as RGB or RGBA, upright, with its longest side at most `side` pixels."""
    with _decoding(content, content_type):
        return scaling.small(content, side)


def jpeg(content: bytes, content_type: str, *, longest: int, least: int) -> bytes:
    """The same as JPEG, on white, with white beside it where a side has not the least number of pixels."""
    picture = scaling.on_white(small(content, content_type, longest))
    canvas = Image.new("RGB", (max(picture.width, least), max(picture.height, least)), "white")
    canvas.paste(picture, ((canvas.width - picture.width) // 2, (canvas.height - picture.height) // 2))
    return scaling.encoded(canvas, "jpg")


def size(content: bytes, content_type: str) -> tuple[int, int]:
    """Width and height in pixels."""
    with _decoding(content, content_type) as size:
        return size


@contextmanager
def _decoding(content: bytes, content_type: str) -> Iterator[tuple[int, int]]:
    """In here, a picture of this type and size may be decoded; Unrecognisable says why it cannot be."""
    if content_type not in FORMATS:
        raise Unrecognisable(f"Pictures of the type {content_type} are not supported; {', '.join(FORMATS)} are.")
    try:
        with Image.open(BytesIO(content), formats=[FORMATS[content_type]]) as header:
            size = header.size
        if size[0] * size[1] > MAX_PIXELS:
            raise Unrecognisable(TOO_LARGE)
        yield size
    except (MemoryError, Image.DecompressionBombError) as error:
        raise Unrecognisable(TOO_LARGE) from error
    except PILLOW_ERRORS as error:
        raise Unrecognisable(f"The picture is broken: it cannot be decoded as {content_type}.") from error
