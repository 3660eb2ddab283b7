"""What metrics and traces cost: CloudWatch charges a metric for each hour in which it is written."""

from decimal import Decimal

from costs.measured import Requests
from costs.use import DAY, MONTH, Assumed, Use
from shared.metrics import BY, UNITS

HOURS = MONTH * 24
PLAIN = Decimal(len(UNITS) - len(BY))  # metrics that have only the dimension of the stack
STATES = Decimal(len(("stored", "known", "recognised", "failed", "expired")))  # values of the dimension of uploads


def quantities(use: Use, assumed: Assumed, asked: Requests, behind: Requests) -> dict[str, Decimal]:
    """Return custom metrics, and traces if there are any."""
    requests = sum(asked.values(), Decimal(0))
    written = min((requests + sum(behind.values(), Decimal(0))) / HOURS, Decimal(1))  # the part of the hours, at most
    metrics = {"metrics": written * (PLAIN + STATES + assumed.reasons)}
    return metrics if use.tracing == "off" else metrics | {"traces": _traces(requests, assumed)}


def _traces(requests: Decimal, assumed: Assumed) -> Decimal:
    """Return the traces of X-Ray's default rule, if the requests are spread evenly."""
    firsts = min(requests, assumed.traced_first * MONTH * DAY)
    return firsts + (requests - firsts) * assumed.traced_rest
