"""The table of costs/README.md about mosaics."""

from dataclasses import replace
from decimal import Decimal

from costs.bill import bill, month
from costs.mosaics import MOSAIC, TILES
from costs.tables import dollars, number, table
from costs.use import Assumed, Use

ASKED = Decimal(10**6)  # requests
FIELDS = {MOSAIC: "mosaics", TILES: "tile_files"}
PARTS = ("DynamoDB", "Lambda", "Transfer")  # services


def texts(use: Use) -> dict[str, str]:
    """Return the texts of the page by the names of their places."""
    return {"mosaics": table_of(use), "asked_mosaics": number(ASKED)}


def table_of(use: Use) -> str:
    """Return what so many more requests of each kind add to this month, and what a request needs."""
    before, operations = bill(use), month(use, Assumed()).measured.operations
    rows = []
    for name, field in FIELDS.items():
        after = bill(replace(use, **{field: ASKED}))  # type: ignore[arg-type]
        more = (after.services()[part] - before.services()[part] for part in PARTS)
        rows.append((name, number(operations[name].read_units), *map(dollars, (*more, after.net - before.net))))
    return table(("", "read units of one", *PARTS, "together"), rows, left=1)
