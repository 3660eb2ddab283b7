"""The figures of the latency model as docs/reference/performance.md shows them."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from costs.prices import prices
from tools.benchmarks.designs import DESIGNS
from tools.benchmarks.tables import figure, table

Found = Mapping[str, Any]

REGION = "us-east-1"
MILLION = 10**6
OPERATIONS = ("draw image", "draw redirect", "upload", "delete")
TITLES = {
    "petapi": "petAPI",
    "before": "petAPI, one dart and one call at a time",
    **{name: design.title for name, design in DESIGNS.items() if name != "petapi"},
    "raw": "GetItem + GetObject, GetItem",
}
SLOWER = {"1": "", "2": ", half as fast"}
DEBRIE = "[measured in Lambda](https://github.com/alexdebrie/dynamodb-performance-testing)"
SINGLE_DIGIT = "[single-digit milliseconds on average](https://repost.aws/knowledge-center/dynamodb-high-latency)"
QUICKWIT = "[30 ms to the first byte, tails of 80 ms, then 80 MB/s](https://quickwit.io/blog/s3-express-speculations)"
VASSALLO = "[20 ms at the 90th percentile, then 93 MB/s](https://github.com/dvassallo/s3-benchmark)"
SOURCES = {
    ("GetItem", "Query"): f"assumed; AWS says {SINGLE_DIGIT}",
    ("BatchGetItem",): "assumed: a little more than GetItem",
    ("PutItem", "UpdateItem", "DeleteItem"): f"{DEBRIE}: PutItem 7.6 / 16 ms with its client, which is taken off here",
    ("TransactWriteItems",): f"{DEBRIE}: 25 / 93 ms for 5 items, with its client",
    ("GetObject",): f"{QUICKWIT}; {VASSALLO}; a picture of 257 kB takes 3 ms",
    ("PutObject",): "[60 to 133 ms from Lambda, for 60 kB](https://kkc.github.io/2020/03/16/s3-latency/)",
    ("DeleteObject", "DeleteObjects"): "assumed: as GetObject",
    ("GetParameters",): "assumed; once in five minutes of a container",
    ("connect",): "assumed: two round trips and a name; once for each endpoint of a container",
}


def latency(found: Found) -> dict[str, object]:
    """Return the figures that `make latency` found."""
    requests, cold, kept = found["requests"], found["cold"], found["kept"]
    return {
        **{name: f"{found[name]:,}" for name in ("images", "draws", "writes", "cold_starts")},
        **{f"{name}_memory": f"{found['memory'][name]:,.0f}" for name in ("draw", "upload", "delete")},
        "python": found["machine"]["python"],
        "requests": table("", OPERATIONS, {title: _cells(requests[name]) for name, title in TITLES.items()}),
        "draw": figure(requests["petapi"]["draw image"][0]),
        "raw": figure(requests["raw"]["draw image"][0]),
        "memories": _by_memory(found["by_memory"], cold["by_memory"]),
        "change_memories": _changes_by_memory(found["changes_by_memory"]),
        "import": figure(cold["import_ms"]),
        "first": figure(cold["first_ms"]),
        "calls": f"{cold['calls']:.1f}",
        "connects": cold["connects"],
        "uniform_chunks": _both(requests["uniform_chunks"]["draw image"]),
        "waits": table("call", ("median / p99, ms", "source"), dict(_waits(found["waits"]))),
        **_kept(kept, requests["petapi"]["draw image"], found["memory"]["draw"]),
    }


def _cells(of: Found) -> list[str]:
    return [_both(of[operation]) if operation in of else "" for operation in OPERATIONS]


def _both(times: list[float]) -> str:
    """Write a median and a 99th percentile."""
    return " / ".join(f"{each:.0f}" if each >= 10 else f"{each:.1f}" for each in times[:2])


def _by_memory(warm: Found, cold: Found) -> str:
    head = ("draw image", "draw redirect", "GetItem + GetObject", "cold draw", "dollars for a million draws")
    rows = {
        f"{int(memory):,} MB{SLOWER[slowness]}": [
            *(_both(of[name]) for name in ("draw image", "draw redirect", "raw")),
            _both(cold[slowness][memory]),
            f"{dollars(of['draw image'][2], float(memory)):.2f}",
        ]
        for slowness, by_memory in warm.items()
        for memory, of in sorted(by_memory.items(), key=lambda each: int(each[0]))
    }
    return table("memory", head, rows)


def _changes_by_memory(found: Found) -> str:
    head = ("change", "delete", "dollars for a million deletes")
    rows = {
        f"{int(memory):,} MB{SLOWER[slowness]}": [
            *(_both(of[name]) for name in ("change", "delete")),
            f"{dollars(of['delete'][2], float(memory)):.2f}",
        ]
        for slowness, by_memory in found.items()
        for memory, of in sorted(by_memory.items(), key=lambda each: int(each[0]))
    }
    return table("memory", head, rows)


def dollars(milliseconds: float, memory: float) -> float:
    """Return what a million requests of so many milliseconds cost as Lambda's time, with so much memory in MB."""
    gb_seconds = milliseconds / 1000 * memory / 1024 * MILLION
    return float(prices(REGION)["lambda-x86_64"].gross(Decimal(str(gb_seconds))))


def _waits(waits: Found) -> Iterable[tuple[str, list[str]]]:
    for operations, source in SOURCES.items():
        assert len({tuple(waits[operation]) for operation in operations}) == 1
        yield ", ".join(operations), [" / ".join(map(figure, waits[operations[0]])), source]


def _kept(kept: Found, draw: list[float], memory: float) -> dict[str, object]:
    """Return what kept pictures would bring."""
    sizes, counts = (sorted(each, key=int) for each in (kept["ratios"], next(iter(kept["ratios"].values()))))
    drawn = sorted(kept["ratios"][sizes[0]][counts[0]], key=int)
    gets = float(prices(REGION)["s3-gets"].gross(Decimal(MILLION)))
    time = dollars(draw[2] - kept["hit"][2], memory)
    rows = {
        f"{int(images):,} images, pictures of {int(size) / MILLION:.2g} MB": [
            f"{kept['ratios'][size][images][draws]:.0%}" for draws in drawn
        ]
        for size in sizes
        for images in counts
    }
    return {
        "hit": figure(kept["hit"][0]),
        "hits": table("", [f"{int(draws):,} draws" for draws in drawn], rows),
        "saved_gets": f"${gets:.2f}",
        "saved_time": f"${time:.2f}",
    }
