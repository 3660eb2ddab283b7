"""The part of costs/README.md about prices: a table, where the figures are from, and how to compare them."""

from decimal import Decimal
from textwrap import fill

from costs.prices import PRICE_LISTS, REGIONS, UNCHECKED, prices
from costs.tables import number, table


def texts() -> dict[str, str]:
    """Return the texts of the page by the names of their places."""
    basis = [price.basis for region in REGIONS for price in prices(region).values()]
    unchecked = sum(UNCHECKED in each for each in basis)
    codes = ", ".join(f"`{code}` ({service})" for service, code in PRICE_LISTS.items())
    return {
        "prices": _prices(),
        "checked": number(Decimal(len(basis) - unchecked)),
        "unchecked": number(Decimal(unchecked)),
        "figures": number(Decimal(len(basis))),
        "mark": UNCHECKED,
        "price_lists": fill(f"The codes of the services are {codes}.", 120, break_on_hyphens=False),
    }


def _prices() -> str:
    regions = [prices(region) for region in REGIONS]
    rows = []
    for name, price in regions[0].items():
        amounts = (f"${known[name].tiers[0][1]}" for known in regions)
        link = f"[{price.service}, {price.item}]({price.source})"
        unit = price.unit if price.per == 1 else f"{price.per:,} {price.unit}"
        rows.append((link, *amounts, unit, number(price.free), price.read))
    return table(("price", *REGIONS, "for", "free each month", "as of"), rows, left=1)
