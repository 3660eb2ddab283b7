"""The largest pictures, by what their headers say, before a decoder takes time and memory for their pixels."""

from shared.pictures.budget import TooMuchWork
from shared.pictures.stripping.strip import Kind
from shared.pictures.stripping.strip_parts import Cleaned

# Telephones of 50 megapixels make pictures of up to 8,192 x 6,144 pixels, so the limits are not near that.
MAX_PIXELS = 2**26  # pixels of all frames of a JPEG or PNG
# To decode a lossless WebP of this size takes 830 MB: libwebp and Pillow hold it four times, 4 bytes a pixel.
MAX_WEBP_PIXELS = 50_331_648  # pixels of all frames: 8,192 x 6,144
# A PNG of 16 bits and four channels has 8 bytes a pixel, which are filtered and converted one by one.
MAX_DEEP_PIXELS = 2**25  # pixels of all frames of such a PNG
# An interlaced PNG is decoded in seven passes, one of 16 bits and three channels has 6 bytes a pixel, and the pixels of
# one with transparency and colours of its own are converted one by one.
MAX_SLOW_PIXELS = 50_331_648  # pixels of all frames of such a PNG
MAX_PNG_SIDE = 1_000_000  # pixels: Chromium shows none that is longer, and each row has a cost of its own
MAX_FRAMES = 1_000  # frames: each has a fixed cost for the decoder, however small it is
_COLOURS = (b"gAMA", b"cHRM", b"iCCP", b"cICP")  # chunks that say what the colours mean
_RGB, _RGBA = 2, 6  # colour types (byte 25 of a PNG)
_DEEP, _DEEP_RGB = b"\x10\x06", b"\x10\x02"  # bits of a channel and the colour type (bytes 24 and 25 of a PNG)


class TooLarge(TooMuchWork):
    """A picture of more pixels or frames, or of a longer side, than is allowed."""

    remedy = "make it smaller"

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


def check(cleaned: Cleaned, kind: Kind) -> None:
    """Raise TooLarge for too many pixels or frames, or for too long a side."""
    most, what = _most_pixels(cleaned, kind)
    if cleaned.width * cleaned.height * cleaned.frames > most:
        raise TooLarge(
            f"it has {cleaned.width} x {cleaned.height} pixels in {cleaned.frames} frame(s), "
            f"but all frames of a {what} may have at most {most:,} pixels"
        )
    if kind == "png" and max(cleaned.width, cleaned.height) > MAX_PNG_SIDE:
        raise TooLarge(
            f"it is {cleaned.width} x {cleaned.height} pixels, but a side of a PNG may have at most {MAX_PNG_SIDE:,}"
        )
    if cleaned.frames > MAX_FRAMES:
        raise TooLarge(f"it has {cleaned.frames} frames, but may have at most {MAX_FRAMES:,}")


def _most_pixels(cleaned: Cleaned, kind: Kind) -> tuple[int, str]:
    if kind == "webp":
        return MAX_WEBP_PIXELS, "WebP"
    if kind == "png" and cleaned.content[24:26] == _DEEP:
        return MAX_DEEP_PIXELS, "PNG with 16 bits and transparency"
    if kind == "png" and (cleaned.content[28] or cleaned.content[24:26] == _DEEP_RGB):
        return MAX_SLOW_PIXELS, "PNG that is interlaced or has colours of 16 bits"
    if kind == "png" and _is_transparent_in_own_colours(cleaned.content):
        return MAX_SLOW_PIXELS, "PNG with transparency and a gamma or colour profile"
    return MAX_PIXELS, "JPEG" if kind == "jpg" else "PNG"


def _is_transparent_in_own_colours(png: bytes) -> bool:
    before = png[: png.find(b"IDAT")]
    return (png[25] == _RGBA or (png[25] == _RGB and b"tRNS" in before)) and any(kind in before for kind in _COLOURS)
