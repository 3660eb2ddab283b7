"""Tables of text: a bill, and any rows as Markdown with aligned columns."""

from collections.abc import Sequence
from decimal import Decimal

from costs.bill import Bill, Line

HEADINGS = ("service", "what", "unit", "quantity", "price", "dollars", "free", "to pay")
Row = Sequence[object]


def bill_table(bill: Bill) -> str:
    """Return the bill's lines and their sums."""
    total = ("total", "", "", "", "", dollars(bill.gross), dollars(bill.waived), dollars(bill.net))
    return table(HEADINGS, [*map(_row, bill.lines), total], left=3)


def table(headings: Sequence[str], rows: Sequence[Row], left: int = 0) -> str:
    """Return Markdown with the first `left` columns aligned to the left and the others to the right."""
    cells = [list(map(str, row)) for row in (headings, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    aligned = [
        [
            cell.ljust(width) if at < left else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        for row in cells
    ]
    aligned.insert(1, ["-" * width if at < left else "-" * (width - 1) + ":" for at, width in enumerate(widths)])
    return "\n".join(f"| {' | '.join(row)} |" for row in aligned)


def _row(line: Line) -> Row:
    price = line.price
    first = f"${price.tiers[0][1]}" + ("" if price.per == 1 else f" / {price.per:,}")
    amounts = map(dollars, (line.gross, line.waived, line.net))
    return (price.service, price.item, price.unit, number(line.quantity), first, *amounts)


def dollars(amount: Decimal) -> str:
    """Return the amount, rounded to cents."""
    return f"-${-amount:,.2f}" if round(amount, 2) < 0 else f"${abs(amount):,.2f}"


def number(quantity: Decimal) -> str:
    """Return a whole number. Below 1,000, a number with a fraction gets three digits."""
    if quantity >= 1000 or quantity == quantity.to_integral_value():
        return f"{quantity:,.0f}"
    return f"{float(quantity):.3g}"
