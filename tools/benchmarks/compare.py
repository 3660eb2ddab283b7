"""The comparison of five designs at four sizes: cost, time, exactness; the section "designs" of results.json.

The engine charges the read and write units. Operations of all designs take turns, so other work of the machine affects
all of them equally. Times are of this process and machine, with engines on the same machine.
"""

import gc
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tools.benchmarks import exactness, results
from tools.benchmarks.capacity import Usage
from tools.benchmarks.designs import DESIGNS, Design, Label, petapi, s3_chunks
from tools.benchmarks.designs.chunked import CHUNK
from tools.benchmarks.designs.references import Floor, Sqlite
from tools.benchmarks.designs.rows import BUCKET, Clients
from tools.benchmarks.engine import dynamodb_by, dynoxide, s3_by_ministack
from tools.benchmarks.tally import Tally
from tools.benchmarks.weights import KINDS, weights

SIZES = (100, 1_000, 10_000, 100_000)
COMPUTED = tuple(10**power for power in range(2, 9))
ROUNDS = 500  # draws of each design
PATIENCE = 15.0  # seconds of draws for each design at each size; then the rounds continue without it
WARM_UP = 3
UPLOADS = CHUNK  # of each design, so that chunks of this size are as full as on average
DELETES = 50
P99_DRAWS = 100  # fewer have no such percentile
OPERATIONS = ("draw", "upload", "delete")


def measured(clients: Clients, tally: Tally, count: int) -> dict[str, Any]:
    """Return the cost of each design at this size, by operation. The references only have draws."""
    rng = random.Random(count)
    images = weights("uniform", count + UPLOADS, rng)
    names = list(images)
    stored, added = {name: images[name] for name in names[:count]}, {name: images[name] for name in names[count:]}
    removed = rng.sample(list(stored), DELETES)
    labels = {name: loaded(design, clients, stored, removed) for name, design in DESIGNS.items()}
    draws: dict[str, Callable[[], object]] = {name: label.draw for name, label in labels.items()}
    draws["get_item"] = Floor(clients, list(stored), rng, picture=False).draw
    draws["get_item_and_object"] = Floor(clients, list(stored), rng, picture=True).draw
    draws["sqlite"] = Sqlite(stored.items()).draw
    found: dict[str, Any] = {name: {"draw": each} for name, each in in_turns(tally, draws).items()}
    for name, label in labels.items():
        found[name]["upload"] = mean(tally, label.add, list(added.items()))
        found[name]["delete"] = mean(tally, label.remove, [(each,) for each in removed])
    return found


def loaded(design: Design, clients: Clients, stored: dict[str, int], removed: list[str]) -> Label:
    """Return a label on the engine with these images, made in memory by the design's rules."""
    state, label = design.state(), design.label(clients, random.Random(len(stored)))
    for name, weight in stored.items():
        state.add(name, weight)
    label.create()
    label.load(needed(state.stored(), removed))
    return label


def needed(stored: dict[str, list[Any]], removed: list[str]) -> dict[str, list[Any]]:
    """Return what must be loaded: everything except the S3 objects for images that will not be deleted."""
    if BUCKET not in stored:
        return stored
    places = {s3_chunks.place_key(name) for name in removed}
    return {BUCKET: [each for each in stored[BUCKET] if "/places/" not in each[0] or each[0] in places]}


@dataclass
class Draws:
    """What the draws of a design used, and their seconds of wall clock and CPU."""

    used: Usage = field(default_factory=Usage)
    walls: list[float] = field(default_factory=list)
    cpus: list[float] = field(default_factory=list)

    def summary(self) -> dict[str, Any]:
        """Return means and medians, with times in milliseconds."""
        count, walls = len(self.walls), self.walls
        return {
            **asdict(self.used.per(count)),
            "draws": count,
            "ms": statistics.median(walls) * 1000,
            "p99 ms": statistics.quantiles(walls, n=100)[98] * 1000 if count >= P99_DRAWS else None,
            "cpu ms": statistics.median(self.cpus) * 1000,
        }


