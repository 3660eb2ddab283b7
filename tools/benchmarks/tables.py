"""Tables of Markdown, and the figures in them."""

from collections.abc import Iterable, Mapping


def table(first: str, sizes: Iterable[str], lines: Mapping[str, Iterable[str]]) -> str:
    """Return a Markdown table. Sizes are written as powers of ten, and petAPI's line is bold."""
    head = [first, *(_power(size) if size.isdigit() else size for size in sizes)]
    rows = [[name, *cells] for name, cells in lines.items()]
    rows = [[f"**{cell}**" for cell in row] if row[0] == "petAPI" else row for row in rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))


def figure(value: float) -> str:
    """Write a figure with three significant digits."""
    return f"{float(f'{value:.3g}'):,.0f}" if value >= 100 else f"{value:.3g}"


def slashed(values: Iterable[float]) -> str:
    """Write several figures into one cell."""
    return " / ".join(map(figure, values))


def _power(count: str) -> str:
    return "10" + "⁰¹²³⁴⁵⁶⁷⁸⁹"[len(count) - 1]
