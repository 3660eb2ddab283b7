"""The colours of a PNG: which of its chunks says what they mean, in the order of Chromium."""

import struct
from collections.abc import Mapping

from shared.pictures.showing import hdr, to_srgb
from shared.pictures.showing.colour_spaces import CURVES, PRIMARIES, SRGB, Primaries, power
from shared.pictures.showing.png_still import GREY, GREY_ALPHA, unpacked_profile
from shared.pictures.showing.to_srgb import Conversion

RENDERING_INTENTS = (b"\0", b"\1", b"\2", b"\3")  # those that sRGB may have
NEUTRAL = (0.95 / 2.2, 1.05 / 2.2)  # values of gAMA that mean sRGB where there is no cHRM


def conversion(before: Mapping[bytes, bytes], colour_type: int) -> Conversion | None:
    """Return the conversion to sRGB, or None if there is nothing to convert.

    cICP comes before iCCP, sRGB and gAMA with cHRM (PNG third edition, 4.3).  A cICP of another matrix than that of
    RGB or of limited range is ignored.  So is cHRM without gAMA.
    """
    coded = before.get(b"cICP", b"")
    if len(coded) == 4 and coded[2:] == b"\0\1" and coded[0] in PRIMARIES:
        primaries, transfer = PRIMARIES[coded[0]], coded[1]
        if transfer in CURVES:
            return to_srgb.by_curve(CURVES[transfer], primaries)
        if transfer in (hdr.PQ, hdr.HLG):
            return to_srgb.by_brightness(primaries, transfer, _peak(before))
    if b"iCCP" in before and (profile := unpacked_profile(before[b"iCCP"])) and _is_profile(profile):
        spaces = (to_srgb.GREY, to_srgb.RGB) if colour_type in (GREY, GREY_ALPHA) else (to_srgb.RGB,)
        return to_srgb.by_profile(profile, spaces, any_is_rgb=True)
    if before.get(b"sRGB", b"")[:1] in RENDERING_INTENTS:
        return None
    return _by_gamma(before)


def _is_profile(profile: bytes) -> bool:
    return profile[36:40] == b"acsp"


def _by_gamma(before: Mapping[bytes, bytes]) -> Conversion | None:
    gamma = int.from_bytes(before.get(b"gAMA", b"")) / 100_000
    chromaticities = before.get(b"cHRM", b"")
    if gamma <= 0 or (len(chromaticities) != 32 and NEUTRAL[0] < gamma < NEUTRAL[1]):
        return None
    primaries = _primaries(chromaticities) if len(chromaticities) == 32 else SRGB
    return to_srgb.by_curve(power(1 / gamma), primaries)


def _primaries(payload: bytes) -> Primaries:
    """Read a chunk cHRM: white, red, green and blue."""
    numbers = [number / 100_000 for number in struct.unpack(">8I", payload)]
    white, red, green, blue = zip(numbers[::2], numbers[1::2], strict=True)
    return Primaries(red, green, blue, white)


def _peak(before: Mapping[bytes, bytes]) -> float:
    """Return the brightest light in nits, by the content's chunk or by that of the screen it was made on."""
    levels, screen = (before.get(new, before.get(old, b"")) for new, old in ((b"cLLI", b"cLLi"), (b"mDCV", b"mDCv")))
    for found in (levels[:4] if len(levels) == 8 else b"", screen[16:20] if len(screen) == 24 else b""):
        if any(found):
            return int.from_bytes(found) / 10_000
    return hdr.PEAK
