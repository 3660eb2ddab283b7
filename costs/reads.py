"""What other reads need: draws in JSON, HEAD requests, and the largest file of the pages.

A HEAD request does what GET does, and sends no body. That of a draw stands for those of pictures and lists, too, which
need no more. A file of the pages is read from the function's own package. CloudFront keeps it for a year.
"""

from dataclasses import replace
from decimal import Decimal
from functools import cache
from pathlib import Path

from costs.measured import Measured, Requests
from costs.mosaics import MOSAIC
from costs.use import Use

JSON, HEAD, MOSAIC_HEAD, FILE = "draw json", "HEAD of a draw", "HEAD of a mosaic", "file of a page"
STEPS = {JSON: "RandomFunction", HEAD: "RandomFunction", MOSAIC_HEAD: "MosaicFunction", FILE: "WebFunction"}
FOLDER = Path(__file__).resolve().parent.parent / "web"
SERVED = ("*.css", "*.js", "*.svg", "samples/*.jpg", "vendor/*/*.css", "vendor/*/*.js")


def requests(use: Use) -> Requests:
    """Return the requests by kind."""
    return {JSON: use.json_draws, HEAD: use.heads, MOSAIC_HEAD: use.mosaic_heads, FILE: use.page_files}


def with_steps(measured: Measured) -> Measured:
    """Return the measured requests and those of other reads; mosaics are among the former."""
    draw, mosaic, info = (measured.operations[name] for name in ("draw image", MOSAIC, "info"))
    nothing = Decimal(0)
    steps = {
        HEAD: replace(draw, response_bytes=nothing),
        MOSAIC_HEAD: replace(mosaic, response_bytes=nothing),
        FILE: replace(info, read_units=nothing, trips=nothing, response_bytes=largest_file()),
    }
    return replace(measured, operations={**measured.operations, **steps})


@cache
def largest_file() -> Decimal:
    """Return the bytes of the largest file that the pages load, without compression."""
    return Decimal(max(path.stat().st_size for pattern in SERVED for path in FOLDER.glob(pattern)))
