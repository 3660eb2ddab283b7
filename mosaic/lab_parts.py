"""Cells and tiles as they are compared: four quarters each, and the mean of each quarter's light in CIELAB.

Light is averaged, and not the numbers of pixels, because that is what the eye does with a mosaic from far away. A row
of 12 numbers is lightness, a and b of the upper left, upper right, lower left and lower right quarter. Half of the
distance of two rows is their colour difference Delta-E (CIE 1976): the root of the mean of the quarters' squares.

This module imports numpy and Pillow. Import it only where a mosaic is made, so that other responses start without them.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mosaic_grid import Grid

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

# IEC 61966-2-1: the light of each of the 256 values of a channel, and of red, green and blue in X, Y and Z.
_VALUES = np.arange(256) / 255
LIGHT: Floats = np.where(_VALUES <= 0.04045, _VALUES / 12.92, ((_VALUES + 0.055) / 1.055) ** 2.4).astype(np.float32)
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]], np.float32)
# CIE 15: X, Y and Z are relative to white; below EDGE, the cube root is replaced by a line.
TO_RELATIVE = TO_XYZ / TO_XYZ.sum(axis=1, keepdims=True)
EDGE, SLOPE = 216 / 24389, 24389 / 27


def of_picture(picture: Image.Image, grid: Grid) -> Floats:
    """Return a row for each cell of an RGB picture, line by line."""
    size = (2 * grid.columns, 2 * grid.rows)
    # A channel at a time, because the light of a large picture takes 26 MB for each.
    channels = (Image.fromarray(LIGHT[np.asarray(channel)]) for channel in picture.split())
    light = np.stack([np.asarray(channel.resize(size, Image.Resampling.BOX)) for channel in channels], axis=-1)
    quarters = lab(light).reshape(grid.rows, 2, grid.columns, 2, 3)
    return quarters.swapaxes(1, 2).reshape(grid.cells, 12)


def of_tiles(tiles: Bytes) -> Floats:
    """Return a row for each tile. They come as (tiles, side, side, 3) bytes of RGB; the side is even."""
    count, side, *_ = tiles.shape
    half = side // 2
    # Rows of pixels are added first, and then what is left, which takes a third of the time of both at once.
    lines = LIGHT[tiles].reshape(2 * count, half, side * 3).sum(axis=1)
    light = lines.reshape(4 * count, half, 3).sum(axis=1) / half**2
    return lab(light).reshape(count, 12)


def lab(light: Floats) -> Floats:
    """Return CIELAB of red, green and blue light, the last axis of the array."""
    relative = light @ TO_RELATIVE.T
    x, y, z = np.moveaxis(np.where(relative > EDGE, np.cbrt(relative), (SLOPE * relative + 16) / 116), -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1).astype(np.float32)
