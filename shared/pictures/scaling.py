"""Scale a stored picture down: upright, in sRGB, one frame, as pixels, WebP or JPEG.

This module imports Pillow.  Import it only where a picture is decoded, so that other responses start without it.
"""

from contextlib import suppress
from io import BytesIO
from typing import Any

# Without these three plugins, Pillow imports all of its forty to find WebP.
from PIL import Image, ImageCms, ImageOps, JpegImagePlugin, PngImagePlugin, WebPImagePlugin  # noqa: F401

FORMATS = ("JPEG", "PNG", "WEBP")  # what Pillow calls the types that are stored
ENCODINGS: dict[str, dict[str, Any]] = {
    "webp": {"format": "WEBP", "quality": 80, "method": 4},
    "jpg": {"format": "JPEG", "quality": 80},
}
REDUCING_GAP = 2.0  # average whole pixels down to twice the size, then resample the rest


def scaled(content: bytes, side: int, extension: str) -> bytes:
    """Scale the picture and encode it as webp or jpg. Transparent parts become white in a JPEG."""
    upright = small(content, side)
    return encoded(on_white(upright) if extension == "jpg" else upright, extension)


def encoded(picture: Image.Image, extension: str) -> bytes:
    """Encode the picture as webp or jpg."""
    out = BytesIO()
    picture.save(out, **ENCODINGS[extension])
    return out.getvalue()


def small(content: bytes, side: int) -> Image.Image:
    """Decode the picture as RGB or RGBA with its longest side at most `side` pixels.

    Take the first frame of an animation.  A smaller picture keeps its size.
    """
    with Image.open(BytesIO(content), formats=FORMATS) as picture:
        profile = picture.info.get("icc_profile")
        factor = min(1.0, side / max(picture.size))
        # The JPEG decoder can halve the size cheaply: take the smallest such size that is large enough.
        picture.draft(None, (max(1, round(picture.width * factor)), max(1, round(picture.height * factor))))
        pixels = _resamplable(picture)
        pixels.thumbnail((side, side), reducing_gap=REDUCING_GAP)
        return _in_srgb(ImageOps.exif_transpose(pixels), profile)


def on_white(picture: Image.Image) -> Image.Image:
    """Return the RGB or RGBA picture on white, without transparency."""
    if picture.mode == "RGB":
        return picture
    flat = Image.new("RGB", picture.size, "white")
    flat.paste(picture, mask=picture.getchannel("A"))
    return flat


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
