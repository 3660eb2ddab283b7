"""Make a mosaic of a picture's bytes and of tiles.

This module imports numpy and Pillow. Import it only where a mosaic is made, so that other responses start without them.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

import drawing
import lab_parts
import matching
import mosaic_grid
from mosaic_grid import Grid
from shared.pictures import decoding, scaling
from shared.tiles import SIDE

# Pixels of the longest side of the decoded picture: a cell of 100 columns has 20. With more, the largest lossless WebP
# would take more memory than the budget has.
SOURCE_SIDE = 2_048


class Mosaic(NamedTuple):
    """A mosaic as JPEG, and its columns and rows."""

    jpeg: bytes
    grid: Grid


def make(content: bytes, tiles: Sequence[bytes], columns: int) -> Mosaic:
    """Make the mosaic of a stored picture, as a browser shows it on white.

    Raise CannotBeShown if the picture cannot be decoded, and UnprocessableValue if it needs too many tiles.
    """
    picture = scaling.on_white(decoding.small(content, SOURCE_SIDE))
    grid = mosaic_grid.covering(columns, *picture.size)
    pixels = pixels_of(tiles)
    choice = matching.choose(lab_parts.of_picture(picture, grid), lab_parts.of_tiles(pixels), columns)
    return Mosaic(drawing.encoded(drawing.drawn(choice, pixels, grid.side)), grid)


def pixels_of(tiles: Sequence[bytes]) -> NDArray[np.uint8]:
    """Return tiles as (tiles, SIDE, SIDE, 3) bytes of RGB."""
    return np.frombuffer(b"".join(tiles), np.uint8).reshape(len(tiles), SIDE, SIDE, 3)
