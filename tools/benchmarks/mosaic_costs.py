"""`make measure-mosaic`: what a mosaic takes and how close it is, beside the plain way, and docs/images/mosaic.jpg.

It is the section "mosaic" of results.json. The plain way takes for each cell the tile with the nearest mean RGB. Times
are CPU times of one thread, the least of ROUNDS; the tiles are of crops of the sample photographs. DynamoDB is answers
that were written before, so that only reading them takes time.
"""

import base64
import io
import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # as in MosaicFunction; numpy reads it when it is imported

import boto3
import urllib3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from PIL import Image

import drawing
import lab_parts
import matching
import mosaic_grid
import mosaic_making
import mosaic_options
import packed_tiles
from mosaic_grid import Grid
from shared.pictures.showing.shown import shown
from shared.tiles import Tile, Tiles
from tests.support import plain_mosaic, sample_pictures, tile_pictures
from tests.support.cloud import ROOT
from tests.support.photographs import PHOTOGRAPHS
from tools.benchmarks import page, results

PICTURE = ROOT / "docs/images/mosaic.jpg"
PICTURE_COLUMNS, PICTURE_WIDTH, GAP = 80, 480, 12  # columns; pixels of each of the three pictures, and between them
TILES, COLUMNS, ROUNDS = 2_000, 100, 5
PACKED = 1_000  # tiles of a file
PAGE = 331  # tiles in the 1 MB of an answer to a Query
PIXELS = (4_000, 3_000)  # of the picture whose mosaic memory is measured for: 12 megapixels


