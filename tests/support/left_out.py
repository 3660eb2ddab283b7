"""Draws that leave images out, on labels of images without pictures."""

import random
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from fractions import Fraction
from unittest import mock

import draw_many
from bulk_reads import Rows
from shared.images import Pool
from shared.labels import chunks
from shared.labels.items import Entry
from shared.labels.store import Store
from tests.support import memory_label
from tests.support.every_run import every_run
from tests.support.memory_aws import DynamoDB, World
from tests.support.simulation import SETTINGS, shipped_code_on

FIRST = chunks.chunk_number(0, 3, 0)

# What a row may say of an image of weight 6 that was just uploaded, deleted, changed or moved: nothing, or a weight and
# a chunk, which the strip may not have.
SAID: list[list[tuple[int, int]]] = [
    *([], [(14, FIRST)], [(1, FIRST)], [(6, FIRST + chunks.CLASS_STEP)]),
    *([(9, chunks.chunk_number(lane, 3, 7))] for lane in range(chunks.LANES)),
]


class Invented(Rows):
    """Rows that say anything about where images are and what they weigh."""

    def __init__(self, world: World, said: Iterable[tuple[int, int]]) -> None:
        super().__init__(DynamoDB(world), SETTINGS)  # type: ignore[arg-type]
        self._said = list(said)

    def entries(self, places: Iterable[tuple[Pool, str]], *, consistent: bool) -> list[Entry]:
        """Return what the rows say, whatever is stored."""
        named = zip(places, self._said, strict=False)
        return [Entry(pool, name, weight, number) for (pool, name), (weight, number) in named]


def filled(world: World, labels: Mapping[str, list[int]], tags: tuple[str, ...] = ()) -> Store:
    """Return a store with an image of each weight under each label, with equal pictures for equal numbers."""
    store = Store(DynamoDB(world), SETTINGS)  # type: ignore[arg-type]
    for label, weights in labels.items():
        for number, weight in enumerate(weights):
            store.add(replace(memory_label.image(number, weight), label=label, tags=tags))
    return store


def weights_of(labels: Mapping[str, list[int]]) -> dict[str, int]:
    """Return id -> weight of the images that `filled` stores."""
    return {
        f"{label}/{memory_label.image(number, 1).name}": weight
        for label, weights in labels.items()
        for number, weight in enumerate(weights)
    }


def check_law(said: Iterable[tuple[int, int]]) -> None:
    """Check that each image that is not left out has exactly its probability, whatever the row of the other says."""
    world, labels = World(random.Random(0)), {"cat": [5, 3, 6]}
    weights = weights_of(labels)
    gone = max(weights)
    reached: Counter[str] = Counter()
    with shipped_code_on(world), mock.patch.object(draw_many, "SPARE_DART", 0):  # so that the runs can be counted
        store, rows = filled(world, labels), Invented(world, said)
        for found, probability in every_run(lambda rng: draw_many.draw_one(store, rows, (Pool("cat"),), {gone}, rng)):
            assert found.weight <= found.total_weight, "a probability above 1"
            reached[found.id] += probability  # type: ignore[assignment]
    assert reached == {name: Fraction(weight, 8) for name, weight in weights.items() if name != gone}
