"""High dynamic range on an ordinary screen: PQ and HLG (ITU-R BT.2100-3), with the tone mapping of browsers.

Chromium maps light by the "reference white" operator of SMPTE ST 2094-50 for a screen without headroom: half of the
light up to the reference white, and a bend above it that takes the brightest light of the picture to white.
"""

from collections.abc import Callable
from math import exp, log, sqrt

from shared.pictures.showing.colour_spaces import BT2020, SRGB, Primaries, Triple, applied, from_srgb, inverse, product

PQ, HLG = 16, 18  # transfer characteristics of H.273
REFERENCE_WHITE = 203.0  # nits (ITU-R BT.2408)
PEAK = 1000.0  # nits, where a picture does not say how bright it is, and always for HLG
KAPPA = 0.65  # how close the bend stays to the corner of its two straight lines
UNDER, OVER = -0.5, 1.2  # how far outside of sRGB the values of a channel are distinguished
BT2020_LUMINANCE = (0.2627, 0.6780, 0.0593)
HLG_GAMMA = 1.2  # of a screen of 1,000 nits


def to_srgb(primaries: Primaries, transfer: int, peak: float = PEAK) -> Callable[[float, float, float], Triple]:
    """Return the function from coded RGB in 0..1 to sRGB. `peak` is the brightest light in nits.

    Colours outside of sRGB have channels from UNDER to OVER, so that a table of this function can be interpolated.
    """
    light = _pq_light if transfer == PQ else _hlg_light
    to_2020 = product(inverse(BT2020.to_xyz()), primaries.to_xyz())
    to_srgb_light = product(inverse(SRGB.to_xyz()), BT2020.to_xyz())
    mapped = tone_map(max(1.0, peak / REFERENCE_WHITE))

    def convert(red: float, green: float, blue: float) -> Triple:
        wide = applied(to_2020, light(red, green, blue))
        brightest = max(wide)
        gain = mapped(brightest) / brightest if brightest > 0 else 0.0
        first, second, third = (_coded(gain * each) for each in applied(to_srgb_light, wide))
        return first, second, third

    return convert


def _coded(light: float) -> float:
    return min(OVER, from_srgb(light)) if light >= 0 else max(UNDER, -from_srgb(-light))


def tone_map(peak: float) -> Callable[[float], float]:
    """Return the function from light to that of the screen, both relative to the reference white.

    Without headroom, that is a `peak` of 1, nothing is mapped, and each channel is cut by itself.
    """
    if peak <= 1:
        return lambda light: light
    white = 1 - 0.5 * min(1.0, log(peak) / log(PEAK / REFERENCE_WHITE))
    corner = (1 - KAPPA + KAPPA / white, (1 - KAPPA) * white + KAPPA)
    # The bend is a parabola from (1, white) to (peak, 1), in a parameter from 0 to 1.
    x2, x1 = 1 - 2 * corner[0] + peak, 2 * corner[0] - 2
    y2, y1 = white - 2 * corner[1] + 1, 2 * corner[1] - 2 * white

    def mapped(light: float) -> float:
        if light <= 1:
            return light * white
        if light >= peak:
            return 1.0
        at = 2 * (light - 1) / (x1 + sqrt(max(0.0, x1 * x1 + 4 * x2 * (light - 1))))
        return white + at * (y1 + at * y2)

    return mapped


def _pq_light(red: float, green: float, blue: float) -> Triple:
    return _pq(red), _pq(green), _pq(blue)


def _pq(value: float) -> float:
    """Compute the light of a value by SMPTE ST 2084."""
    root = value ** (32 / 2523)
    nits: float = 10_000 * (max(0.0, root - 3424 / 4096) / (2413 / 128 - 2392 / 128 * root)) ** (16384 / 2610)
    return nits / REFERENCE_WHITE


def _hlg_light(red: float, green: float, blue: float) -> Triple:
    scene = (_hlg(red), _hlg(green), _hlg(blue))
    luminance = sum(weight * each for weight, each in zip(BT2020_LUMINANCE, scene, strict=True))
    gain = PEAK / REFERENCE_WHITE * luminance ** (HLG_GAMMA - 1)
    return gain * scene[0], gain * scene[1], gain * scene[2]


def _hlg(value: float) -> float:
    return value * value / 3 if value <= 0.5 else (exp((value - 0.55991073) / 0.17883277) + 0.28466892) / 12
