"""What one request of each kind needs, as the benchmarks measured it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).resolve().parent.parent / "benchmarks" / "results.json"


class Unmeasured(Exception):
    """There are no results of the benchmarks; the text says how to get them."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One request: DynamoDB's units and round trips, S3's requests, CPU time, bytes of log and of answer."""

    read_units: Decimal
    write_units: Decimal
    trips: Decimal
    s3: Mapping[str, Decimal]  # get, put, delete
    cpu_ms: Decimal
    log_bytes: Decimal
    response_bytes: Decimal  # as Lambda answers: a picture in base64
    write_units_per_tag: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Measured:
    """All requests by name, and the sizes of what they leave in DynamoDB."""

    operations: Mapping[str, Operation]
    picture_bytes: Decimal
    item_bytes: Mapping[str, Decimal]


@cache
def measured() -> Measured:
    """The section "service" of benchmarks/results.json."""
    try:
        service = json.loads(FILE.read_text(encoding="utf-8"), parse_float=Decimal, parse_int=Decimal)["service"]
    except (FileNotFoundError, KeyError) as error:
        raise Unmeasured(f'There is no section "service" in {FILE}; make it by `make bench`.') from error
    operations = {name: _operation(figures) for name, figures in service["operations"].items()}
    return Measured(operations, service["picture_bytes"], service["item_bytes"])


def _operation(figures: dict[str, Any]) -> Operation:
    known = Operation.__dataclass_fields__
    return Operation(**{name: figure for name, figure in figures.items() if name in known})
