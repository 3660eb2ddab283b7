"""How much each input moves the total: the month with each one halved and doubled."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from costs.bill import bill
from costs.stack import stack
from costs.tables import dollars
from costs.use import ONE, Assumed, Use, is_number

HALF = Decimal("0.5")
OTHER_SHARE = "1 - "  # before the name of a share: what it leaves to one
SHOWN = 10  # inputs in the plot; the others move less
BLUE, ORANGE, GREY = "#2f81d6", "#d9772b", "#808890"  # each readable on white and on near-black


@dataclass(frozen=True, slots=True)
class Swing:
    """The dollars to pay with an input halved and doubled."""

    name: str
    halved: Decimal
    doubled: Decimal

    @property
    def width(self) -> Decimal:
        """The difference of the two."""
        return abs(self.doubled - self.halved)


def swings(use: Use) -> list[Swing]:
    """Return the swing of every input except the draws, the widest first. With `memory`, all functions have it."""
    varied, assumed = replace(use, memory=use.memory or stack().memory["RandomFunction"]), Assumed()
    found = [
        Swing(name, *(bill(replace(use, **change), assumed).net for change in changes))
        for name, changes in _changes(varied)
        if name != "draws"
    ] + [
        Swing(name, *(bill(use, replace(assumed, **change)).net for change in changes))
        for name, changes in _changes(assumed)
    ]
    return sorted(found, key=lambda swing: (-swing.width, swing.name))


def _changes(inputs: Use | Assumed) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield each input that is not 0, halved and doubled. For a share above one half, change the rest to 1 instead."""
    for each in filter(is_number, fields(inputs)):
        value = getattr(inputs, each.name)
        if each.metadata["most"] == ONE and value > HALF:
            yield OTHER_SHARE + each.name, [{each.name: 1 - (1 - value) * factor} for factor in (HALF, Decimal(2))]
        elif value:
            yield each.name, [{each.name: value * factor} for factor in (HALF, Decimal(2))]


def plot(uses: Sequence[tuple[str, Use]], file: Path) -> None:
    """Plot a tornado for each month, as SVG."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot as plt

    mpl.rcParams.update({"svg.hashsalt": "petAPI", "svg.fonttype": "none", "font.size": 10, "axes.edgecolor": GREY})
    mpl.rcParams.update(dict.fromkeys(("text.color", "axes.labelcolor", "xtick.color", "ytick.color"), GREY))
    figure, panels = plt.subplots(1, len(uses), figsize=(6 * len(uses), 4.2), layout="constrained")
    for axes, (title, use) in zip(panels, uses, strict=True):
        total, shown = bill(use).net, swings(use)[:SHOWN][::-1]
        names = [swing.name for swing in shown]
        for label, colour, ends in (
            ("halved", BLUE, [swing.halved for swing in shown]),
            ("doubled", ORANGE, [swing.doubled for swing in shown]),
        ):
            axes.barh(names, [float(end - total) for end in ends], left=float(total), color=colour, label=label)
        axes.axvline(float(total), color=GREY, linewidth=1)
        axes.locator_params(axis="x", nbins=5)
        axes.xaxis.set_major_formatter("${x:,.0f}")
        axes.set(title=f"{title}: {dollars(total)}", xlabel="a month")
        axes.spines[["top", "right"]].set_visible(False)
        axes.patch.set_alpha(0)
    panels[-1].legend(loc="lower right", frameon=False)
    figure.savefig(file, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    plt.close(figure)
