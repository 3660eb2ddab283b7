"""What one request of each kind needs, as the benchmarks measured it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).resolve().parent.parent / "tools" / "benchmarks" / "results.json"
OF_BASE64 = Decimal("0.75")  # bytes of a picture in each byte of base64
MODELLED = ("draw image", "draw redirect")  # whose waits overlap: `make latency` has them
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
    overlapping_ms: Decimal | None = None  # of waiting for DynamoDB and S3 together; None: one waits after the other


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
    """Read the sections "service" and "latency" of tools/benchmarks/results.json."""
    try:
        found = json.loads(FILE.read_text(encoding="utf-8"), parse_float=Decimal, parse_int=Decimal)
        service, latency = found["service"], found["latency"]
    except (FileNotFoundError, KeyError) as error:
        command = "make latency" if error.args == ("latency",) else "make bench"
        raise Unmeasured(f"There are no such results in {FILE}. Run `{command}` to get them.") from error
    known = Operation.__dataclass_fields__
    operations = {
        name: Operation(**{key: figure for key, figure in figures.items() if key in known})
        for name, figures in service["operations"].items()
    }
    for name in MODELLED:
        waits = _waits(latency, name, operations[name].cpu_ms)
        operations[name] = replace(operations[name], overlapping_ms=waits)
    of_tag = operations["upload with 1 tag"].write_units - operations["upload"].write_units
    return Measured(operations, of_tag)


def _waits(latency: Any, name: str, cpu_ms: Decimal) -> Decimal:
    """Return the mean ms that a warm request waits: what the model takes on a whole vCPU, without the CPU time."""
    mean: Decimal = latency["by_memory"]["1"]["1769"][name][-1]
    return mean - cpu_ms
