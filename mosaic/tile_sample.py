"""The tiles that a mosaic may use: of a label, or of all labels.

| tiles of           | request                                               | read units                        |
|--------------------|-------------------------------------------------------|-----------------------------------|
| a label            | Query tiles, behind the source's name; from the first | 773 for 2,000 tiles, in 7 pages   |
| all labels         | Query `#labels`; the same for each label in turn      | the same; 1 for each label at least |
"""

from collections.abc import Iterator

from mosaic_options import ALL
from shared.errors import UnprocessableValue
from shared.images import Image
from shared.labels.catalogue import Catalogue
from shared.tiles import TILES_MIN, Tile, Tiles

TILES_MAX = 2_000
LABELS_MAX = 100  # that the tiles of all labels are taken from


def tiles_for(image: Image, label: str, tiles: Tiles, labels: Catalogue) -> list[Tile]:
    """Return at most TILES_MAX tiles of the label, or of ALL: the same ones until an image comes or goes.

    Those of the image's own name are left out, because they show the same picture. Raise UnprocessableValue if fewer
    than TILES_MIN are left.
    """
    found: list[Tile] = []
    for each in _all_from(image.label, labels) if label == ALL else [label]:
        found += tiles.around(each, image.name, TILES_MAX - len(found))
        if len(found) == TILES_MAX:
            break
    if len(found) < TILES_MIN:
        raise _too_few(len(found), image, label)
    return found


def _all_from(label: str, labels: Catalogue) -> Iterator[str]:
    """Yield the labels in order, from this one on, round the end; at most LABELS_MAX."""
    yield label
    behind = labels.labels(LABELS_MAX - 1, (label,)).entries
    yield from behind
    if left := LABELS_MAX - 1 - len(behind):
        yield from (each for each in labels.labels(left).entries if each < label)


def _too_few(count: int, image: Image, label: str) -> UnprocessableValue:
    has = "All labels together have" if label == ALL else f"The label {label} has"
    beside = " besides this image's own" if label in (ALL, image.label) else ""
    more = "" if label == ALL else ", or take those of all labels with tiles=*"
    return UnprocessableValue(
        f"{has} {count} tile{'s' * (count != 1)}{beside}; a mosaic needs {TILES_MIN}. Upload more images, which have "
        f"their tiles a moment later{more}.",
        field="tiles",
    )
