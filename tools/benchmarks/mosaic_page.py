"""The figures of mosaics as docs/reference/performance.md shows them."""

from collections.abc import Mapping
from typing import Any

from tools.benchmarks.tables import figure, table

HEAD = ("difference", "plain way", "alike", "plain way", "time")


def mosaic(found: Mapping[str, Any]) -> dict[str, object]:
    """Return the figures that `make measure-mosaic` found."""
    whole = found["whole"]
    rows = {
        name: [
            *(figure(each[way]) for way in ("ours", "plain")),
            *(f"{each[f'{way}_alike']:.1%}" for way in ("ours", "plain")),
            f"{each['ratio']:.1f} times",
        ]
        for name, each in found["photographs"].items()
    }
    return {
        "cores": found["machine"]["cores"],
        **{name: f"{found[name]:,}" for name in ("columns", "tiles", "packed")},
        "rows": whole["rows"],
        "photographs": table("photograph", HEAD, rows),
        **{name: f"{whole[name]:.0f}" for name in ("make_ms", "read_ms", "packed_ms")},
        "megabytes_sent": f"{whole['bytes'] / 1e6:.1f}",
        "packed_megabytes": f"{whole['packed_bytes'] / 1e6:.1f}",
        "memory": f"{found['megabytes']:.0f}",
    }
