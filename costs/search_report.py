"""The tables of costs/README.md about search."""

from dataclasses import replace
from decimal import Decimal

from costs import search
from costs.bill import at_rest, bill
from costs.prices import GB, prices
from costs.tables import dollars, number, table
from costs.use import Use

SEARCHED = tuple(Decimal(10) ** power for power in (3, 4, 6, 8))  # images in the index
SEARCHES = INDEXED = Decimal(10**6)
VECTORS = "S3 Vectors"


def texts(use: Use) -> dict[str, str]:
    """Return the texts of the page by the names of their places."""
    return {"indexed": indexed(use), "searched": searched(use), "pictures_indexed": number(INDEXED)}


def indexed(use: Use) -> str:
    """Return what indexes of some sizes cost at rest."""
    rows = []
    for images in SEARCHED:
        rest = replace(at_rest(use), images=images)
        tiles = prices(use.region)["dynamodb-storage"].gross(search.kept_bytes(rest) / GB)
        stored = bill(rest).services()[VECTORS]
        rows.append((number(images), *map(dollars, (stored, tiles))))
    return table(("images in the index", "vectors, a month", "tiles, a month"), rows)


def searched(use: Use) -> str:
    """Return what so many more searches of each kind, and so many new images, add to this month."""
    rows = []
    for images in SEARCHED:
        usual = replace(use, images=images)
        whole = bill(usual).net
        searching = (
            replace(usual, searches=SEARCHES),
            replace(usual, picture_searches=SEARCHES),
            replace(usual, similars=SEARCHES),
        )
        figures = [bill(each).net - whole for each in searching]
        figures.append(of_index(usual))
        rows.append((number(images), *map(dollars, figures)))
    return table(("images in the index", "by a text", "by a picture", "similar", "to index"), rows)


def of_index(use: Use) -> Decimal:
    """Return what the vectors of so many new images add to this month, beside the images themselves."""
    with_, without = (
        bill(replace(use, uploads=use.uploads + INDEXED, encoder=encoder)).net - bill(replace(use, encoder=encoder)).net
        for encoder in ("titan", "none")
    )
    return with_ - without
