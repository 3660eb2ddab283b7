"""The figures of searches as docs/reference/performance.md shows them."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from costs import search_report
from costs.bill import bill
from costs.tables import dollars
from costs.use import Use
from tools.benchmarks.tables import figure, table

KINDS = {"text": "by a text", "picture": "by a picture that is sent", "similar": "like a stored image"}
FIELDS = {"text": "searches", "picture": "picture_searches", "similar": "similars"}
MONTH = Use(draws=Decimal(10**8))  # beside which little is free
TIMES = {"search_ms": "`search/`", "emulator_ms": "emulator", "http_ms": "over HTTP"}


def search(found: Mapping[str, Any]) -> dict[str, object]:
    """Return the figures that `make measure-search` found."""
    sizes = found["sizes"]
    largest = sizes[max(sizes, key=int)]
    rows = {
        f"{title}, {int(size):,} vectors": [*(f"{sizes[size][kind][time]:.0f}" for time in TIMES), _price(kind, size)]
        for kind, title in KINDS.items()
        for size in sorted(sizes, key=int)
    }
    return {
        "cores": found["machine"]["cores"],
        "index_ms": f"{found['index_ms']:.0f}",
        "index_price": dollars(search_report.of_index(MONTH)),
        "put_ms": figure(largest["put_ms"]),
        "searches": table("ms of a search", (*TIMES.values(), "a million on AWS"), rows),
        "file_megabytes": f"{largest['file_megabytes']:.0f}",
        "memory": f"{largest['memory']:.0f}",
    }


def _price(kind: str, vectors: str) -> str:
    """Return the dollars of a million searches of this kind in an index of this size."""
    use = replace(MONTH, images=Decimal(vectors))
    more = replace(use, **{FIELDS[kind]: search_report.SEARCHES})  # type: ignore[arg-type]
    return dollars(bill(more).net - bill(use).net)
