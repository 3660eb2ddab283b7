"""Metrics of a call, as members of its log line: CloudWatch reads them there, so they cost no call of AWS.

The members are CloudWatch's embedded metric format. Lambda's JSON log handler writes what `extra` has beside the
message, so the line of a request is such a document:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

NAMESPACE = "petAPI"
STACK = "Stack"  # the dimension of each metric
UNITS = {
    "Draws": "Count",  # images that were drawn
    "Darts": "Count",  # thrown for them: darts that were looked at, up to the one that hit
    "LostRaces": "Count",  # attempts that began anew, because another writer was first
    "BytesOut": "Bytes",  # of the bodies of responses, as clients get them
    "Denied": "Count",  # pictures that S3 did not give: AccessDenied is also its word for those that are gone
    "Refusals": "Count",
    "Uploads": "Count",
    "Failed": "Count",  # messages of a queue that must come again through no fault of the sender or the receiver
}
# metric -> the dimension that it has beside the stack
BY = {"Refusals": "Reason", "Uploads": "State", "Failed": "Function"}

Measured = dict[str, Any]  # name of a metric or of a dimension -> its value

_measured: ContextVar[Measured | None] = ContextVar("measured", default=None)


@contextmanager
def measured() -> Iterator[Measured]:
    """Yield what is counted within this block, also in its threads."""
    found: Measured = {}
    before = _measured.set(found)
    try:
        yield found
    finally:
        _measured.reset(before)


def count(name: str, number: int = 1) -> None:
    """Add to a metric of this call. Outside a call, it counts for nothing."""
    found = _measured.get()
    if found is not None:
        found[name] = found.get(name, 0) + number


def counted(name: str) -> int:
    """Return what this call has counted so far."""
    return int((_measured.get() or {}).get(name, 0))


def count_by(name: str, value: str, number: int = 1) -> None:
    """Count for a metric that has a dimension, with this value of it. A call counts one value at most."""
    found = _measured.get()
    if found is not None:
        found[name], found[BY[name]] = number, value


def members(found: Mapping[str, Any]) -> Measured:
    """Return the members of a log line that carry these metrics; none without any."""
    directives = _directives(tuple(name for name in UNITS if name in found))
    if not directives:
        return {}
    metadata = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": directives}
    return {"_aws": metadata, STACK: os.environ.get("STACK_NAME") or "petapi", **found}


@cache
def _directives(names: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return what tells CloudWatch of these metrics. There are a dozen sets of them, so each is made once."""
    plain = [{"Name": name, "Unit": UNITS[name]} for name in names if name not in BY]
    found = [_directive([STACK], plain)] if plain else []
    return found + [
        _directive([STACK, dimension], [{"Name": name, "Unit": UNITS[name]}])
        for name, dimension in BY.items()
        if name in names
    ]


def _directive(dimensions: list[str], metrics: list[dict[str, str]]) -> dict[str, Any]:
    return {"Namespace": NAMESPACE, "Dimensions": [dimensions], "Metrics": metrics}
