"""The text of docs/reference/performance.md: every figure on the page comes from results.json.

Each section of the results has a template, and a function that gives the figures in it.
"""

import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from string import Template
from typing import Any

from costs.prices import prices
from tools.benchmarks import results
from tools.benchmarks.latency_page import latency
from tools.benchmarks.lite0_page import lite0
from tools.benchmarks.mosaic_page import mosaic
from tools.benchmarks.run_page import run
from tools.benchmarks.search_page import search
from tools.benchmarks.tables import figure, slashed, table

HERE = Path(__file__).resolve().parent

PAGE = HERE.parent.parent / "docs/reference/performance.md"

Found = Mapping[str, Any]

TITLES = {
    "flat": "whole label by Query",
    "s3_chunks": "chunk files in S3",
    "uniform_chunks": "uniform chunk",
    "totals_item": "chunk totals in one item",
    "petapi": "petAPI",
}
REFERENCES = {
    "get_item": "GetItem only",
    "get_item_and_object": "GetItem + GetObject (200 kB)",
    "sqlite": "SQLite",
}
OPERATIONS = ("draw", "upload", "delete")
STATES = ("full", "one more", "half deleted")

REGION = "us-east-1"
PRICES = {"read": "dynamodb-reads", "write": "dynamodb-writes", "gets": "s3-gets", "puts": "s3-puts"}
DOLLARS = {name: float(prices(REGION)[price].gross(Decimal(10**6))) for name, price in PRICES.items()}  # of a million


def page(found: Found) -> str:
    """Return the whole text of docs/reference/performance.md."""
    parts = ((HERE / f"templates/{name}.md", figures) for name, figures in SECTIONS.items() if name in found)
    return "\n".join(Template(path.read_text()).substitute(figures(found[path.stem])) for path, figures in parts)


def write() -> None:
    """Write the page from results.json."""
    PAGE.write_text(page(results.read()), encoding="utf-8")


def designs(found: Found) -> dict[str, object]:
    """Return the figures of the comparison."""
    cost, computed, limits = found["cost"], found["computed"], found["limits"]
    sizes, floor = sizes_of(cost["petapi"]), cost["get_item"]

    def by_size(cell: Callable[[str, str], str], names: Mapping[str, str] = TITLES, at: list[str] = sizes) -> str:
        return table("images", at, {name: [cell(key, count) for count in at] for key, name in names.items()})

    def of_all(value: Callable[[Found], float]) -> str:
        return by_size(lambda name, count: slashed(value(cost[name][count][each]) for each in OPERATIONS))

    return {
        **found["machine"],
        **limits,
        "region": REGION,
        **{f"price_{name}": f"${price:.3f}".removesuffix("0") for name, price in DOLLARS.items()},
        "units": by_size(lambda name, count: _units(cost[name][count])),
        "dollars": of_all(dollars),
        "trips": of_all(lambda used: float(used["trips"])),
        "kilobytes": by_size(lambda name, count: figure(cost[name][count]["draw"]["bytes"] / 1000)),
        "get_item": ", ".join(figure(floor[count]["draw"]["ms"]) for count in sizes),
        "times": by_size(
            lambda name, count: _times(cost[name][count]["draw"], floor[count]["draw"]), TITLES | REFERENCES
        ),
        "computed": by_size(
            lambda name, count: _units(computed[name][count]) if computed[name][count] else "impossible",
            at=sizes_of(computed["petapi"]),
        ),
        "s3_kilobytes": ", ".join(
            figure(computed["s3_chunks"][count]["draw"]["bytes"] / 1000) for count in sizes_of(computed["s3_chunks"])
        ),
        "deviations": ", ".join(f"{deviation(cost[key], computed[key]):.1%} ({name})" for key, name in TITLES.items()),
        **_exactness(found["law"]),
    }


def service(found: Found) -> dict[str, object]:
    """Return the figures of the requests."""
    head = ("read units", "write units", "calls of DynamoDB", "S3: get / put / delete", "own")
    operations, before = found["operations"], found["own_ratio_before"]
    rows = {
        name: [
            *(figure(of[key]) for key in ("read_units", "write_units", "trips")),
            slashed(of["s3"][key] for key in ("get", "put", "delete")),
            "" if name == "thumbnail first" else figure(of["own_ratio"]),  # it is nothing but scaling
        ]
        for name, of in operations.items()
    }
    return {
        "images": f"{found['images']:,}",
        "rounds": found["rounds"],
        "kilobytes": figure(operations["download"]["response_bytes"] * 3 / 4 / 1000),
        "requests": table("request", head, rows),
        **{f"draw_{key}": figure(operations["draw image"][key]) for key in ("read_units", "trips")},
        "draw_before": figure(before["draw image"]),
        "draw_after": figure(operations["draw image"]["own_ratio"]),
        "upload_before": figure(before["upload"]),
        "upload_after": figure(operations["upload"]["own_ratio"]),
    }


def cold(found: Found) -> dict[str, object]:
    """Return the figures of the cold starts: CPU time and size of each function."""
    ratios, megabytes = found["ratios"], found["megabytes"]
    rows = {name: [f"{ratios[name]:.2f}" if name in ratios else "-", f"{size:.0f}"] for name, size in megabytes.items()}
    return {"rounds": found["rounds"], "functions": table("function", ("ratio", "MB unzipped, with the layer"), rows)}


