"""Scale large pictures down in little memory: convert and average them tile by tile, then resample the rest.

This module imports Pillow.  Import it only where a picture is decoded, so that other responses start without it.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from PIL import Image

Size = tuple[int, int]
Box = tuple[int, int, int, int]  # left, top, right, bottom

REDUCING_GAP = 2.0  # average whole pixels down to twice the size, then resample the rest
TILE = 2**20  # pixels that are converted at a time: 4 MB for each step between


class Tiles(NamedTuple):
    """A picture of `size` pixels, whose parts `tile` makes as RGB or RGBA, in `mode`."""

    size: Size
    mode: str
    tile: Callable[[Box], Image.Image]


def fitting(size: Size, side: int) -> Size:
    """Return the size with its longest side at most `side`, and each at least 1."""
    factor = min(1.0, side / max(size))
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))


def scaled_down(tiles: Tiles, size: Size) -> Image.Image:
    """Return the picture in this size, which is not larger, as RGB or RGBA.

    The colours of pixels count by their opacity, as in browsers, so that hidden colours do not show.
    """
    if tiles.size == size:
        return tiles.tile((0, 0, *size))
    factors = _factors(tiles.size, size)
    averaged = _averaged(tiles, factors)
    box = (0, 0, tiles.size[0] / factors[0], tiles.size[1] / factors[1])
    return in_mode(averaged.resize(size, Image.Resampling.BICUBIC, box=box), tiles.mode)


def in_mode(picture: Image.Image, mode: str) -> Image.Image:
    """Return the picture in this mode. Pillow would copy one that has it already."""
    return picture if picture.mode == mode else picture.convert(mode)


def _factors(size: Size, wanted: Size) -> Size:
    """Return how many pixels to average, across and down."""
    across, down = (max(1, int(have / want / REDUCING_GAP)) for have, want in zip(size, wanted, strict=True))
    return across, down


def _averaged(tiles: Tiles, factors: Size) -> Image.Image:
    width, height = tiles.size
    weighted = "RGBa" if tiles.mode == "RGBA" else "RGB"  # RGBa has its colours times their opacity
    if factors == (1, 1):
        return in_mode(tiles.tile((0, 0, width, height)), weighted)
    result = Image.new(weighted, (-(-width // factors[0]), -(-height // factors[1])))
    for left, top, right, bottom in _boxes(tiles.size, factors):
        part = in_mode(tiles.tile((left, top, right, bottom)), weighted)
        result.paste(part.reduce(factors), (left // factors[0], top // factors[1]))
    return result


def _boxes(size: Size, factors: Size) -> Iterator[Box]:
    """Yield boxes of about TILE pixels that cover the picture. They begin at multiples of the factors."""
    width = factors[0] * max(1, min(size[0], TILE // factors[1]) // factors[0])
    height = factors[1] * max(1, TILE // width // factors[1])
    for top in range(0, size[1], height):
        for left in range(0, size[0], width):
            yield left, top, min(left + width, size[0]), min(top + height, size[1])
