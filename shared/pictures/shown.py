"""The picture as a browser shows it: upright, in sRGB, with its transparency, and the first frame of an animation.

This module imports Pillow.  Import it only where a picture is decoded, so that other responses start without it.
"""

from contextlib import suppress
from io import BytesIO

# Without these three plugins, Pillow imports all of its forty to find WebP.
from PIL import Image, ImageCms, ImageOps, JpegImagePlugin, PngImagePlugin, WebPImagePlugin  # noqa: F401

from shared.pictures.budget import CannotBeShown

FORMATS = ("JPEG", "PNG", "WEBP")  # what Pillow calls the types that are stored
REDUCING_GAP = 2.0  # average whole pixels down to twice the size, then resample the rest


def shown(content: bytes, side: int) -> Image.Image:
    """Return the picture as RGB or RGBA with its longest side at most `side` pixels. A smaller one keeps its size.

    Raise CannotBeShown for every failure of the decoder: what a hostile file makes it raise has no common base.
    Raise MemoryError if there is not enough memory.
    """
    try:
        return _shown(content, side)
    except MemoryError:
        raise
    except Exception as error:
        raise CannotBeShown(f"{type(error).__name__}: {error}") from error


def _shown(content: bytes, side: int) -> Image.Image:
    with Image.open(BytesIO(content), formats=FORMATS) as picture:
        profile = picture.info.get("icc_profile")
        factor = min(1.0, side / max(picture.size))
        # The JPEG decoder can halve the size cheaply: take the smallest such size that is large enough.
        picture.draft(None, (max(1, round(picture.width * factor)), max(1, round(picture.height * factor))))
        pixels = _resamplable(picture)
        pixels.thumbnail((side, side), reducing_gap=REDUCING_GAP)
        return _in_srgb(ImageOps.exif_transpose(pixels), profile)


def _resamplable(picture: Image.Image) -> Image.Image:
    """Convert the picture to a mode whose pixels can be averaged: no palette, and no colour that means transparent."""
    if picture.mode.startswith("I"):  # 16 bits of grey: `convert` would clip values above 255
        return picture.point(lambda value: value * (1 / 257)).convert("L")
    if picture.mode in ("1", "P", "PA") or "transparency" in picture.info:
        return picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    return picture


def _in_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert the picture to RGB or RGBA in sRGB. Ignore a profile that is broken or for other colours."""
    alpha = picture.getchannel("A") if "A" in picture.getbands() else None
    colours = picture if alpha is None else picture.convert("L" if picture.mode == "LA" else "RGB")
    if profile:
        with suppress(ImageCms.PyCMSError, OSError):
            given, wanted = ImageCms.ImageCmsProfile(BytesIO(profile)), ImageCms.createProfile("sRGB")
            colours = ImageCms.profileToProfile(colours, given, wanted, outputMode="RGB") or colours
    colours = colours.convert("RGB")
    if alpha is not None:
        colours.putalpha(alpha)
    colours.info.clear()  # or the picture would be saved with the old profile
    return colours
