"""The tables of costs/README.md about what a request of each kind needs, as it was measured or counted."""

from collections.abc import Iterable
from decimal import Decimal

from costs.bill import month
from costs.measured import MODELLED, measured
from costs.model import FUNCTIONS, STEPS, Month
from costs.tables import number, table
from costs.use import Assumed, Use


def texts(use: Use) -> dict[str, str]:
    """Return the texts of the page by the names of their places."""
    whole = month(use, Assumed())
    waits = dict(zip(("image_waits", "redirect_waits"), map(_waits, MODELLED), strict=True))
    return {
        "picture_bytes": number(measured().picture_bytes),
        "measured": _work(FUNCTIONS, "request", whole),
        "steps": _work(STEPS, "step", whole),
        **waits,
    }


def _waits(name: str) -> str:
    """Return the ms that this request waits, which the model has."""
    return number(measured().operations[name].overlapping_ms or Decimal(0))


def _work(names: Iterable[str], heading: str, whole: Month) -> str:
    rows = []
    for name in names:
        each = whole.measured.operations[name]
        calls = (each.s3[verb] for verb in ("get", "put", "delete"))
        figures = (each.read_units, each.write_units, each.trips, *calls, each.cpu_ms, whole.milliseconds(name))
        rows.append((name, *map(number, figures)))
    headings = (heading, "read units", "write units", "round trips", "S3 get", "put", "delete", "CPU ms", "warm ms")
    return table(headings, rows, left=1)
