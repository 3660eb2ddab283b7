"""`make latency`: how long requests take in a model of AWS; the section "latency" of results.json, and its page.

Measured is the processor time of the shipped code and of botocore on this machine, in real threads. Drawn from
published figures is how long each call of AWS takes. Computed is when the function has a processor.
"""

import gc
import itertools
import logging
import os
import random
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import astuple, dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from unittest import mock

import random_image
from costs.stack import stack
from shared import parallel
from tests.support.hosts import proxy_event
from tools.benchmarks import page, results
from tools.benchmarks.engine import dynoxide
from tools.benchmarks.latency import kept_pictures, scene
from tools.benchmarks.latency.calls import CONNECT
from tools.benchmarks.latency.cold_start import Built
from tools.benchmarks.latency.model import Model
from tools.benchmarks.latency.quota import Quota
from tools.benchmarks.latency.waiting_times import WAITS
from tools.benchmarks.service import FILLED, LABEL, STEADY, Log, Requests

IMAGES = 1_000  # of the label that is drawn from
DRAWS = 600  # of each kind
WRITES = 150  # uploads of each design, and as many deletes
COLD_STARTS = 20
COLD_TIMES = 50  # that each of them meets other waits
WARM_UP = 30
KEPT_AFTER = 3  # draws for each image, after which nearly every draw finds its picture
MEMORY = (512, 768, 1024, 1769)  # MB that a draw is tried with
CHANGE_MEMORY = (256, 512, 1024)  # MB that a change and a delete are tried with
CHANGES_BY_MEMORY = 75  # and as many deletes
SLOWNESS = (1, 2)  # times as slow as this machine that a processor of Lambda is then
DRAWS_BY_MEMORY = 300
SEED = 17
LABELS = {STEADY: IMAGES, LABEL: IMAGES}
DELETED = 2 * WRITES  # images of LABEL; what comes after them is deleted or changed with other memory
BY_FUNCTION = {"draw": "RandomFunction", "upload": "UploadFunction", "delete": "DeleteFunction"}
BEFORE = "before"  # the shipped code, with one dart and one call at a time

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of request: what it does, its function's memory in MB, in what it runs, and how slow its processor is."""

    act: scene.Act
    memory: float
    around: Callable[[], AbstractContextManager[object]] = nullcontext
    slowness: int = 1

    def take(self, model: Model, number: int) -> float:
        """Do it, and return how many milliseconds it takes."""
        with self.around():
            return model.warm(self.act, Quota(self.memory, self.slowness), number)


