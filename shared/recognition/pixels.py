"""Decoding of stored pictures for recognisers: a smaller picture, or Unrecognisable."""

from io import BytesIO

from PIL import Image

from shared import images
from shared.pictures import decoding, scaling
from shared.pictures.budget import CannotBeShown, TooMuchWork, failures
from shared.pictures.showing.shown import FORMATS
from shared.pictures.stripping import strip
from shared.recognition.detections import Unrecognisable, UnrecognisableNow

TYPES = tuple(images.CONTENT_TYPES.values())


def small(content: bytes, content_type: str, side: int) -> Image.Image:
    """Decode the picture as RGB or RGBA, upright, with its longest side at most `side` pixels."""
    _check_type(content, content_type)
    try:
        return decoding.small(content, side)
    except TooMuchWork as error:
        raise UnrecognisableNow(f"The picture is too large: {error.reason}.") from error
    except CannotBeShown as error:
        raise Unrecognisable(f"The picture is broken: {error.reason}.") from error


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
    _check_type(content, content_type)
    try:
        with failures(), Image.open(BytesIO(content), formats=FORMATS) as header:
            return header.size
    except CannotBeShown as error:
        raise Unrecognisable(f"The picture is broken: it cannot be read as {content_type}.") from error


def _check_type(content: bytes, content_type: str) -> None:
    if content_type not in TYPES:
        raise Unrecognisable(f"Pictures of the type {content_type} are not supported; use one of {', '.join(TYPES)}.")
    kind = strip.kind_of(content)
    if kind is None or images.CONTENT_TYPES[kind] != content_type:
        raise Unrecognisable(f"The picture is broken: it cannot be decoded as {content_type}.")
