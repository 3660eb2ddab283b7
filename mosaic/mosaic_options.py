"""The options of a mosaic: how many columns of tiles it has, and of which label the tiles are."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from shared import images
from shared.errors import UnprocessableValue

NAMES = ("columns", "tiles")
COLUMNS, COLUMNS_MIN, COLUMNS_MAX = 80, 10, 200  # without the parameter, and with it
ALL = "*"  # as a label: the tiles of all labels
NUMBER = re.compile(r"[1-9][0-9]{1,2}")


@dataclass(frozen=True, slots=True)
class Options:
    """The parsed options. `tiles` is a label or ALL."""

    columns: int
    tiles: str


def parse(given: Mapping[str, str], label: str) -> Options:
    """Parse the options of a mosaic of an image of this label, or raise UnprocessableValue."""
    return Options(_columns(given.get("columns", str(COLUMNS))), _tiles(given.get("tiles", label)))


def _columns(text: str) -> int:
    if not NUMBER.fullmatch(text) or not COLUMNS_MIN <= int(text) <= COLUMNS_MAX:
        raise UnprocessableValue(
            f"columns must be a whole number from {COLUMNS_MIN} to {COLUMNS_MAX}; leave it out for {COLUMNS}.",
            field="columns",
        )
    return int(text)


def _tiles(text: str) -> str:
    if text == ALL:
        return ALL
    try:
        return images.parse_label(text)
    except UnprocessableValue as error:
        raise UnprocessableValue(
            "tiles must be a label, such as dog, or * for the tiles of all labels; leave it out for the image's label.",
            field="tiles",
        ) from error
