"""What one request of each kind needs, as the benchmarks measured it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path

FILE = Path(__file__).resolve().parent.parent / "tools" / "benchmarks" / "results.json"
OF_BASE64 = Decimal("0.75")  # bytes of a picture in each byte of base64


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
    other_ms: Decimal = Decimal(0)  # of waiting for neither DynamoDB nor S3


@dataclass(frozen=True, slots=True)
class Measured:
    """All requests by name, and what a tag adds to the writes of an upload."""

    operations: Mapping[str, Operation]
    write_units_of_tag: Decimal

    @property
    def picture_bytes(self) -> Decimal:
        """The size of the pictures that were measured with."""
        return self.operations["download"].response_bytes * OF_BASE64


@cache
def measured() -> Measured:
    """The section "service" of tools/benchmarks/results.json."""
    try:
        service = json.loads(FILE.read_text(encoding="utf-8"), parse_float=Decimal, parse_int=Decimal)["service"]
    except (FileNotFoundError, KeyError) as error:
        raise Unmeasured(f'There is no section "service" in {FILE}; make it by `make bench`.') from error
    known = Operation.__dataclass_fields__
    operations = {
        name: Operation(**{key: figure for key, figure in figures.items() if key in known})
        for name, figures in service["operations"].items()
    }
    of_tag = operations["upload with 1 tag"].write_units - operations["upload"].write_units
    return Measured(operations, of_tag)
