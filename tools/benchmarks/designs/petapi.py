"""The shipped store and the shipped draw; in memory on the tests' DynamoDB."""

import random
from typing import Any
from unittest import mock

import darts
import draw
from costs.rows import size as item_size
from pools import of_pool
from random_image import FORGETFUL
from shared import settings
from shared.images import UNITS, Image, Pool
from shared.labels import chunks, items, store
from shared.labels.chunks import Lane
from shared.labels.store import Store
from tests.support import memory_aws
from tests.support.cloud import TABLES
from tests.support.simulation import SETTINGS
from tools.benchmarks.capacity import Usage, read_units, write_units
from tools.benchmarks.designs import rows
from tools.benchmarks.designs.rows import LABEL, Clients, Shares, Stored

IMAGES, CHUNKS = TABLES
NAMES = settings.Settings("", CHUNKS, IMAGES, frozenset({LABEL}), "")


class Memory(memory_aws.DynamoDB):
    """The tests' DynamoDB, which finds a label's lanes by their keys instead of searching all items."""

    def query(self, **request: Any) -> Any:
        """Return the items of a Query."""
        if request["TableName"] != memory_aws.CHUNKS:
            return super().query(**request)
        self.world.pause("query")
        label, table = request["ExpressionAttributeValues"][":label"]["S"], self.world.tables[memory_aws.CHUNKS]
        return {"Items": [table[label, str(lane)] for lane in range(chunks.LANES) if (label, str(lane)) in table]}


class State:
    """The label in memory."""

    def __init__(self, seed: int = 0) -> None:
        self.world = memory_aws.World(random.Random(seed))
        self.store = Store(Memory(self.world), SETTINGS)  # type: ignore[arg-type]

    def add(self, name: str, weight: int) -> None:
        """Upload an image."""
        self.add_image(rows.image(name, weight))

    def add_image(self, image: Image) -> None:
        """Upload this image."""
        with mock.patch.object(store, "RNG", self.world.rng):
            self.store.add(image)
        self.world.transactions.clear()

    def remove(self, name: str) -> None:
        """Delete an image."""
        assert self.store.remove(LABEL, name)
        self.world.transactions.clear()

    def draw(self) -> str:
        """Return the name of a random image."""
        return draw.draw(self.store, (Pool(LABEL),), self.world.rng, "{}/{}".format, FORGETFUL)[0].name

    def stored(self) -> Stored:
        """Return the items of the label."""
        tables = self.world.tables
        return {IMAGES: list(tables[memory_aws.IMAGES].values()), CHUNKS: list(tables[memory_aws.CHUNKS].values())}


def law(stored: Stored) -> Shares:
    """Return how many of all possible darts hit each image in the shipped code: its part of the strip.

    A hit is looked for where the image begins and ends; what `image_at` finds moves from left to right with the offset.
    """
    lanes, contents = _chunk_table(stored)
    strip, owned = darts.strip_of(of_pool(Pool(LABEL), lanes)), {}
    for (_, number), start in darts.each_chunk(strip):
        weights, begin = contents[number], 0
        for name in sorted(weights):
            end = begin + weights[name]
            ends = [darts.locate(strip, start + offset) for offset in (begin, end - 1)]
            assert {landing.chunk for landing in ends} == {(Pool(LABEL), number)}
            assert {darts.image_at(weights, landing.offset) for landing in ends} == {name}
            owned[name] = end - begin
            begin = end
        assert darts.image_at(weights, begin) is None
    return owned


def darts_per_draw(stored: Stored) -> float:
    """Return the mean number of darts. A dart hits with probability total / strip."""
    lanes, _ = _chunk_table(stored)
    return darts.strip_of(of_pool(Pool(LABEL), lanes)).length / chunks.total_weight(lanes)


def _chunk_table(stored: Stored) -> tuple[dict[int, Lane], dict[int, dict[str, int]]]:
    numbered = {int(item["chunkNumber"]["N"]): item for item in stored[CHUNKS]}
    lanes = {number: items.lane(item) for number, item in numbered.items() if number < chunks.FIRST_CHUNK_NUMBER}
    return lanes, {number: items.weights(item) for number, item in numbered.items() if number not in lanes}


class Label:
    """The label in DynamoDB, in the tables of template.yaml."""

    def __init__(self, clients: Clients, rng: random.Random) -> None:
        self._client, self._rng = clients.dynamodb, rng
        self._store = Store(clients.dynamodb, NAMES)

    def create(self) -> None:
        """Do nothing: the engine has the tables."""

    def load(self, stored: Stored) -> None:
        """Store what was made in memory."""
        rows.write_all(self._client, stored)

    def add(self, name: str, weight: int) -> None:
        """Upload an image."""
        self._store.add(rows.image(name, weight))

    def remove(self, name: str) -> None:
        """Delete an image."""
        assert self._store.remove(LABEL, name)

    def draw(self) -> str:
        """Return the name of a random image."""
        return draw.draw(self._store, (Pool(LABEL),), self._rng, "{}/{}".format, FORGETFUL)[0].name


def costs(count: int) -> dict[str, Usage]:
    """Return the computed cost of a draw, an upload and a delete for a label of uniform weights.

    A class has the images that it has on average, so also a part of them; a delete needs a filler.
    """
    last = chunks.class_of(UNITS - 1)
    volumes = {k: round(count * (1 << (k - 1)) / UNITS / chunks.LANES) for k in range(1, last)}
    volumes[last] = round(count / chunks.LANES) - sum(volumes.values())
    lanes = {number: Lane(number, 0, volumes) for number in range(chunks.LANES)}
    expected = darts.strip_of(of_pool(Pool(LABEL), lanes)).length / (count * UNITS / 2)
    lane_item = {**items.chunk_key(Pool(LABEL), 0), "totalWeight": items.number(count * UNITS // 8 + 1)} | {
        f"{items.VOLUME}{k}": items.number(volume) for k, volume in volumes.items()
    }
    name, weight = "0" * 36, 500_000_001
    number = chunks.chunk_number(3, 30, 123)
    chunk = item_size(items.chunk_item(Pool(LABEL), number, {f"{i:036}": weight for i in range(chunks.CHUNK_MAX)}))
    row, lane = item_size(rows.row(name, weight, number)), item_size(lane_item)
    lanes_read = read_units([chunks.LANES * lane])
    entered = [row, lane, chunk]
    return {
        "draw": Usage(read=lanes_read + expected * read_units([chunk]), trips=1 + expected),
        "upload": Usage(read=lanes_read, write=_written(entered), trips=2),
        "delete": Usage(read=read_units(entered, consistent=True), write=_written([*entered, chunk, row]), trips=4),
    }


def _written(sizes: list[int]) -> int:
    return sum(write_units(size, transaction=True) for size in sizes)