def in_turns(tally: Tally, draws: dict[str, Callable[[], object]]) -> dict[str, Any]:
    """Return the cost of each kind of draw. Each round has one of each, in random order."""
    for operation in draws.values():
        for _ in range(WARM_UP):
            operation()
    tally.take()
    gc.collect()
    found, order = {name: Draws() for name in draws}, list(draws)
    for _ in range(ROUNDS):
        random.shuffle(order)
        for name in order:
            if sum(found[name].walls) > PATIENCE:
                continue
            cpu, wall = time.process_time(), time.perf_counter()
            draws[name]()
            found[name].walls.append(time.perf_counter() - wall)
            found[name].cpus.append(time.process_time() - cpu)
            found[name].used += tally.take()
    return {name: each.summary() for name, each in found.items()}


def mean(tally: Tally, operation: Callable[..., object], calls: list[tuple[Any, ...]]) -> dict[str, float]:
    """Return the mean cost of the operation, called with each of these arguments."""
    tally.take()
    for arguments in calls:
        operation(*arguments)
    return asdict(tally.take().per(len(calls)))


def costs(program: str) -> dict[str, Any]:
    """Return the cost by design and size. Each size has new engines."""
    found: dict[str, Any] = {}
    for count in SIZES:
        with dynamodb_by(program, connections=1) as dynamodb, s3_by_ministack() as s3:
            clients, tally = Clients(dynamodb, s3), Tally(dynamodb, s3)
            for name, cost in measured(clients, tally, count).items():
                found.setdefault(name, {})[str(count)] = cost
        tell(f"cost of {count} images")
    return found


def laws() -> dict[str, Any]:
    """Return distances by kind of weights, design and size; for petAPI also the p-values and expected darts."""
    distances: dict[str, Any] = {kind: {name: {} for name in DESIGNS} for kind in KINDS}
    darts: dict[str, Any] = {kind: {} for kind in KINDS}
    p_values: dict[str, Any] = {kind: {} for kind in KINDS}
    for kind in KINDS:
        for count in SIZES:
            for name, design in DESIGNS.items():
                here = distances[kind][name][str(count)] = {}
                for when, state, right in exactness.states(design, kind, count):
                    here[when] = exactness.distance(design.law(state.stored()), right)
                    if isinstance(state, petapi.State):
                        darts[kind].setdefault(str(count), {})[when] = petapi.darts_per_draw(state.stored())
                        p_values[kind].setdefault(str(count), {})[when] = exactness.sampled(state, right)
            tell(f"exactness, {kind}, {count} images")
    sampled = {"draws": exactness.DRAWS, "found": exactness.found(), "p": p_values}
    return {"kinds": KINDS, "distance": distances, "darts": darts, "sampled": sampled}


def computed() -> dict[str, Any]:
    """Return the computed cost by design and size."""
    found: dict[str, Any] = {}
    for name, design in DESIGNS.items():
        for count in COMPUTED:
            cost = design.costs(count)
            by_operation = {key: asdict(each) for key, each in cost.items()} if cost else None
            found.setdefault(name, {})[str(count)] = by_operation
    return found


def tell(what: str) -> None:
    """Print the progress."""
    print(f"{time.strftime('%H:%M:%S')} {what}", flush=True)


def main() -> int:
    """Compare, and keep the results. Return the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        program = dynoxide(Path(folder))
        if not program:
            print("dynoxide is missing. Name it in DYNOXIDE or install npm.", file=sys.stderr)
            return 1
        found = {"cost": costs(program), "law": laws(), "computed": computed()}
    limits = {"rounds": ROUNDS, "patience": PATIENCE, "p99_draws": P99_DRAWS}
    results.update("designs", {"machine": results.machine(), "limits": limits, **found})
    return 0


if __name__ == "__main__":
    sys.exit(main())