def memory_of(operation: str) -> float:
    """Return the memory of the function that does this, in MB."""
    return float(stack().memory[BY_FUNCTION[operation.partition(" ")[0]]])


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Let the shipped code throw one dart at a time, and make one call at a time."""
    with (
        mock.patch.object(random_image, "memory", partial(_given, random_image.FORGETFUL)),
        mock.patch.object(parallel, "RUN", lambda task: (parallel.once(task), lambda: None)),
    ):
        yield


def _given(value: T) -> T:
    """Return this value, with less work than a mock."""
    return value


def draws(others: Mapping[str, scene.Other]) -> dict[tuple[str, str], Kind]:
    """Return all kinds of draws, by design and operation."""
    memory, shown = memory_of("draw"), {"draw image": "image", "draw redirect": "redirect"}
    kinds = {("petapi", name): Kind(scene.draw(form), memory) for name, form in shown.items()}
    kinds |= {(BEFORE, name): Kind(scene.draw(form), memory, one_at_a_time) for name, form in shown.items()}
    for name, other in others.items():
        kinds |= {(name, "draw image"): Kind(other.draw, memory), (name, "draw redirect"): Kind(other.choose, memory)}
    raw = {"draw image": scene.reads(IMAGES, picture=True), "draw redirect": scene.reads(IMAGES, picture=False)}
    return kinds | {("raw", name): Kind(read, memory) for name, read in raw.items()}


def writes(others: Mapping[str, scene.Other], rng: random.Random) -> Iterator[dict[tuple[str, str], Kind]]:
    """Yield all kinds of writes, round by round."""
    of, ours = {name: memory_of(name) for name in ("upload", "delete")}, scene.writes(DELETED, rng)
    for now, before in zip(ours, ours, strict=True):
        kinds = {("petapi", name): Kind(act, of[name]) for name, act in now.items()}
        kinds |= {(BEFORE, name): Kind(act, of[name], one_at_a_time) for name, act in before.items()}
        for design, other in others.items():
            kinds |= {(design, name): Kind(getattr(other, name), memory) for name, memory in of.items()}
        yield kinds


def measured(model: Model, rounds: Iterable[Mapping[Any, Kind]], rng: random.Random) -> dict[Any, list[float]]:
    """Return the milliseconds of each request by kind. Each round has one of each kind, in random order."""
    found: dict[Any, list[float]] = {}
    gc.collect()
    gc.freeze()  # as after a cold start
    for number, kinds in enumerate(rounds):
        for name in rng.sample(list(kinds), len(kinds)):
            found.setdefault(name, []).append(kinds[name].take(model, number))
    return found


def warm_up(model: Model, kinds: Iterable[Kind]) -> None:
    """Open connections, and let the container know the chunks."""
    for kind in kinds:
        for number in range(WARM_UP):
            kind.take(model, number)


def summary(times: list[float]) -> list[float]:
    """Return the median, the 99th percentile, and the mean."""
    return [statistics.median(times), statistics.quantiles(times, n=100)[98], statistics.mean(times)]


def warm(model: Model, rng: random.Random) -> dict[str, Any]:
    """Return what warm requests take, by design and operation."""
    others = scene.others(IMAGES, WRITES, Requests(rng).picture())
    kinds = draws(others)
    with model.in_use():
        warm_up(model, kinds.values())
        found = measured(model, itertools.repeat(kinds, DRAWS), rng)
        tell("draws")
        found |= measured(model, writes(others, rng), rng)
        tell("writes")
    by_design: dict[str, Any] = {}
    for (design, operation), times in found.items():
        by_design.setdefault(design, {})[operation] = summary(times)
    return by_design


def by_memory(model: Model, rng: random.Random) -> dict[str, Any]:
    """Return what warm draws take with less memory or more, and beside them the reads that they cannot do without."""
    acts = {"draw image": scene.draw("image"), "draw redirect": scene.draw("redirect")}
    acts["raw"] = scene.reads(IMAGES, picture=True)
    found: dict[str, Any] = {}
    for slowness in SLOWNESS:
        kinds = {(f"{each}", name): Kind(act, each, slowness=slowness) for each in MEMORY for name, act in acts.items()}
        with model.in_use():
            times = measured(model, itertools.repeat(kinds, DRAWS_BY_MEMORY), rng)
        found[str(slowness)] = {f"{each}": {name: summary(times[f"{each}", name]) for name in acts} for each in MEMORY}
        tell(f"draws by memory, {slowness} times as slow")
    return found


def changes_by_memory(model: Model, rng: random.Random) -> dict[str, Any]:
    """Return what changes and deletes take with less memory or more."""
    names, change = iter(FILLED[DELETED:]), scene.change(FILLED[-1], rng)
    found: dict[str, Any] = {}
    for slowness in SLOWNESS:
        rounds = (
            {
                (f"{each}", name): Kind(act, each, slowness=slowness)
                for each in CHANGE_MEMORY
                for name, act in (("change", change), ("delete", scene.delete(next(names))))
            }
            for _ in range(CHANGES_BY_MEMORY)
        )
        with model.in_use():
            times = measured(model, rounds, rng)
        found[str(slowness)] = {
            f"{each}": {name: summary(times[f"{each}", name]) for name in ("change", "delete")}
            for each in CHANGE_MEMORY
        }
    tell("changes by memory")
    return found


def cold(model: Model) -> dict[str, Any]:
    """Return what cold starts take, by how slow the processor is, and by memory."""
    _, event = proxy_event("GET", f"/random?label={STEADY}&format=image")
    variables = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    with tempfile.TemporaryDirectory() as folder:
        built = Built(Path(folder), Path(variables.pop("AWS_CA_BUNDLE")))
        starts = [built.start(event, variables) for _ in range(COLD_STARTS)]
    tell("cold starts")

    def times(memory: int, slowness: int) -> list[float]:
        numbered = enumerate(starts * COLD_TIMES)
        return [model.cold(each, Quota(memory, slowness), number) for number, each in numbered]

    return {
        "by_memory": {f"{slow}": {f"{each}": summary(times(each, slow)) for each in MEMORY} for slow in SLOWNESS},
        "import_ms": statistics.median(each.imports for each in starts) / 1e6,
        "first_ms": statistics.median(each.rest + sum(work for work, _ in each.steps) for each in starts) / 1e6,
        "connects": statistics.mode(sum(what == CONNECT for _, what in each.steps) for each in starts),
        "calls": statistics.mean(sum(what != CONNECT for _, what in each.steps) for each in starts),
    }


def kept(model: Model, rng: random.Random) -> dict[str, Any]:
    """Return what draws take whose picture is kept, and how often one is."""
    kinds = {"kept": Kind(scene.draw("image"), memory_of("draw"))}
    with kept_pictures.keeping(), model.in_use():
        for number in range(KEPT_AFTER * IMAGES):
            kinds["kept"].take(model, number)
        found = measured(model, itertools.repeat(kinds, DRAWS), rng)
    tell("kept pictures")
    return {"hit": summary(found["kept"]), "ratios": kept_pictures.hit_ratios()}


def tell(what: str) -> None:
    """Print the progress."""
    print(f"measured: {what}", flush=True)


def main() -> int:
    """Measure, keep the results and write the page. Return the exit code."""
    logging.basicConfig(handlers=[Log()])
    rng = random.Random(SEED)
    model = Model()
    with tempfile.TemporaryDirectory() as folder:
        program = dynoxide(Path(folder))
        if not program:
            print("dynoxide is missing. Name it in DYNOXIDE or install npm.", file=sys.stderr)
            return 1
        with scene.engines(program, LABELS), mock.patch.object(random_image, "RNG", rng):
            found = {"requests": warm(model, rng), "by_memory": by_memory(model, rng)}
            found |= {"changes_by_memory": changes_by_memory(model, rng), "cold": cold(model), "kept": kept(model, rng)}
    found |= {"waits": {name: list(astuple(wait)) for name, wait in WAITS.items()}, "machine": results.machine()}
    found["memory"] = {name: memory_of(name) for name in BY_FUNCTION}
    results.update("latency", found | {"images": IMAGES, "draws": DRAWS, "writes": WRITES, "cold_starts": COLD_STARTS})
    page.write()
    return 0


if __name__ == "__main__":
    sys.exit(main())
