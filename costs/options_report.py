"""The tables of costs/README.md about options of the stack, and about what strangers can make an operator pay."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from costs import attack
from costs.bill import Bill, bill, bill_of, month
from costs.measured import Measured
from costs.monitoring import PLAIN, STATES
from costs.prices import prices
from costs.reads import largest_file
from costs.stack import stack
from costs.tables import dollars, number, table
from costs.use import Assumed, Use

NONE = Decimal(0)


def texts(months: list[Use]) -> dict[str, str]:
    """Return the texts of the page by the names of their places."""
    known = prices(months[0].region)
    return {
        "options": options(months),
        "metrics": number(PLAIN + STATES + Assumed().reasons),
        "free_metrics": number(known["metrics"].free),
        "metric": dollars(known["metrics"].gross(Decimal(1))),
        "log_bytes": number(month(months[0], Assumed()).measured.operations["draw image"].log_bytes),
        "attacks": attacks(),
        "attack_rate": number(attack.RATE),
        "attack_allowed": number(attack.IN_FIVE_MINUTES),
        "attack_bytes": dollars(attack.of_bytes()),
        "hits": number(attack.STILL.hits),
        "attacked_images": number(attack.STILL.images),
        "attacked_labels": number(attack.STILL.labels),
        "largest_file": number(largest_file()),
        "routes": number(Decimal(len(stack().limits))),
        "all_routes": number(sum(stack().limits.values(), NONE)),
        "break_even": number(attack.break_even()),
        "picture_throttle": number(stack().picture_throttle),
    }


def options(months: list[Use]) -> str:
    """Return what each option changes in these months of mode image."""
    columns = [list(changes(use)) for use in months]
    rows = [(column[0][0], *(dollars(amount) for _, amount in column)) for column in zip(*columns, strict=True)]
    return table(("", *(f"{number(use.draws)} draws" for use in months)), rows, left=1)


def changes(use: Use) -> Iterator[tuple[str, Decimal]]:
    """Yield each option and the dollars that it adds."""
    usual, edge = bill(use).net, replace(use, mode="cdn-image")
    yield "an HTTP API in place of the REST API", bill(replace(use, api="http")).net - usual
    yield "a web ACL with one rule, for CloudFront (`WebAclArn`)", bill(replace(edge, waf="on")).net - bill(edge).net
    yield "a web ACL with one rule, for the API (`ApiWebAclArn`)", bill(replace(use, waf="on")).net - usual
    yield "CloudFront's log (`CdnLogs=true`)", bill(replace(edge, cdn_logs="on")).net - bill(edge).net
    yield "traces (`Tracing=Active`)", bill(replace(use, tracing="on")).net - usual
    yield "custom metrics, included above", usual - _without_metrics(bill(use))
    yield "the functions' log lines, included above", usual - _without_lines(use).net
    yield "without Lambda's own log lines", bill(use, Assumed(platform_log_bytes=NONE)).net - usual


def _without_metrics(whole: Bill) -> Decimal:
    return sum((line.net for line in whole.lines if line.price.name != "metrics"), NONE)


def _without_lines(use: Use) -> Bill:
    whole = month(use, Assumed())
    silent = {name: replace(each, log_bytes=NONE) for name, each in whole.measured.operations.items()}
    return bill_of(replace(whole, measured=Measured(silent, whole.measured.write_units_of_tag)))


def attacks() -> str:
    """Return what one client can make an operator pay, by what bounds it."""
    rows = [(each.bounds, _dollars(each.at_api), _dollars(each.at_edge)) for each in attack.attacks()]
    return table(("bounds", "at the API's address", "at CloudFront"), rows, left=1)


def _dollars(use: Use | None) -> str:
    return dollars(attack.written(use)) if use else ""
