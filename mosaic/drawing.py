"""Draw a mosaic as JPEG.

This module imports numpy and Pillow. Import it only where a mosaic is made, so that other responses start without them.
"""

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from shared.limits import BODY_MAX

# Of JPEG; the first with which the mosaic fits into a response. Noise of 8 million pixels takes up to 5.4 MB at 80 and
# 3.8 at 60; tiles of pixels that are black, white or of pure colours, up to 6.8, 5.1 and 4.1.
QUALITIES = (80, 60, 40)


def drawn(choice: NDArray[np.intp], tiles: NDArray[np.uint8], side: int) -> Image.Image:
    """Return the picture of the chosen tiles, each `side` pixels long.

    `choice` has the number of a tile for each cell, in rows, and the tiles are (tiles, pixels, pixels, 3) bytes of RGB.
    """
    rows, columns = choice.shape
    cells = _scaled(tiles, side)[choice]  # rows, columns, side, side, 3
    return Image.fromarray(cells.swapaxes(1, 2).reshape(rows * side, columns * side, 3))


def encoded(picture: Image.Image) -> bytes:
    """Encode the mosaic, in the best of QUALITIES that fits into a response."""
    for quality in QUALITIES:
        out = BytesIO()
        picture.save(out, "JPEG", quality=quality)
        if out.tell() <= BODY_MAX:
            break
    return out.getvalue()


def _scaled(tiles: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Return the tiles in this size. All are scaled as one strip: their edges are edges of pixels in both sizes."""
    count, before, *_ = tiles.shape
    if side == before:
        return tiles
    strip = Image.fromarray(tiles.reshape(count * before, before, 3))
    return np.asarray(strip.resize((side, count * side), Image.Resampling.BOX)).reshape(count, side, side, 3)
