"""Tell whether every decoder shows a picture as browsers do, so that other services may get its bytes as they are.

This module imports Pillow.  Import it only where a picture is decoded, so that other responses start without it.
"""

from contextlib import suppress
from io import BytesIO

from PIL import Image

from shared.pictures.showing import png_still
from shared.pictures.showing.shown import FORMATS

# Chunks before the pixels that change nothing, and colour types without opacity.
HARMLESS = frozenset({b"IHDR", b"PLTE", b"sRGB", b"sBIT", b"bKGD", b"pHYs"})
OPAQUE = (png_still.GREY, png_still.RGB, png_still.PALETTE)


def is_plain(content: bytes) -> bool:
    """Tell whether the picture is a JPEG or PNG without transparency, orientation, animation or colours of its own.

    One that is broken is not plain, whatever a decoder raises.
    """
    with suppress(Exception):
        return _is_plain(content)
    return False


def _is_plain(content: bytes) -> bool:
    if content.startswith(png_still.SIGNATURE):
        still = png_still.first_picture(content)
        return still.before.keys() <= HARMLESS and still.colour_type in OPAQUE
    with Image.open(BytesIO(content), formats=FORMATS) as picture:
        own = {"icc_profile", "exif"} & picture.info.keys()
        return picture.format == "JPEG" and picture.mode in ("L", "RGB") and not own
