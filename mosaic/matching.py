"""Choose a tile for each cell: the one that looks most like it, but not the same one again nearby.

Cells are filled line by line. A tile that is already within REACH cells counts as REPEAT further away than it is, so it
is repeated only if every other one is so much worse; and right beside or below itself, as twice that. Without this,
plain areas show one tile again and again.

This module imports numpy. Import it only where a mosaic is made, so that other responses start without it.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Choice = NDArray[np.intp]

REACH = 2  # cells
REPEAT = 8.0  # Delta-E


def choose(cells: Floats, tiles: Floats, columns: int) -> Choice:
    """Return the number of a tile for each cell, in rows of so many columns. Cells and tiles are rows of lab_parts."""
    nothing, rows = len(tiles), len(cells) // columns
    # Around the grid and where no tile is yet, there is the tile number `nothing`, which no cell can have.
    grid = np.full((rows + REACH, columns + 2 * REACH), nothing, np.intp)
    squares = np.square(tiles).sum(axis=1)
    for row in range(rows):
        costs = _differences(cells[row * columns : (row + 1) * columns], tiles, squares)
        for column in range(columns):
            nearby = grid[row : row + REACH + 1, column : column + 2 * REACH + 1]
            cost = costs[column]
            cost[nearby.ravel()] += REPEAT  # once, however often a tile is there
            cost[[nearby[-1, REACH - 1], nearby[-2, REACH]]] += REPEAT  # the one on the left and the one above
            grid[row + REACH, column + REACH] = cost.argmin()
    return grid[REACH:, REACH:-REACH]


def _differences(cells: Floats, tiles: Floats, squares: Floats) -> Floats:
    """Return the Delta-E of each cell and tile, and a last column without end.

    The square of a difference is that of both minus twice their product, which one multiplication of matrices finds.
    """
    found = np.full((len(cells), len(tiles) + 1), np.inf, np.float32)
    both = np.square(cells).sum(axis=1)[:, None] + squares
    found[:, :-1] = np.sqrt(np.maximum(both - 2 * cells @ tiles.T, 0)) / 2
    return found
