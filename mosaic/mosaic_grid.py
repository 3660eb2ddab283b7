"""The grid of a mosaic: square cells that cover the picture, and the size in which their tiles are drawn."""

from typing import NamedTuple

from mosaic_options import COLUMNS_MAX, COLUMNS_MIN
from shared.errors import UnprocessableValue

CELLS_MAX = 30_000
PIXELS_MAX = 8_000_000  # of a mosaic: JPEG of quality 60 has less than 4 bits for each, which fit into a response
SIDES = (32, 24, 16)  # pixels of a tile in the mosaic; 30,000 of the smallest have 7,680,000


class Grid(NamedTuple):
    """So many columns and rows of cells."""

    columns: int
    rows: int

    @property
    def cells(self) -> int:
        """How many cells there are."""
        return self.columns * self.rows

    @property
    def side(self) -> int:
        """The pixels of a tile: the largest of SIDES with which the mosaic has at most PIXELS_MAX."""
        return next(side for side in SIDES if self.cells * side**2 <= PIXELS_MAX)


def covering(columns: int, width: int, height: int) -> Grid:
    """Return the grid of so many columns for a picture of this size. Raise UnprocessableValue for too many cells."""
    grid = _grid(columns, width, height)
    if grid.cells <= CELLS_MAX:
        return grid
    fitting = [fewer for fewer in range(COLUMNS_MIN, COLUMNS_MAX + 1) if _grid(fewer, width, height).cells <= CELLS_MAX]
    if not fitting:
        raise UnprocessableValue(
            f"This picture is too tall for a mosaic: with {COLUMNS_MIN} columns, the fewest there may be, it needs "
            f"{_grid(COLUMNS_MIN, width, height).cells:,} tiles, and at most {CELLS_MAX:,} are allowed.",
        )
    raise UnprocessableValue(
        f"columns must be at most {max(fitting)} for this picture: {columns} columns need {grid.cells:,} tiles, and at "
        f"most {CELLS_MAX:,} are allowed.",
        field="columns",
    )


def _grid(columns: int, width: int, height: int) -> Grid:
    return Grid(columns, max(1, round(columns * height / width)))
