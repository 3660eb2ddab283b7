"""What one request of each kind needs, as the benchmarks measured it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path

FILE = Path(__file__).resolve().parent.parent / "tools" / "benchmarks" / "results.json"
OF_BASE64 = Decimal("0.75")  # bytes of a picture in each byte of base64
NO_S3 = {verb: Decimal(0) for verb in ("get", "put", "delete")}
Requests = dict[str, Decimal]  # how many of each operation


class Unmeasured(Exception):
    """The benchmarks have no results yet; the text says how to get them."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One request: DynamoDB's units and round trips, S3's requests, CPU time, bytes of log and of response."""

    read_units: Decimal
    write_units: Decimal
    trips: Decimal
    s3: Mapping[str, Decimal]  # get, put, delete
    cpu_ms: Decimal
    log_bytes: Decimal
    response_bytes: Decimal  # as Lambda responds: a picture in base64
    other_ms: Decimal = Decimal(0)  # of waiting for others than DynamoDB and S3


@dataclass(frozen=True, slots=True)
class Measured:
    """All requests by name, and what a tag adds to the writes of an upload."""

    operations: Mapping[str, Operation]
    write_units_of_tag: Decimal

    @property
    def picture_bytes(self) -> Decimal:
        """The size of the pictures in the measured requests."""
        return self.operations["download"].response_bytes * OF_BASE64


@cache
def measured() -> Measured:
    """Read the section "service" of tools/benchmarks/results.json."""
    try:
        service = json.loads(FILE.read_text(encoding="utf-8"), parse_float=Decimal, parse_int=Decimal)["service"]
    except (FileNotFoundError, KeyError) as error:
        raise Unmeasured(f'There is no section "service" in {FILE}. Run `make bench` to get it.') from error
    known = Operation.__dataclass_fields__
    operations = {
        name: Operation(**{key: figure for key, figure in figures.items() if key in known})
        for name, figures in service["operations"].items()
    }
    of_tag = operations["upload with 1 tag"].write_units - operations["upload"].write_units
    return Measured(operations, of_tag)
