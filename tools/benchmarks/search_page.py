"""The figures of searches as docs/reference/performance.md shows them."""

from collections.abc import Mapping
from typing import Any

from tools.benchmarks.tables import figure, table

KINDS = {"text": "by a text", "picture": "by a picture that is sent", "similar": "like a stored image"}
TIMES = {"search_ms": "`search/`", "emulator_ms": "emulator", "http_ms": "over HTTP"}


def search(found: Mapping[str, Any]) -> dict[str, object]:
    """Return the figures that `make measure-search` found."""
    sizes = found["sizes"]
    largest = sizes[max(sizes, key=int)]
    rows = {
        f"{title}, {int(size):,} vectors": [f"{sizes[size][kind][time]:.0f}" for time in TIMES]
        for kind, title in KINDS.items()
        for size in sorted(sizes, key=int)
    }
    return {
        "cores": found["machine"]["cores"],
        "index_ms": f"{found['index_ms']:.0f}",
        "put_ms": figure(largest["put_ms"]),
        "searches": table("ms of a search", TIMES.values(), rows),
        "file_megabytes": f"{largest['file_megabytes']:.0f}",
        "memory": f"{largest['memory']:.0f}",
    }
