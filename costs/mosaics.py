"""What mosaics and files of tiles need.

| step                   | DynamoDB                                                | S3  |
|------------------------|---------------------------------------------------------|-----|
| mosaic                 | the image's row; its tiles, in pages of 1 MB            | GET |
| file of tiles          | the tiles, in pages of 1 MB                             |     |

A Query is charged for the bytes that it reads, here eventually consistently: half a unit for 4 KB. The CPU time and the
size of a response are those that `make measure-mosaic` found; the rest of a request takes the time of `info`.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from functools import cache
from math import ceil
from typing import Any

from costs import measured as measurements
from costs.measured import NO_S3, OF_BASE64, Measured, Requests
from costs.rows import CHARGED_BESIDE, tile_bytes
from costs.use import Use

MOSAIC, TILES = "mosaic", "file of tiles"
STEPS = dict.fromkeys((MOSAIC, TILES), "MosaicFunction")
PAGE_BYTES = 2**20  # that a Query reads at most
UNIT_BYTES = Decimal(4096)  # for half a unit


def requests(use: Use) -> Requests:
    """Return the requests by kind."""
    return {MOSAIC: use.mosaics, TILES: use.tile_files}


def with_steps(measured: Measured) -> Measured:
    """Return the measured requests and those of mosaics."""
    info, found = measured.operations["info"], figures()
    whole = found["whole"]
    mosaic = replace(
        info,
        read_units=1 + units(found["tiles"]),
        trips=Decimal(2 + pages(found["tiles"])),  # one page more, because the names go round the end
        s3={**NO_S3, "get": Decimal(1)},
        cpu_ms=info.cpu_ms + whole["read_ms"] + whole["make_ms"],
        response_bytes=whole["bytes"] / OF_BASE64,
    )
    tiles = replace(
        info,
        read_units=units(found["packed"]),
        trips=Decimal(pages(found["packed"])),
        s3=NO_S3,
        cpu_ms=info.cpu_ms + whole["packed_ms"],
        response_bytes=whole["packed_bytes"] / OF_BASE64,
    )
    return replace(measured, operations={**measured.operations, MOSAIC: mosaic, TILES: tiles})


def units(tiles: int) -> Decimal:
    """Return the read units of so many tiles."""
    return Decimal(ceil(tiles * _read_bytes() / UNIT_BYTES)) / 2


def pages(tiles: int) -> int:
    """Return in how many answers so many tiles come."""
    return ceil(tiles * _read_bytes() / PAGE_BYTES)


def _read_bytes() -> Decimal:
    return tile_bytes() - CHARGED_BESIDE  # which is charged for storage only


@cache
def figures() -> Mapping[str, Any]:
    """Read the section "mosaic" of tools/benchmarks/results.json."""
    read = json.loads(measurements.FILE.read_text(encoding="utf-8"), parse_float=Decimal, parse_int=Decimal)
    found: Mapping[str, Any] = read["mosaic"]
    return found
