"""A month's bill: quantities times prices, with the free part separate. Nothing is rounded, so all sums are exact."""

from dataclasses import dataclass, fields, replace
from decimal import Decimal

from costs import direct_uploads, edge, mosaics, reads, search, sized
from costs.measured import Measured, measured
from costs.model import REFUSED, Month
from costs.prices import Price, prices
from costs.stack import stack
from costs.use import Assumed, Use

FINEST = Decimal("1e-6")  # of a unit; with no more decimals in quantities, 28 digits hold each product and sum


class PlanNotApplicable(Exception):
    """The plan does not cover such a month; the text says why."""


@dataclass(frozen=True, slots=True)
class Line:
    """One kind of thing and its quantity."""

    price: Price
    quantity: Decimal

    @property
    def gross(self) -> Decimal:
        """The dollars without a free tier."""
        return self.price.gross(self.quantity)

    @property
    def waived(self) -> Decimal:
        """The dollars that the free tier takes off."""
        return self.price.waived(self.quantity)

    @property
    def net(self) -> Decimal:
        """The dollars to pay."""
        return self.gross - self.waived


@dataclass(frozen=True, slots=True)
class Bill:
    """All lines of a month."""

    lines: tuple[Line, ...]

    @property
    def gross(self) -> Decimal:
        """The dollars without a free tier."""
        return sum((line.gross for line in self.lines), Decimal(0))

    @property
    def waived(self) -> Decimal:
        """The dollars that the free tier takes off."""
        return sum((line.waived for line in self.lines), Decimal(0))

    @property
    def net(self) -> Decimal:
        """The dollars to pay."""
        return sum((line.net for line in self.lines), Decimal(0))

    def services(self) -> dict[str, Decimal]:
        """Return the dollars to pay by service, in the order of the price file."""
        found: dict[str, Decimal] = {}
        for line in self.lines:
            found[line.price.service] = found.get(line.price.service, Decimal(0)) + line.net
        return found


def bill(use: Use, assumed: Assumed | None = None) -> Bill:
    """Return the bill of a month, for the measured requests and the stack of template.yaml."""
    return bill_of(month(use, assumed or Assumed()))


def bill_of(month: Month) -> Bill:
    """Return the bill of a month whose work is known."""
    use, known, quantities = month.use, prices(month.use.region), month.quantities()
    if use.plan != "none":
        quantities = _carried(quantities, known[f"cloudfront-{use.plan}"], use)
    return Bill(
        tuple(Line(price, quantities[name].quantize(FINEST)) for name, price in known.items() if name in quantities)
    )


def month(use: Use, assumed: Assumed) -> Month:
    """Return the month of this use, with the measured requests and the steps that are counted from the code."""
    known = search.with_steps(direct_uploads.with_steps(measured(), use, assumed), use, assumed)
    known = with_refusals(reads.with_steps(sized.with_steps(mosaics.with_steps(known), use), use))
    return Month(use, assumed, known, stack())


def with_refusals(known: Measured) -> Measured:
    """Return the requests and those that a function refuses at once: they take no longer than an image's info."""
    info = known.operations["info"]
    refused = replace(info, read_units=Decimal(0), trips=Decimal(0))
    return replace(known, operations={**known.operations, REFUSED: refused})


def at_rest(use: Use) -> Use:
    """Return the same month without any request."""
    names = (each.name for each in fields(use) if each.metadata.get("unit") == "requests")
    return replace(use, **dict.fromkeys(names, Decimal(0)))  # type: ignore[arg-type]


def _carried(quantities: dict[str, Decimal], plan: Price, use: Use) -> dict[str, Decimal]:
    """Return the quantities that are charged in addition to the plan."""
    if not edge.is_used(use):
        modes = " or ".join(edge.CDN)
        raise PlanNotApplicable(f"A plan is for CloudFront. Use it with --mode {modes} instead of {use.mode}.")
    for name, allowed in plan.allows.items():
        if quantities[name] > allowed:
            needed = f"{quantities[name]:,.0f}"
            raise PlanNotApplicable(f"{plan.item} covers {allowed:,} of {name} a month, but this month needs {needed}.")
    carried = quantities.keys() & {*plan.allows, *plan.includes}
    return {**quantities, **dict.fromkeys(carried, Decimal(0)), plan.name: Decimal(1)}
