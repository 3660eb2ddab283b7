"""Thumbnails: a picture as a browser shows it, scaled down, and encoded as WebP or JPEG.

This module imports Pillow.  Import it only where a picture is decoded, so that other responses start without it.
"""

from collections.abc import Mapping
from io import BytesIO
from typing import Any

from PIL import Image

from shared.pictures import decoding

# A drawing of few colours is about as small without loss, and has its exact colours: WebP with loss is up to three
# levels off.
FEW_COLOURS = 1024
LOSSLESS_COST = 2  # times the bytes with loss
LOSSLESS: dict[str, Any] = {"format": "WEBP", "lossless": True, "method": 4}
ENCODINGS: dict[str, dict[str, Any]] = {
    "webp": {"format": "WEBP", "quality": 80, "method": 4},
    "jpg": {"format": "JPEG", "quality": 80},
}


def scaled(content: bytes, side: int, extension: str) -> bytes:
    """Scale the picture and encode it as webp or jpg. Transparent parts become white in a JPEG.

    Raise CannotBeShown if its pixels cannot be decoded.
    """
    small = decoding.small(content, side)
    return encoded(on_white(small) if extension == "jpg" else small, extension)


def encoded(picture: Image.Image, extension: str) -> bytes:
    """Encode the picture as webp or jpg. A WebP of few colours is without loss if that takes few bytes more."""
    lossy = _saved(picture, ENCODINGS[extension])
    if extension == "jpg" or picture.getcolors(FEW_COLOURS) is None:
        return lossy
    exact = _saved(picture, LOSSLESS)
    return exact if len(exact) <= LOSSLESS_COST * len(lossy) else lossy


def _saved(picture: Image.Image, options: Mapping[str, Any]) -> bytes:
    out = BytesIO()
    picture.save(out, **options)
    return out.getvalue()


def on_white(picture: Image.Image) -> Image.Image:
    """Return the RGB or RGBA picture on white, without transparency."""
    if picture.mode == "RGB":
        return picture
    flat = Image.new("RGB", picture.size, "white")
    flat.paste(picture, mask=picture.getchannel("A"))
    return flat
