"""`make measure-run BEFORE=<folder>`: draws a second of `make run` with 8 clients, here and in another checkout.

The two serve the same pictures at the same time, and the clients ask one and then the other, in rounds, so that what
else the machine does counts for both.  Every answer is checked: status, picture and probability.  The ratio of the
medians is the section "run" of results.json.
"""

import http.client
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.local_service import ROOT, LocalService
from tools.benchmarks import page, results
from tools.benchmarks.measure import picture
from tools.benchmarks.soak_checks import cpu_seconds

CLIENTS = 8
ROUNDS = 20
SECONDS = 2.5  # of one checkout in one round
IMAGES = 100
WARMING = 2.0  # seconds in which each container gets to know the label
LABEL = "cat"

Probabilities = Mapping[bytes, str]  # of each picture


@dataclass
class Rounds:
    """What the rounds of one checkout gave: draws a second, and CPU milliseconds of a draw in all its processes."""

    draws: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)

    def add(self, service: LocalService, pictures: Probabilities) -> None:
        """Let the clients draw for SECONDS."""
        cpu, begun = cpu_seconds(service.pid), time.perf_counter()
        count = draw_for(SECONDS, service, pictures)
        self.draws.append(count / (time.perf_counter() - begun))
        self.cpu_ms.append((cpu_seconds(service.pid) - cpu) / count * 1000)

    @property
    def medians(self) -> dict[str, float]:
        """The median of each."""
        return {"draws": statistics.median(self.draws), "cpu_ms": statistics.median(self.cpu_ms)}


def measured(before: Path, folder: Path) -> dict[str, Any]:
    """Return the figures of this checkout, and of the one in the folder `before`."""
    with ExitStack() as stack:
        services = [
            stack.enter_context(LocalService(folder / name, root=root, variables={"WARM": "1"}))
            for name, root in (("before", before), ("after", ROOT))
        ]
        pictures = [fill(service) for service in services]
        for service, known in zip(services, pictures, strict=True):
            draw_for(WARMING, service, known)
        rounds = [Rounds(), Rounds()]
        for number in range(ROUNDS):
            for each in (0, 1) if number % 2 else (1, 0):
                rounds[each].add(services[each], pictures[each])
            print(", ".join(f"{each.draws[-1]:.1f}" for each in rounds), "draws a second, before and after", flush=True)
    return {name: each.medians for name, each in zip(("before", "after"), rounds, strict=True)}


def fill(service: LocalService, label: str = LABEL) -> Probabilities:
    """Upload IMAGES pictures with different weights. Return the probability of each, as a draw must state it."""
    rng = random.Random(1)
    weights = [rng.randrange(1, 10**3) for _ in range(IMAGES)]
    pictures = [picture(seed) for seed in range(IMAGES)]
    for content, weight in zip(pictures, weights, strict=True):
        answer = service.upload(content, label=label, weight=f"0.{weight:03}")
        assert answer.status == 201, answer
    return {content: f"{weight / sum(weights)}" for content, weight in zip(pictures, weights, strict=True)}


def draw_for(seconds: float, service: LocalService, pictures: Probabilities, label: str = LABEL) -> int:
    """Let all clients draw one picture after the other. Return how many they got; fail if one is not as it must be."""
    ends = time.monotonic() + seconds
    with ThreadPoolExecutor(CLIENTS) as clients:
        return sum(clients.map(lambda _: _client(ends, service.port, label, pictures), range(CLIENTS)))


def _client(ends: float, port: int, label: str, pictures: Probabilities) -> int:
    """Draw until the time is over, once at least. Return how often."""
    count = 0
    with closing(http.client.HTTPConnection("127.0.0.1", port)) as connection:
        while not count or time.monotonic() < ends:
            connection.request("GET", f"/random?label={label}")
            response = connection.getresponse()
            content, stated = response.read(), response.headers["Image-Probability"]
            assert (response.status, stated) == (200, pictures.get(content)), (response.status, stated)
            count += 1
    return count


def main(arguments: Sequence[str]) -> None:
    """Measure, print and keep the figures."""
    before = Path(arguments[0]).resolve()
    git = ["git", "-C", str(before), "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(git, capture_output=True, text=True, check=True)
    with tempfile.TemporaryDirectory() as folder:
        found = measured(before, Path(folder))
    for name, medians in found.items():
        print(
            f"{name:6} {medians['draws']:6.1f} draws a second, {medians['cpu_ms']:5.1f} ms of CPU time each (medians)"
        )
    print(f"ratio  {found['after']['draws'] / found['before']['draws']:6.2f} on {os.cpu_count()} cores")
    machine = {"machine": results.machine(), "clients": CLIENTS, "images": IMAGES, "commit": commit.stdout.strip()}
    results.update("run", {**machine, **found})
    page.write()


if __name__ == "__main__":
    main(sys.argv[1:])