def measure(found: Found) -> dict[str, object]:
    """Return the figures that `make measure` found: darts, several images, times over HTTP, thumbnails."""
    http, made = found["http"], found["thumbnails"]
    return {
        "cores": found["machine"]["cores"],
        "draws": f"{found['draws']:,}",
        "darts": _by_size(found["darts"], lambda chunks: f"{chunks:.2f}"),
        "answers": found["answers"],
        "distinct": _by_size(found["distinct"], lambda used: f"{used[0]:.1f} / {used[1]:.0f}"),
        "kilobytes": f"{http['bytes'] / 1000:.0f}",
        "draw_ms": f"{http['draw']:.0f}",
        "ratio": f"{http['draw'] / http['page']:.1f}",
        **{name: f"{made[name]:.0f}" for name in ("webp", "jpg", "progressive_webp", "progressive_jpg")},
        "megabytes": f"{made['bytes'] / 1e6:.1f}",
        "largest_seconds": f"{max(each['seconds'] for each in made['largest'].values()):.1f}",
        "largest_megabytes": f"{made['largest']['WEBP']['megabytes']:.0f}",
    }


def soak(found: Found) -> dict[str, object]:
    """Return the figures of a soak: what was done, and what a request took."""
    return {
        **{f"{part}_{kind}": f"{found[part][kind]:,}" for part in ("http", "store") for kind in ("writes", "draws")},
        "cores": found["machine"]["cores"],
        "clients": found["clients"],
        "seconds": f"{found['seconds']:.0f}",
        "cpu_ms": f"{found['http']['cpu_ms']:.0f}",
        "emulator_ms": f"{found['http']['emulator_ms']:.0f}",
    }


SECTIONS: dict[str, Callable[[Found], Mapping[str, object]]] = {
    "designs": designs,
    "service": service,
    "latency": latency,
    "cold": cold,
    "measure": measure,
    "run": run,
    "lite0": lite0,
    "search": search,
    "mosaic": mosaic,
    "soak": soak,
}


def _by_size(cells: Mapping[str, Mapping[str, Any]], cell: Callable[[Any], str]) -> str:
    """Return a table with a line for each number of images and a column for each kind of weights."""
    kinds = next(iter(cells.values()))
    rows = {f"{int(count):,}": map(cell, row.values()) for count, row in cells.items()}
    return table("images", kinds, rows)


def _exactness(law: Found) -> dict[str, object]:
    distances, sampled = law["distance"], law["sampled"]
    sizes = sizes_of(next(iter(law["darts"].values())))

    def by_kind(values: Callable[[str, str], Found]) -> str:
        cells = {
            kind: [slashed(values(kind, count)[state] for state in STATES) for count in sizes] for kind in law["kinds"]
        }
        return table("weights", sizes, cells)

    def units(kind: str, count: str) -> dict[str, float]:
        return {state: 0.5 + darts / 2 for state, darts in law["darts"][kind][count].items()}

    p_values = [p for kind in sampled["p"].values() for states in kind.values() for p in states.values()]
    return {
        "exact": ", ".join(title for name, title in TITLES.items() if not any(all_of(distances, name))),
        "cases": len(p_values),
        "wrong": by_kind(lambda kind, count: distances[kind]["uniform_chunks"][count]),
        "draws": figure(sampled["draws"]),
        "least_p": figure(min(p_values)),
        "expected_p": figure(1 / (len(p_values) + 1)),
        "found": figure(sampled["found"]),
        "expected_units": by_kind(units),
    }


def dollars(used: Found) -> float:
    """Return the cost of a million such operations."""
    return math.fsum(used[name] * price for name, price in DOLLARS.items())


def all_of(distances: Found, name: str) -> list[float]:
    """Return all distances of a design from the right distribution."""
    return [each for kind in distances.values() for states in kind[name].values() for each in states.values()]


def deviation(cost: Found, computed: Found) -> float:
    """Return the largest relative difference of measured and computed units of draws and uploads."""
    pairs = [
        (cost[count][each][unit], computed[count][each][unit])
        for count in cost
        for each, unit in (("draw", "read"), ("upload", "write"), ("draw", "gets"), ("upload", "puts"))
    ]
    differences: list[float] = [abs(measured / expected - 1) for measured, expected in pairs if expected]
    return max(differences)


def sizes_of(by_size: Found) -> list[str]:
    """Return the measured sizes, in order."""
    return sorted(by_size, key=int)


def _units(cost: Found) -> str:
    read, write = ("gets", "puts") if cost["draw"]["gets"] else ("read", "write")
    return slashed([cost["draw"][read], cost["upload"][write], cost["delete"][write]])


def _times(draw: Found, floor: Found) -> str:
    p99 = figure(draw["p99 ms"] / floor["ms"]) if draw["p99 ms"] else "-"
    return f"{figure(draw['ms'] / floor['ms'])} / {p99} ({figure(draw['cpu ms'] / floor['cpu ms'])})"
