"""Conversions of pixels to sRGB, as Chromium does them.

This module imports Pillow.  Import it only where a picture is decoded, so that other responses start without it.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from io import BytesIO
from itertools import combinations

from PIL import Image, ImageChops, ImageCms, ImageFilter

from shared.pictures.icc import stored_profile
from shared.pictures.showing import colour_spaces, hdr, lab_tables
from shared.pictures.showing.colour_spaces import SRGB, Curve, Primaries

Convert = Callable[[Image.Image], Image.Image]

GREY, CMYK, RGB = b"GRAY", b"CMYK", b"RGB "  # colour spaces in the header of a profile
_CLASS, _SPACE, _VALUES = slice(12, 16), slice(16, 20), slice(20, 24)  # of that header
MODES = {GREY: "L", CMYK: "RGB", RGB: "RGB"}  # of the pictures that a conversion takes

# Do not compare each pixel with the last, which costs more than it saves, and do not move a white that is not quite
# white, as Chromium does not.
EXACT = ImageCms.Flags.NOCACHE | ImageCms.Flags.NOWHITEONWHITEFIXUP

# How far the colour of an average may be from the average of the colours, in levels of 255, where the average comes
# first because that is far cheaper.  The curves of sRGB and those with exponents from 1.5 to 3 are below.
# Beyond, a file could show one picture in its single pixels and another one in their averages.
BEND_MAX = 32
GREYS = tuple(range(0, 256, 15))

EACH_MAX = 2**24  # pixels that are converted one by one by more than a curve, which takes up to 0.6 s of CPU time
HDR_MAX = 2**24  # pixels of PQ or HLG that are converted one by one, likewise
HDR_STEPS = 33  # of each channel: 0.15 s of CPU time; 99 of 100 colours are at most 11 levels off


@dataclass(frozen=True, slots=True)
class Conversion:
    """A conversion to RGB in sRGB, from pictures of this mode.

    `bends` says that each pixel must be converted before it is averaged with others.  Of more than `most` pixels, that
    takes too long.  Then the first of `parts` does what matters, and the second one waits; without parts, all waits.
    """

    mode: str
    apply: Convert
    bends: bool = False
    most: int = 2**62
    parts: "tuple[Conversion, Conversion] | None" = None


def steps(conversion: Conversion | None, pixels: int) -> tuple[Conversion | None, Conversion | None]:
    """Return what to convert of each of so many pixels, and what can wait until the picture is small."""
    if conversion is None or not conversion.bends:
        return None, conversion
    if pixels <= conversion.most:
        return conversion, None
    return conversion.parts or (None, conversion)


INKS = Conversion("CMYK", lambda picture: picture.convert("RGB"), bends=True)  # light that passes the ink and black


def chained(first: Conversion, second: Conversion) -> Conversion:
    """Return the conversion that does both."""
    return Conversion(first.mode, lambda picture: second.apply(first.apply(picture)), bends=True)


def by_profile(profile: bytes, spaces: Sequence[bytes], *, any_is_rgb: bool = False) -> Conversion | None:
    """Return the conversion by an ICC profile for one of these spaces, or None if browsers ignore it.

    `any_is_rgb` takes a profile for other colours, such as Lab, as one for RGB, which Chromium does for PNG.  That of a
    CMYK profile takes the RGB of INKS: Chromium gives it to the profile as three inks without black.
    """
    space = profile[_SPACE]
    if any_is_rgb and space not in (GREY, CMYK):
        space = RGB
    safe = stored_profile(profile) if space in spaces else None
    if safe is None or (space == GREY and profile[_VALUES] != b"XYZ "):
        return None
    with suppress(ImageCms.PyCMSError, OSError):
        return _lcms(lab_tables.as_chromium_reads(safe[: _CLASS.start] + b"mntr" + space + safe[_SPACE.stop :]), space)
    return None


def _lcms(profile: bytes, space: bytes) -> Conversion:
    # Colours outside of sRGB are cut, and black is not moved to black, as in Chromium: littlecms would move it, for
    # the perceptual intent, if the wanted profile were of version 4.
    given, wanted = ImageCms.ImageCmsProfile(BytesIO(profile)), ImageCms.ImageCmsProfile(BytesIO(_wanted()))
    mode = "CMYK" if space == CMYK else MODES[space]
    flags = EXACT | ImageCms.Flags.NOOPTIMIZE if mode == "L" else EXACT  # or it makes a dark grey of 28 one of 19
    transform = ImageCms.buildTransform(given, wanted, mode, "RGB", ImageCms.Intent.PERCEPTUAL, flags)

    def convert(picture: Image.Image) -> Image.Image:
        return transform.apply(_three_inks(picture) if space == CMYK else picture)

    if mode == "L":
        return _of_greys(convert)
    return Conversion(MODES[space], convert, bends=_bend(convert, MODES[space]) > BEND_MAX, most=EACH_MAX)


def _of_greys(convert: Convert) -> Conversion:
    """Return the conversion by a table of the 256 greys: littlecms takes 0.14 microseconds for each pixel here."""
    colours = convert(Image.frombytes("L", (256, 1), bytes(range(256))))
    tables = [band.tobytes() for band in colours.split()]
    return Conversion(
        "L",
        lambda picture: Image.merge("RGB", [picture.point(table) for table in tables]),
        bends=_bend(convert, "L") > BEND_MAX,
    )


def _three_inks(picture: Image.Image) -> Image.Image:
    inks = ImageChops.invert(picture)
    return Image.merge("CMYK", (*inks.split(), Image.new("L", picture.size)))


@cache
def _wanted() -> bytes:
    """Return littlecms' own profile of sRGB, as one of version 2."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[8] = 2
    return bytes(profile)


def by_curve(curve: Curve, primaries: Primaries) -> Conversion | None:
    """Return the conversion from an RGB space, or None if there is none or the space is sRGB."""
    if primaries == SRGB and curve is colour_spaces.srgb:
        return None
    levels = [round(255 * colour_spaces.from_srgb(min(1.0, max(0.0, curve(step / 255))))) for step in range(256)]
    of_curve = Conversion("RGB", lambda picture: picture.point(levels * 3), bends=True)
    if primaries == SRGB:
        return of_curve
    try:
        whole = by_profile(colour_spaces.profile(primaries, curve), (RGB,))
        of_primaries = by_profile(colour_spaces.profile(primaries, colour_spaces.srgb), (RGB,))
    except ValueError:
        return None
    return replace(whole, parts=(of_curve, of_primaries)) if whole and of_primaries else None


@lru_cache(maxsize=4)
def by_brightness(primaries: Primaries, transfer: int, peak: float) -> Conversion:
    """Return the conversion from PQ or HLG. `peak` is the brightest light in nits."""
    table = ImageFilter.Color3DLUT.generate(HDR_STEPS, hdr.to_srgb(primaries, transfer, peak))
    return Conversion("RGB", lambda picture: picture.filter(table), bends=True, most=HDR_MAX)


def _bend(convert: Convert, mode: str) -> int:
    """Return how far the colour of an average of two greys is from the average of their colours, in levels."""
    pairs = list(combinations(GREYS, 2))
    first, second = (
        Image.merge(mode, [Image.frombytes("L", (len(pairs), 1), bytes(pair[which] for pair in pairs))] * len(mode))
        for which in (0, 1)
    )
    of_average, average = convert(Image.blend(first, second, 0.5)), Image.blend(convert(first), convert(second), 0.5)
    apart = ImageChops.difference(of_average, average).tobytes()
    return max(apart)
