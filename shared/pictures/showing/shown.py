"""The picture as a browser shows it: upright, in sRGB, with its transparency, and the first frame of an animation.

The model is Chromium; tests/page/test_shown_pictures.py compares the two.  Where it does other than a standard says, a
comment notes it.  This module imports Pillow.  Import it only where a picture is decoded, so that other responses start
without it.
"""

from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING

# Without these three plugins, Pillow imports all of its forty to find WebP.
from PIL import Image, JpegImagePlugin, PngImagePlugin, WebPImagePlugin  # noqa: F401

from shared.pictures.budget import failures
from shared.pictures.showing.averages import Box, Tiles, fitting, in_mode, scaled_down
from shared.pictures.stripping.strip import kind_of

if TYPE_CHECKING:
    from shared.pictures.showing.to_srgb import Conversion

FORMATS = ("JPEG", "PNG", "WEBP")  # what Pillow calls the types that are stored

ORIENTATION = 0x0112  # the tag of EXIF
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def shown(content: bytes, side: int) -> Image.Image:
    """Return the picture as RGB or RGBA with its longest side at most `side` pixels. A smaller one keeps its size.

    Raise CannotBeShown for every failure of the decoder.
    """
    with failures():
        return _of_png(content, side) if kind_of(content) == "png" else _of_others(content, side)


def _of_png(content: bytes, side: int) -> Image.Image:
    from shared.pictures.showing import png_pixels, png_still

    still = png_still.first_picture(content)
    tiles, conversion = png_pixels.tiles(still)
    small = scaled_down(tiles, fitting(tiles.size, side))
    return _upright(_converted(small, conversion), still.before.get(b"eXIf"))


def _of_others(content: bytes, side: int) -> Image.Image:
    with Image.open(BytesIO(content), formats=FORMATS) as picture:
        size = fitting(picture.size, side)
        at_once, later = _conversions(picture)
        if at_once is None:
            # The decoder of JPEG can halve the size cheaply: take the smallest such size that is large enough.
            picture.draft(None, size)
        tiles = Tiles(picture.size, "RGBA" if picture.mode == "RGBA" else "RGB", _tile(picture, at_once))
        small = _converted(scaled_down(tiles, size), later)
        # Chromium turns no WebP.
        return _upright(small, picture.info.get("exif") if picture.format == "JPEG" else None)


def _conversions(picture: Image.Image) -> "tuple[Conversion | None, Conversion | None]":
    """Return the conversions of a JPEG or WebP: the one of each pixel, and the one that can wait until it is small.

    A profile for other colours than the picture's is ignored.
    """
    is_of_inks, profile = picture.mode == "CMYK", picture.info.get("icc_profile")
    if not (is_of_inks or profile):
        return None, None
    from shared.pictures.showing import to_srgb

    spaces = {"L": (to_srgb.GREY, to_srgb.RGB), "CMYK": (to_srgb.CMYK,)}.get(picture.mode, (to_srgb.RGB,))
    found = to_srgb.by_profile(profile, spaces) if profile else None
    at_once, later = to_srgb.steps(found, picture.width * picture.height)
    if is_of_inks:
        at_once = to_srgb.chained(to_srgb.INKS, at_once) if at_once else to_srgb.INKS
    return at_once, later


def _tile(picture: Image.Image, conversion: "Conversion | None") -> Callable[[Box], Image.Image]:
    def tile(box: Box) -> Image.Image:
        part = picture.crop(box)
        return _converted(part if part.mode == "RGBA" or conversion else in_mode(part, "RGB"), conversion)

    return tile


def _converted(picture: Image.Image, conversion: "Conversion | None") -> Image.Image:
    """Convert the colours of a picture and keep its opacity."""
    if conversion is None:
        return picture
    converted = conversion.apply(picture.convert(conversion.mode))
    if picture.mode == "RGBA":
        converted.putalpha(picture.getchannel("A"))
    return converted


def _upright(picture: Image.Image, exif: bytes | None) -> Image.Image:
    if not exif:
        return picture
    tags = Image.Exif()
    tags.load(exif)
    turn = UPRIGHT.get(tags.get(ORIENTATION, 1))
    return picture if turn is None else picture.transpose(turn)
