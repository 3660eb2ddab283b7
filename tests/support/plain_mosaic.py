"""The plain way to match: for each cell the tile with the nearest mean RGB. What a mosaic must be better than."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mosaic_grid import Grid

Choice = NDArray[np.intp]


def choose(picture: Image.Image, tiles: NDArray[np.uint8], grid: Grid) -> Choice:
    """Return the number of a tile for each cell, in rows, by one multiplication of matrices."""
    cells = np.asarray(picture.resize(tuple(grid), Image.Resampling.BOX), np.float32).reshape(grid.cells, 3)
    means = tiles.mean(axis=(1, 2), dtype=np.float32)
    distances = np.square(means).sum(axis=1) - 2 * cells @ means.T
    return distances.argmin(axis=1).reshape(grid.rows, grid.columns)


def difference(cells: NDArray[Any], tiles: NDArray[Any], choice: Choice) -> float:
    """Return the root mean square of the Delta-E of the quarters of cells and of their tiles."""
    return float(np.sqrt(np.square(cells - tiles[choice.ravel()]).sum(axis=1).mean() / 4))


def alike(choice: Choice) -> float:
    """Return the share of neighbours, side by side or one above the other, that show the same tile."""
    pairs = np.concatenate([(choice[:, 1:] == choice[:, :-1]).ravel(), (choice[1:] == choice[:-1]).ravel()])
    return float(pairs.mean())
