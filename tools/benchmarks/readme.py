"""The figures in README.md, from tools/benchmarks/results.json: what stands between `<!-- name -->` and `<!-- / -->`.

`make bench-cold`, `make measure` and `make soak` put what they find there.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any

from tools.benchmarks import results

HERE = Path(__file__).resolve().parent
README = HERE.parent.parent / "README.md"
BLOCK = re.compile(r"<!-- (?P<name>[a-z]+) -->\n.*?<!-- / -->", re.DOTALL)

Found = Mapping[str, Any]


def readme(text: str, found: Found) -> str:
    """The text of README.md with these results."""

    def block(match: re.Match[str]) -> str:
        name = match["name"]
        template = Template((HERE / f"templates/readme_{name}.md").read_text())
        return f"<!-- {name} -->\n{template.substitute(FIGURES[name](found))}<!-- / -->"

    return BLOCK.sub(block, text)


def update() -> None:
    """Write the results into README.md."""
    README.write_text(readme(README.read_text(), results.read()))


def cold(found: Found) -> dict[str, object]:
    """The cold starts of the functions, and their sizes."""
    ratios, megabytes = found["cold"]["ratios"], found["cold"]["megabytes"]
    rows = [
        f"| {name} | {f'{ratios[name]:.2f}' if name in ratios else '-'} | {size:.0f} |"
        for name, size in megabytes.items()
    ]
    return {"rounds": found["cold"]["rounds"], "functions": "\n".join(rows)}


def darts(found: Found) -> dict[str, object]:
    """Chunks read per draw."""
    measured = found["measure"]
    cells = {size: {kind: f"{each:.2f}" for kind, each in row.items()} for size, row in measured["darts"].items()}
    return {"draws": f"{measured['draws']:,}", "darts": _table(cells)}


def distinct(found: Found) -> dict[str, object]:
    """Round trips and read units of a hundred images."""
    measured = found["measure"]
    cells = {
        size: {kind: f"{trips:.1f} / {units:.0f}" for kind, (trips, units) in row.items()}
        for size, row in measured["distinct"].items()
    }
    return {"answers": measured["answers"], "distinct": _table(cells)}


def http(found: Found) -> dict[str, object]:
    """Times of `make run`, and what a soak did."""
    measured, soak = found["measure"]["http"], found["soak"]
    counts = {f"{part}_{kind}": f"{soak[part][kind]:,}" for part in ("http", "store") for kind in ("writes", "draws")}
    return {
        **counts,
        "cores": soak["machine"]["cores"],
        "clients": soak["clients"],
        "seconds": f"{soak['seconds']:.0f}",
        "kilobytes": f"{measured['bytes'] / 1000:.0f}",
        "draw_ms": f"{measured['draw']:.0f}",
        "ratio": f"{measured['draw'] / measured['page']:.1f}",
        "cpu_ms": f"{soak['http']['cpu_ms']:.0f}",
        "emulator_ms": f"{soak['http']['emulator_ms']:.0f}",
    }


def thumbnails(found: Found) -> dict[str, object]:
    """What thumbnails take."""
    made = found["measure"]["thumbnails"]
    times = {name: f"{made[name]:.0f}" for name in ("webp", "jpg", "progressive_webp", "progressive_jpg")}
    return {
        **times,
        "megabytes": f"{made['bytes'] / 1e6:.1f}",
        "largest_seconds": f"{max(each['seconds'] for each in made['largest'].values()):.1f}",
        "largest_megabytes": f"{made['largest']['WEBP']['megabytes']:.0f}",
    }


def _table(cells: Mapping[str, Mapping[str, str]]) -> str:
    """Sizes by kinds of weights."""
    kinds = next(iter(cells.values()))
    lines = [f"| images | {' | '.join(kinds)} |", "|---" * (len(kinds) + 1) + "|"]
    lines += [f"| {int(size):,} | {' | '.join(row.values())} |" for size, row in cells.items()]
    return "\n".join(lines)


FIGURES = {"cold": cold, "darts": darts, "distinct": distinct, "http": http, "thumbnails": thumbnails}
