"""The section of docs/reference/performance.md about draws of `make run`."""

from collections.abc import Mapping
from typing import Any

from tools.benchmarks.tables import table


def run(found: Mapping[str, Any]) -> dict[str, object]:
    """Return the figures of draws through `make run`, of an earlier commit and of this one."""
    before, after = found["before"], found["after"]
    rows = {
        name: [f"{of['draws']:.0f}", f"{of['cpu_ms']:.1f}"]
        for name, of in ((f"at {found['commit']}", before), ("now", after))
    }
    return {
        **{name: found[name] for name in ("clients", "images")},
        "cores": found["machine"]["cores"],
        "ratio": f"{after['draws'] / before['draws']:.2f}",
        "draws": table("`make run`", ("draws a second", "CPU ms of a draw"), rows),
    }
