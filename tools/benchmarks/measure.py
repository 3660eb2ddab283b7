"""`make measure`: figures of docs/reference/performance.md, on this machine, in two minutes.

They are the section "measure" of results.json.

Darts and read units are counted in the shipped store on DynamoDB in memory. Times are of HTTP requests to a new `make
run` on fresh data. They are interleaved with the cheapest request and given as ratios to it. Thumbnails are measured in
CPU time and memory of this machine.
"""

import http.client
import io
import os
import random
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image as Pillow

import draw
from bulk_reads import Rows
from draw_many import draw_many
from random_image import FORGETFUL
from shared.images import UNITS, Image, Pool
from shared.labels.store import Store
from tests.support.local_service import LocalService
from tests.support.memory_aws import DynamoDB, World
from tests.support.simulation import LABEL, SETTINGS, shipped_code_on
from tools.benchmarks import page, results
from tools.benchmarks.thumbnail_costs import thumbnail_costs

SIZES = (100, 1_000, 10_000)
KINDS = ("equal", "uniform", "log-uniform", "spiky")  # spiky: one image has 99.9999%
DRAWS = 10_000
ANSWERS = 200
SIDE = 316  # pixels; 300 kB of noise
REQUESTS = 300


def weights(kind: str, count: int, rng: random.Random) -> list[int]:
    """Return the weights of images in units."""
    if kind == "equal":
        return [UNITS // 2] * count
    if kind == "uniform":
        return [rng.randrange(1, UNITS) for _ in range(count)]
    if kind == "spiky":
        return [UNITS - 1] + [UNITS // 10**6 // count + 1] * (count - 1)
    return [int(UNITS ** rng.random()) or 1 for _ in range(count)]


def label(kind: str, count: int) -> World:
    """Return a world with a label of these weights."""
    world = World(random.Random(count))
    with shipped_code_on(world):
        store = Store(DynamoDB(world), SETTINGS)  # type: ignore[arg-type]
        for number, weight in enumerate(weights(kind, count, world.rng)):
            store.add(Image(LABEL, f"{number:032x}.png", weight, "v", 1, 1, 1, ""))
    return world


def darts_per_draw(world: World) -> float:
    """Return the number of chunks read per draw."""
    calls: Counter[str] = Counter()
    world.pause = lambda call: calls.update([call])
    store = Store(DynamoDB(world), SETTINGS)  # type: ignore[arg-type]
    for _ in range(DRAWS):
        draw.draw(store, (Pool(LABEL),), world.rng, "{}/{}".format, FORGETFUL)
    return calls["batch_get_item"] / DRAWS


class Counting(DynamoDB):
    """A DynamoDB that counts the items read by their keys. Each has less than 4 KB, so it costs half a read unit."""

    items = 0

    def batch_get_item(self, *, RequestItems: Any) -> Any:
        """Return the items."""
        self.items += sum(len(request["Keys"]) for request in RequestItems.values())
        return super().batch_get_item(RequestItems=RequestItems)


def cost_of_a_hundred(world: World, *, distinct: bool) -> tuple[float, float]:
    """Return the round trips to DynamoDB and the read units of one response with 100 images."""
    client, calls = Counting(world), Counter[str]()
    world.pause = lambda call: calls.update([call])
    store, rows = Store(client, SETTINGS), Rows(client, SETTINGS)  # type: ignore[arg-type]
    for _ in range(ANSWERS):
        draw_many(store, rows, (Pool(LABEL),), 100, world.rng, distinct=distinct)
    return calls.total() / ANSWERS, (calls["query"] + client.items) / 2 / ANSWERS


def picture(seed: int = 1) -> bytes:
    """Return a PNG of 300 kB: noise does not compress."""
    noise = random.Random(seed).randbytes(SIDE * SIDE * 3)
    out = io.BytesIO()
    Pillow.frombytes("RGB", (SIDE, SIDE), noise).save(out, "PNG")
    return out.getvalue()


def timed(connection: http.client.HTTPConnection, path: str) -> float:
    """Return the milliseconds of one GET."""
    start = time.perf_counter()
    connection.request("GET", path)
    response = connection.getresponse()
    response.read()
    assert response.status == 200, response.status
    return (time.perf_counter() - start) * 1000


def over_http() -> dict[str, float]:
    """Return the median times of draws through `make run`, in milliseconds, and print them."""
    with tempfile.TemporaryDirectory() as folder, LocalService(Path(folder) / "data") as service:
        content = picture()
        service.upload(content)
        connection = http.client.HTTPConnection("127.0.0.1", service.port)
        paths = {"draw": "/random?label=cat", "draw as JSON": "/random?label=cat&format=json", "page": "/"}
        times: dict[str, list[float]] = {name: [] for name in paths}
        for _ in range(REQUESTS):
            for name, path in paths.items():
                times[name].append(timed(connection, path))
    medians = {name: statistics.median(found) for name, found in times.items()}
    for name, found in times.items():
        p99 = statistics.quantiles(found, n=100)[98]
        print(f"{name:14} {medians[name]:5.1f} ms, p99 {p99:5.1f} ms, {medians[name] / medians['page']:4.1f} pages")
    print(f"(a picture of {len(content)} bytes, {REQUESTS} requests each, one after the other, {os.cpu_count()} cores)")
    return {**medians, "bytes": len(content)}


Cells = dict[str, dict[str, Any]]  # a figure by size and kind of weights


def table(figure: Callable[[World], Any], worlds: Mapping[tuple[str, int], World]) -> Cells:
    """Return a figure of each label, and print it."""
    cells = {str(count): {kind: figure(worlds[kind, count]) for kind in KINDS} for count in SIZES}
    print(f"{'images':>8}" + "".join(f"{kind:>15}" for kind in KINDS))
    for count, row in cells.items():
        print(f"{count:>8}" + "".join(f"{shown(cell):>15}" for cell in row.values()))
    return cells


def shown(cell: float | tuple[float, ...]) -> str:
    """Return one figure or several as text."""
    return " / ".join(f"{each:.2f}" for each in (cell if isinstance(cell, tuple) else (cell,)))


def main() -> None:
    """Measure, print and keep all."""
    worlds = {(kind, count): label(kind, count) for kind in KINDS for count in SIZES}
    print(f"chunks read per draw ({DRAWS} draws); read units are half of it, and 0.5 for the lanes")
    darts = table(darts_per_draw, worlds)
    costs = {}
    for distinct in (False, True):
        print(f"\nround trips / read units of 100 images, distinct={distinct} ({ANSWERS} answers)")
        costs[distinct] = table(partial(cost_of_a_hundred, distinct=distinct), worlds)
    print("\nover HTTP, through `make run`")
    times = over_http()
    print()
    found = {"darts": darts, "distinct": costs[True], "http": times, "thumbnails": thumbnail_costs()}
    results.update("measure", {"draws": DRAWS, "answers": ANSWERS, "machine": results.machine(), **found})
    page.write()


if __name__ == "__main__":
    main()
