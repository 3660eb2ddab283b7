"""Plots of docs/reference/performance.md: SVG, readable on light and dark backgrounds, and the same each time."""

from collections.abc import Iterable, Mapping
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from tools.benchmarks.page import PAGE, REFERENCES, TITLES, dollars, sizes_of

Found = Mapping[str, Any]

GREY = "#808890"  # a contrast of at least 3.5 to white and to black
COLORS = {
    "flat": "#e69f00",
    "s3_chunks": "#cc79a7",
    "uniform_chunks": "#d55e00",
    "totals_item": "#009e73",
    "petapi": "#3987d6",
}
STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "petAPI",
    "font.family": "sans-serif",
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "grid.alpha": 0.3,
    "lines.markersize": 5,
    **dict.fromkeys(
        (
            "text.color",
            "axes.labelcolor",
            "axes.edgecolor",
            "axes.titlecolor",
            "xtick.color",
            "ytick.color",
            "grid.color",
        ),
        GREY,
    ),
}


def draw_all(found: Found) -> None:
    """Write the three files beside the page."""
    with mpl.rc_context(STYLE):
        _save("cost", cost(found["designs"]))
        _save("latency", latency(found["designs"]))
        _save("exactness", exactness(found["designs"]["law"]))


def cost(designs: Found) -> Figure:
    """Plot dollars of draws and uploads: dots are measured, lines computed."""
    figure, axes = _axes(2)
    for axis, operation in zip(axes, ("draw", "upload"), strict=True):
        for name, computed in designs["computed"].items():
            possible = {count: each for count, each in computed.items() if each}
            _line(
                axis, name, possible, (dollars(possible[count][operation]) for count in sizes_of(possible)), marker=""
            )
            measured = designs["cost"][name]
            prices = [dollars(measured[count][operation]) for count in sizes_of(measured)]
            axis.plot([int(count) for count in sizes_of(measured)], prices, "o", color=COLORS[name])
        axis.set_title(f"dollars for a million {operation}s")
        axis.set_yscale("log")
    _legend(figure, axes[0], "dots: measured · lines: computed · a line ends where an item would have more than 400 KB")
    return figure


def latency(designs: Found) -> Figure:
    """Plot median times, as ratios to one GetItem."""
    figure, axes = _axes(2)
    floor = designs["cost"]["get_item"]
    for axis, measure, title in zip(axes, ("ms", "cpu ms"), ("time", "client's CPU time"), strict=True):
        for name in (*TITLES, "sqlite"):
            draws = designs["cost"][name]
            ratios = (draws[count]["draw"][measure] / floor[count]["draw"][measure] for count in sizes_of(draws))
            _line(axis, name, draws, ratios)
        axis.set_title(f"{title} of a draw / of one GetItem")
        axis.set_yscale("log")
    _legend(figure, axes[0], "medians; engines on the same machine")
    return figure


def exactness(law: Found) -> Figure:
    """Plot the distance of the uniform chunk, by kinds of weights."""
    figure, axes = _axes(2)
    for axis, state in zip(axes, ("one more", "half deleted"), strict=True):
        for kind, color in zip(law["kinds"], COLORS.values(), strict=True):
            states = law["distance"][kind]["uniform_chunks"]
            points = [states[count][state] for count in sizes_of(states)]
            width = 5 if kind == "equal" else 1.5  # "all .54" are equal, too, and lie on the same line
            axis.plot(
                [int(count) for count in sizes_of(states)], points, "o-", color=color, label=kind, linewidth=width
            )
        axis.axhline(0, color=GREY, linewidth=2)
        axis.set_title({"one more": "after one more upload", "half deleted": "after half was deleted"}[state])
        axis.set_ylim(-0.02, 1)
    axes[0].set_ylabel("distance from the right law")
    _legend(
        figure,
        axes[0],
        "uniform chunk, by weights: the part of all draws that goes to wrong images · grey line: petAPI, 0",
    )
    return figure


def _axes(count: int) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(9.5, 4.6))
    axes = list(figure.subplots(1, count))
    for axis in axes:
        axis.set_xscale("log")
        axis.xaxis.set_minor_locator(NullLocator())
        axis.set_xlabel("images of the label")
        axis.grid(visible=True)
    figure.subplots_adjust(left=0.08, right=0.99, top=0.92, bottom=0.3, wspace=0.18)
    return figure, axes


def _line(axis: Axes, name: str, sizes: Iterable[str], values: Iterable[float], marker: str = "o") -> None:
    width = 3 if name == "petapi" else 1.5
    color, style = COLORS.get(name, GREY), "-" if name in COLORS else "--"
    numbers = sorted(map(int, sizes))
    axis.plot(
        numbers,
        list(values),
        style,
        marker=marker,
        color=color,
        label=(TITLES | REFERENCES)[name],
        linewidth=width,
        markersize=5,
    )


def _legend(figure: Figure, axis: Axes, note: str) -> None:
    figure.legend(*axis.get_legend_handles_labels(), loc="lower center", ncol=3, bbox_to_anchor=(0.5, 0.035))
    figure.text(0.5, 0.015, note, ha="center", fontsize=9)


def _save(name: str, figure: Figure) -> None:
    path = PAGE.with_name(f"performance-{name}.svg")
    figure.savefig(path, transparent=True, metadata={"Date": None, "Creator": None})
