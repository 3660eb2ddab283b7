"""A label of images without pictures, in the in-memory AWS."""

import random
from unittest import mock

import draw
from draw import Drawn
from foresight import Memory
from shared.images import Image, Pool
from shared.labels import store
from shared.labels.store import Store
from tests.support import invariants
from tests.support.memory_aws import CHUNKS, IMAGES, DynamoDB, World
from tests.support.simulation import LABEL, SETTINGS

POOL = Pool(LABEL)


def image(number: int, weight: int) -> Image:
    """Return an image with this number in its name and version."""
    return Image(LABEL, f"{number:032x}.png", weight, f"v{number}", 1, 1, 1, "2026-01-01T00:00:00.000Z")


def stored(world: World, weights: list[int]) -> Store:
    """Return a store with an image of each weight, numbered in order; the same world has them in the same lanes."""
    filled = Store(DynamoDB(world), SETTINGS)  # type: ignore[arg-type]
    with mock.patch.object(store, "RNG", world.rng):
        for number, weight in enumerate(weights):
            filled.add(image(number, weight))
    return filled


def drawn(store: Store, rng: random.Random, memory: Memory | None = None) -> Drawn:
    """Draw an image as a container with this memory does, or as a new one, and fetch nothing."""
    image, name = draw.draw(store, (POOL,), rng, lambda label, name: name, memory or Memory())
    assert name == image.name
    return image


def seen(world: World) -> invariants.Label:
    """Return the label's entries, lanes and chunks as they are stored."""
    return invariants.label_of(LABEL, list(world.tables[IMAGES].values()), list(world.tables[CHUNKS].values()))
