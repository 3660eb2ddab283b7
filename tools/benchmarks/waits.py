"""How often a request waits for DynamoDB, and what it reads: for `make bench-quick`.

Calls that are under way together are one wait.  So calls of a task beside another call do not count.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar
from unittest import mock

import darts
import draw
from foresight import Memory
from pools import of_pool
from random_image import FORGETFUL
from shared import parallel
from shared.images import UNITS, Pool
from shared.labels import chunks, items
from shared.labels.store import Store
from shared.parallel import Running
from tests.support.memory_aws import CHUNKS
from tests.support.simulation import SETTINGS, at_once
from tools.benchmarks.arithmetic import Metered
from tools.benchmarks.capacity import Usage
from tools.benchmarks.designs import petapi, rows
from tools.benchmarks.designs.rows import LABEL

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Cost:
    """The means of a request: how often it waits for DynamoDB, and the read units."""

    waits: float
    units: float


class Waits:
    """What a client used, and how often its caller waited."""

    def __init__(self, take: Callable[[], Usage]) -> None:
        self._take = take
        self._used, self._beside = Usage(), 0.0

    def begin_task(self, task: Callable[[], T]) -> Running[T]:
        """Do a task at once, and count its calls as those beside another one."""
        self._used += self._take()
        result = at_once(task)
        during = self._take()
        self._used += during
        self._beside += min(1, during.trips)  # the block makes one call meanwhile
        return result

    def per(self, count: int) -> Cost:
        """Return the means of so many requests."""
        used = self._used + self._take()
        return Cost((used.trips - self._beside) / count, used.read / count)


def of_draws(state: petapi.State, draws: int) -> Mapping[str, Cost]:
    """Return what a draw costs that remembers nothing, all chunks, or the strip only."""
    lanes, found = _chunk_table(state)
    strip = darts.strip_of(of_pool(Pool(LABEL), lanes))
    all_chunks, strip_only = Memory(), [Memory() for _ in range(draws)]
    for memory in 2 * (all_chunks, *strip_only):  # a strip that was seen twice is steady
        memory.keep_strip((Pool(LABEL),), strip)
    for number, weights in found.items():
        all_chunks.keep_chunk((Pool(LABEL), number), weights)
    memories = {
        "one dart at a time": [FORGETFUL] * draws,
        "chunks known": [all_chunks] * draws,
        "chunks never read": strip_only,
    }
    return {name: _cost(state, each) for name, each in memories.items()}


def of_writes(tags: Sequence[str]) -> Mapping[str, float]:
    """Return how often deleting an image with these tags waits, and changing its weight to another class."""
    state, count = petapi.State(), 40
    for number in range(count):
        image = rows.image(f"{number:032x}.png", UNITS // 2)
        state.add_image(replace(image, tags=tuple(tags)))
    client = Metered(state.world)
    store = Store(client, SETTINGS)  # type: ignore[arg-type]
    names = [f"{number:032x}.png" for number in range(count)]
    found: dict[str, float] = {}
    requests: dict[str, Callable[[str], object]] = {
        "delete": partial(store.remove, LABEL),
        "change": partial(_change, store),
    }
    for first, (name, request) in enumerate(requests.items()):
        most = 0.0
        for image_name in names[first::2]:  # a changed image would have a chunk of its own, and need no filler
            waits = Waits(client.take)
            client.take()
            with mock.patch.object(parallel, "RUN", waits.begin_task):
                assert request(image_name)
            most = max(most, waits.per(1).waits)
        found[name] = most
    return found


def _change(store: Store, name: str) -> object:
    """Change a weight as PATCH does, which answers with the image's state."""
    assert store.edit(LABEL, name, lambda image: replace(image, weight=image.weight // 3))
    return store.with_total_weight(LABEL, name, consistent=True)


def _cost(state: petapi.State, memories: list[Memory]) -> Cost:
    client, rng = Metered(state.world), random.Random(1)
    store, waits = Store(client, SETTINGS), Waits(client.take)  # type: ignore[arg-type]
    with mock.patch.object(parallel, "RUN", waits.begin_task):
        for memory in memories:
            draw.draw(store, (Pool(LABEL),), rng, "{}/{}".format, memory)
    return waits.per(len(memories))


def _chunk_table(state: petapi.State) -> tuple[dict[int, chunks.Lane], dict[int, dict[str, int]]]:
    numbered: dict[int, Any] = {int(key[1]): item for key, item in state.world.tables[CHUNKS].items()}
    lanes = {number: items.lane(item) for number, item in numbered.items() if number < chunks.FIRST_CHUNK_NUMBER}
    return lanes, {number: items.weights(item) for number, item in numbered.items() if number not in lanes}
