"""The bytes of a stored picture -> a smaller one: upright, in sRGB, one frame; as pixels, WebP or JPEG.

It imports Pillow, which only some functions have, so it is imported when a picture has to be decoded, and not before:
other answers start without.
"""

from contextlib import suppress
from io import BytesIO
from typing import Any

# Without the three plugins Pillow imports all its forty to find WebP.
from PIL import Image, ImageCms, ImageOps, JpegImagePlugin, PngImagePlugin, WebPImagePlugin  # noqa: F401

OPTIONS: dict[str, dict[str, Any]] = {
    "webp": {"format": "WEBP", "quality": 80, "method": 4},
    "jpg": {"format": "JPEG", "quality": 80},
}
REDUCING_GAP = 2.0  # whole pixels are averaged down to twice the size, the rest is resampled


def scaled(content: bytes, side: int, extension: str) -> bytes:
    """The bytes of `small` as webp or jpg; transparent parts are white where JPEG has none."""
    upright = small(content, side)
    return encoded(on_white(upright) if extension == "jpg" else upright, extension)


def encoded(picture: Image.Image, extension: str) -> bytes:
    """The bytes of the picture as webp or jpg."""
    out = BytesIO()
    picture.save(out, **OPTIONS[extension])
    return out.getvalue()


def small(content: bytes, side: int) -> Image.Image:
    """The picture as RGB or RGBA with its longest side at most `side` pixels.

    Of an animation it is the first frame.  A picture that is smaller keeps its size.
    """
    with Image.open(BytesIO(content), formats=["JPEG", "PNG", "WEBP"]) as picture:
        profile = picture.info.get("icc_profile")
        factor = min(1.0, side / max(picture.size))
        # A JPEG is decoded at the least of its sizes that will do.
        picture.draft(None, (max(1, round(picture.width * factor)), max(1, round(picture.height * factor))))
        pixels = _resamplable(picture)
        pixels.thumbnail((side, side), reducing_gap=REDUCING_GAP)
        return _in_srgb(ImageOps.exif_transpose(pixels), profile)


def on_white(picture: Image.Image) -> Image.Image:
    """The RGB or RGBA picture without transparency."""
    if picture.mode == "RGB":
        return picture
    flat = Image.new("RGB", picture.size, "white")
    flat.paste(picture, mask=picture.getchannel("A"))
    return flat


def _resamplable(picture: Image.Image) -> Image.Image:
    """The picture in a mode whose pixels can be averaged: neither a palette's numbers nor a key for transparency."""
    if picture.mode.startswith("I"):  # 16 bits of grey; converting would cut off what is above 255
        return picture.point(lambda value: value * (1 / 257)).convert("L")
    if picture.mode in ("1", "P", "PA") or "transparency" in picture.info:
        return picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    return picture


def _in_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """The picture as RGB or RGBA, its colours converted; a profile that is broken or of other colours is left out."""
    alpha = picture.getchannel("A") if "A" in picture.getbands() else None
    colours = picture if alpha is None else picture.convert("L" if picture.mode == "LA" else "RGB")
    if profile:
        with suppress(ImageCms.PyCMSError, OSError):
            given, wanted = ImageCms.ImageCmsProfile(BytesIO(profile)), ImageCms.createProfile("sRGB")
            colours = ImageCms.profileToProfile(colours, given, wanted, outputMode="RGB") or colours
    colours = colours.convert("RGB")
    if alpha is not None:
        colours.putalpha(alpha)
    colours.info.clear()  # or else it would be saved with the profile that no longer holds
    return colours
