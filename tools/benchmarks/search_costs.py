"""`make measure-search`: processor time of indexing and searching in `make run`, for the page of figures.

It is the section "search" of results.json. The 24 sample photographs are uploaded, and vectors of no image fill the
index, far from all that is searched. CPU times are those of the processes of `index/`, `search/` and of the emulator,
which serves S3 Vectors and DynamoDB. Times over HTTP are medians.
"""

import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import numpy as np

from shared.vectors.lite0_encoder import Lite0
from shared.vectors.vector_index import Vector, VectorIndex
from tests.support import lite0_models, sample_pictures
from tests.support.index_view import IndexView
from tests.support.local_service import LocalService
from tools.benchmarks import page, results

SIZES = (1_000, 10_000)  # vectors
FIRST = 12  # pictures that are uploaded before those that are measured, so that all is loaded
ROUNDS = 20
TICKS = 100  # of Linux in a second: how /proc counts processor time
TEXT = "a dog on a beach"


class Processes:
    """The processes of a service: its own, and those of its functions."""

    def __init__(self, service: LocalService) -> None:
        self._emulator = service.pid

    def milliseconds(self, function: str = "") -> float:
        """Return the CPU time so far of the function's processes, or of the emulator."""
        pids = [pid for pid in self._children() if function in _name(pid)] if function else [self._emulator]
        return sum(map(_milliseconds, pids))

    def megabytes(self) -> float:
        """Return the resident memory of the emulator."""
        status = Path(f"/proc/{self._emulator}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) * 1024 / 1e6

    def _children(self) -> Iterator[int]:
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if int(_fields(int(folder.name))[1]) == self._emulator:
                    yield int(folder.name)
            except FileNotFoundError:
                continue  # it has just ended


def _fields(pid: int) -> list[str]:
    """Return the fields of a process from its state on; the name before them may have spaces."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()


def _milliseconds(pid: int) -> float:
    return (int(_fields(pid)[11]) + int(_fields(pid)[12])) * 1000 / TICKS


def _name(pid: int) -> str:
    """Return the name of the function that the process runs."""
    variables = Path(f"/proc/{pid}/environ").read_text().split("\0")
    return next((text for text in variables if text.startswith("AWS_LAMBDA_FUNCTION_NAME=")), "")


def indexing(service: LocalService, processes: Processes) -> float:
    """Upload the samples. Return the CPU time of `index/` for one of them."""
    view, pictures = IndexView(service), sorted(sample_pictures.FOLDER.glob("*.jpg"))
    for number, path in enumerate(pictures, 1):
        assert service.upload(path.read_bytes(), label="sample").status == 201
        if number == FIRST:
            view.wait(images=FIRST)
            before = processes.milliseconds("IndexFunction")
    view.wait(images=len(pictures))
    return (processes.milliseconds("IndexFunction") - before) / (len(pictures) - FIRST)


def fill(index: VectorIndex, start: int, end: int, rng: np.random.Generator) -> None:
    """Add vectors of no image, with as many words as real ones have."""
    words = [f"word-{number}" for number in range(300)]
    for first in range(start, end, 250):
        numbers = rng.standard_normal((min(250, end - first), Lite0.dimension)).astype(np.float32)
        index.put(
            Vector(
                f"filling/{first + row}",
                {"label": "filling", "words": random.sample(words, 12), "version": "v" * 32, "state": "s" * 16},
                each.tolist(),
            )
            for row, each in enumerate(numbers)
        )


def searching(service: LocalService, processes: Processes) -> dict[str, dict[str, float]]:
    """Return what a search of each kind takes: CPU times of `search/` and of the emulator, and the time over HTTP."""
    picture = next(iter(sample_pictures.FOLDER.glob("*.jpg"))).read_bytes()
    image = json.loads(service.get("/images?label=sample&limit=1").body)["images"][0]["id"]
    form, headers = _form(picture)
    kinds: dict[str, Callable[[], Any]] = {
        "text": lambda: service.get(f"/search?q={quote(TEXT)}"),
        "picture": lambda: service.send("POST", "/search", form, headers),
        "similar": lambda: service.get(f"/images/{image}/similar"),
    }
    return {kind: _measured(processes, search) for kind, search in kinds.items()}


def _measured(processes: Processes, search: Callable[[], Any]) -> dict[str, float]:
    for _ in range(3):  # the first loads what it needs
        answer = search()
        assert answer.status == 200, answer
    assert json.loads(answer.body)["images"], "nothing is found"
    before = [processes.milliseconds("SearchFunction"), processes.milliseconds()]
    seconds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        assert search().status == 200
        seconds.append(time.perf_counter() - start)
    after = [processes.milliseconds("SearchFunction"), processes.milliseconds()]
    search_ms, emulator_ms = ((end - begin) / ROUNDS for begin, end in zip(before, after, strict=True))
    return {"search_ms": search_ms, "emulator_ms": emulator_ms, "http_ms": 1000 * statistics.median(seconds)}


def _form(picture: bytes) -> tuple[bytes, dict[str, str]]:
    """Return a form with a picture, and its headers."""
    boundary = uuid4().hex
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="img"; filename="picture"\r\n\r\n'
    body = head.encode() + picture + f"\r\n--{boundary}--\r\n".encode()
    return body, {"Content-Type": f"multipart/form-data; boundary={boundary}"}


def main() -> None:
    """Measure, print and keep all."""
    variables = {"ENCODER": "lite0", "LITE0_MODELS": str(lite0_models.folder())}
    found: dict[str, Any] = {"sizes": {}}
    with tempfile.TemporaryDirectory() as folder, LocalService(Path(folder) / "data", variables=variables) as service:
        processes, start = Processes(service), 24
        found["index_ms"] = indexing(service, processes)
        client = service.aws().client("s3vectors", endpoint_url=service.aws_endpoint)
        index, rng = VectorIndex(client, IndexView(service).outputs["VectorIndexArn"]), np.random.default_rng(1)
        for size in SIZES:
            before, begun = processes.milliseconds(), processes.megabytes()
            fill(index, start, size, rng)
            put_ms = (processes.milliseconds() - before) / (size - start)
            kinds, start = searching(service, processes), size
            megabytes = sum(path.stat().st_size for path in service.data.glob("vectors.db*")) / 1e6
            grown = processes.megabytes() - begun
            found["sizes"][f"{size}"] = {**kinds, "put_ms": put_ms, "file_megabytes": megabytes, "memory": grown}
    print(json.dumps(found, indent=1))
    results.update("search", {"machine": results.machine(), **found})
    page.write()


if __name__ == "__main__":
    main()