def photographs() -> dict[str, Image.Image]:
    """Return three photographs, four to three, by what they show: a cat, a rocket before a night sky, and macaws."""
    macaws = (sample_pictures.FOLDER / "macaws.jpg").read_bytes()
    found = zip(("cat", "rocket", "macaws"), map(opened, (*PHOTOGRAPHS, macaws)), strict=True)
    return {name: picture.crop((0, 0, picture.height * 4 // 3, picture.height)) for name, picture in found}


def compared(picture: Image.Image) -> dict[str, float]:
    """Match a photograph in both ways. Return differences, shares of equal neighbours, and the ratio of the times."""
    pixels = mosaic_making.pixels_of(tile_pictures.crops(TILES))
    grid = mosaic_grid.covering(COLUMNS, *picture.size)
    cells, parts = lab_parts.of_picture(picture, grid), lab_parts.of_tiles(pixels)
    ours, plain = matched(picture, grid), plain_mosaic.choose(picture, pixels, grid)
    our_time, plain_time = (
        seconds(lambda: matched(picture, grid)),
        seconds(lambda: plain_mosaic.choose(picture, pixels, grid)),
    )
    return {
        "ours": plain_mosaic.difference(cells, parts, ours),
        "plain": plain_mosaic.difference(cells, parts, plain),
        "ours_alike": plain_mosaic.alike(ours),
        "plain_alike": plain_mosaic.alike(plain),
        "ratio": our_time / plain_time,
    }


def matched(picture: Image.Image, grid: Grid) -> matching.Choice:
    """Match a picture as a mosaic does, from its pixels and those of the tiles on."""
    parts = lab_parts.of_tiles(mosaic_making.pixels_of(tile_pictures.crops(TILES)))
    return matching.choose(lab_parts.of_picture(picture, grid), parts, grid.columns)


def whole(content: bytes) -> dict[str, float]:
    """Return milliseconds and bytes of a whole mosaic, and of a file of tiles, from DynamoDB's answers on."""
    pixels = tile_pictures.crops(TILES)
    made = mosaic_making.make(content, pixels, COLUMNS)
    times = {
        "read_ms": lambda: read(pixels),
        "make_ms": lambda: mosaic_making.make(content, pixels, COLUMNS),
        "packed_ms": lambda: packed_tiles.packed(read(pixels[:PACKED])),
    }
    return {
        **{name: 1000 * seconds(work) for name, work in times.items()},
        "rows": made.grid.rows,
        "bytes": len(made.jpeg),
        "packed_bytes": len(packed_tiles.packed(read(pixels[:PACKED]))),
    }


def read(pixels: Sequence[bytes]) -> list[Tile]:
    """Return tiles as they are read from DynamoDB's answers."""
    _CANNED.answers = iter(_answers(tuple(pixels)))
    return Tiles(_CANNED.client, "TilesTable").around("cat", "0" * 32 + ".jpg", len(pixels))


class Canned:
    """A client of DynamoDB whose answers are there before it asks."""

    def __init__(self) -> None:
        self.answers: Iterator[bytes] = iter(())
        keys = {"aws_access_key_id": "key", "aws_secret_access_key": "secret"}
        self.client: Any = boto3.client("dynamodb", region_name="us-east-1", **keys)  # type: ignore[call-overload]
        self.client.meta.events.register("before-send", self._answer)

    def _answer(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        content = next(self.answers)
        headers = {"Content-Length": str(len(content)), "Content-Type": "application/x-amz-json-1.0"}
        stream = urllib3.HTTPResponse(io.BytesIO(content), headers, 200, preload_content=False)
        return AWSResponse(request.url, 200, stream.headers, stream)  # type: ignore[arg-type]


_CANNED = Canned()


@cache
def _answers(pixels: tuple[bytes, ...]) -> list[bytes]:
    """Return the answers to a Query for these tiles."""
    items = [
        {
            "label": {"S": "cat"},
            "name": {"S": f"{number:032x}.jpg"},
            "version": {"S": "3/L4kqtJlcpXroDTDmJ+rmSpXd3dIbrH"},
            "tile": {"B": base64.b64encode(tile).decode()},
        }
        for number, tile in enumerate(pixels)
    ]
    pages = [items[first : first + PAGE] for first in range(0, len(items), PAGE)]
    more = [{"LastEvaluatedKey": {name: page[-1][name] for name in ("label", "name")}} for page in pages[:-1]]
    return [json.dumps({"Items": page, **last}).encode() for page, last in zip(pages, [*more, {}], strict=True)]


def memory() -> float:
    """Return the megabytes of this process at most, once it has made the largest mosaic of a large picture.

    Linux's own figure is read, because `ru_maxrss` begins with that of the process that started this one.
    """
    large = opened(PHOTOGRAPHS[0]).resize(PIXELS)
    mosaic_making.make(sample_pictures.jpeg(large), tile_pictures.crops(TILES), mosaic_options.COLUMNS_MAX)
    status = Path("/proc/self/status").read_text()
    return int(re.findall(r"VmHWM:\s+([0-9]+) kB", status)[0]) * 1024 / 1e6


def opened(content: bytes) -> Image.Image:
    """Return a picture as a mosaic sees it."""
    return shown(content, mosaic_making.SOURCE_SIDE).convert("RGB")


def seconds(work: Callable[[], object]) -> float:
    """Return the least CPU seconds of some rounds."""
    found = []
    for _ in range(ROUNDS):
        start = time.process_time()
        work()
        found.append(time.process_time() - start)
    return min(found)


def draw() -> None:
    """Draw a photograph, its mosaic in the plain way, and ours, side by side."""
    source = opened(PHOTOGRAPHS[0])
    pixels = mosaic_making.pixels_of(tile_pictures.crops(TILES))
    grid = mosaic_grid.covering(PICTURE_COLUMNS, *source.size)
    choices = plain_mosaic.choose(source, pixels, grid), matched(source, grid)
    shapes = [source, *(drawing.drawn(choice, pixels, grid.side) for choice in choices)]
    size = (PICTURE_WIDTH, PICTURE_WIDTH * grid.rows // grid.columns)
    canvas = Image.new("RGB", (3 * size[0] + 2 * GAP, size[1]), "white")
    for number, picture in enumerate(shapes):
        canvas.paste(picture.resize(size, Image.Resampling.LANCZOS), (number * (size[0] + GAP), 0))
    canvas.save(PICTURE, "JPEG", quality=80, optimize=True)


def measured() -> dict[str, Any]:
    """Return all figures."""
    pictures = photographs()
    megabytes = memory()  # before the others, which hold more at once than a mosaic does
    return {
        "tiles": TILES,
        "columns": COLUMNS,
        "packed": PACKED,
        "photographs": {name: compared(picture) for name, picture in pictures.items()},
        "whole": whole(sample_pictures.jpeg(pictures["cat"])),
        "megabytes": megabytes,
    }


def main() -> None:
    """Measure, print and, unless it is only to be printed, keep all and draw the picture."""
    found = measured()
    print(json.dumps(found, indent=1))
    if "--print" not in sys.argv:
        results.update("mosaic", {"machine": results.machine(), **found})
        page.write()
        draw()


if __name__ == "__main__":
    main()
