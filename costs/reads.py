"""What other reads need: draws in JSON, HEAD requests, labels, and the pages with what they load.

A HEAD request does what GET does, and sends no body. That of a draw stands for that of a picture, too, which needs no
more. Pages are read from the function's own package. CloudFront keeps the files that they load for a year.

| step                  | DynamoDB                                             | other calls  |
|-----------------------|------------------------------------------------------|--------------|
| label with 100 images | its lanes, a page of rows; no tiles                  |              |
| page of labels        | their names, and the lanes of each, one by one       | SQS          |
"""

from dataclasses import replace
from decimal import Decimal
from functools import cache
from pathlib import Path

from costs.measured import NO_S3, Measured, Operation, Requests
from costs.mosaics import MOSAIC
from costs.use import Use

JSON, HEAD, MOSAIC_HEAD, FILE = "draw json", "HEAD of a draw", "HEAD of a mosaic", "file of a page"
MANY, MANY_HEAD, LIST_HEAD = "draw 20", "HEAD of 20 draws", "HEAD of a list"
LABEL, LABELS, PAGE, CONTRACT = "label with 100 images", "page of labels", "page", "openapi.json"
STEPS = {
    **dict.fromkeys((JSON, MANY, HEAD, MANY_HEAD), "RandomFunction"),
    **dict.fromkeys((LIST_HEAD, LABEL, LABELS), "BrowseFunction"),
    MOSAIC_HEAD: "MosaicFunction",
    **dict.fromkeys((FILE, PAGE, CONTRACT), "WebFunction"),
}
FOLDER = Path(__file__).resolve().parent.parent / "web"
SERVED = ("*.css", "*.js", "*.svg", "samples/*.jpg", "vendor/*/*.css", "vendor/*/*.js")
LISTED = Decimal(100)  # entries of a page at most
IMAGE_BYTES, LABEL_BYTES = Decimal(250), Decimal(150)  # of the JSON of an entry
HALF = Decimal("0.5")  # the read units of a label's lanes, or of a few small rows, read eventually consistently


def requests(use: Use) -> Requests:
    """Return the requests by kind."""
    return {
        JSON: use.json_draws,
        MANY: use.many_draws,
        HEAD: use.heads,
        MANY_HEAD: use.many_heads,
        LIST_HEAD: use.list_heads,
        MOSAIC_HEAD: use.mosaic_heads,
        LABEL: use.label_pages,
        LABELS: use.label_lists,
        FILE: use.page_files,
        PAGE: use.pages,
        CONTRACT: use.contracts,
    }


def with_steps(measured: Measured, use: Use) -> Measured:
    """Return the measured requests and those of other reads; mosaics are among the former."""
    draw, many, list_, mosaic, info = (
        measured.operations[name] for name in ("draw image", MANY, "list 100", MOSAIC, "info")
    )
    nothing = Decimal(0)
    file = replace(info, read_units=nothing, trips=nothing, response_bytes=largest_file())
    steps = {
        HEAD: replace(draw, response_bytes=nothing),
        MANY_HEAD: replace(many, response_bytes=nothing),
        LIST_HEAD: replace(list_, response_bytes=nothing),
        MOSAIC_HEAD: replace(mosaic, response_bytes=nothing),
        LABEL: replace(
            list_,
            read_units=list_.read_units - LISTED * HALF + HALF,  # lanes in place of tiles
            response_bytes=LISTED * IMAGE_BYTES,
        ),
        LABELS: _labels(info, min(use.labels, LISTED)),
        FILE: file,
        PAGE: replace(file, response_bytes=_size("page.html")),
        CONTRACT: replace(file, response_bytes=_size("openapi.json")),
    }
    return replace(measured, operations={**measured.operations, **steps})


def _labels(info: Operation, labels: Decimal) -> Operation:
    """Return what a page of so many labels needs; each call takes the CPU time of a call of `info`."""
    trips = labels + 2
    return replace(
        info,
        read_units=HALF + labels * HALF,
        trips=trips,
        s3=NO_S3,
        cpu_ms=info.cpu_ms / info.trips * trips,
        response_bytes=labels * LABEL_BYTES,
    )


def _size(name: str) -> Decimal:
    return Decimal((FOLDER / name).stat().st_size)


@cache
def largest_file() -> Decimal:
    """Return the bytes of the largest file that the pages load, without compression."""
    return Decimal(max(path.stat().st_size for pattern in SERVED for path in FOLDER.glob(pattern)))
