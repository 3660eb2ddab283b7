"""Whether the rows of a pool, its chunks and its lanes agree, computed from sums: pure.

A sum of hashes is the same for rows and chunks if both have the same images with the same weights in the same places,
and otherwise differs but once in 2^128.  So a pool of any size is compared in the memory of two sums.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b

from shared.labels import chunks, items
from shared.labels.chunks import Lane
from shared.labels.items import Item

HASH = 16  # bytes
Where = tuple[int, int]  # a lane and a weight class


@dataclass(slots=True)
class Tally:
    """What was counted of a pool: images in each place, weights in each lane, and places that are wrong."""

    places: int = 0  # the sum of hashes
    volumes: Counter[Where] = field(default_factory=Counter)
    weights: Counter[int] = field(default_factory=Counter)
    wrong: int = 0

    def add(self, name: str, weight: int, chunk_number: int) -> None:
        """Count an image in a chunk."""
        digest = blake2b(f"{name} {weight} {chunk_number}".encode(), digest_size=HASH).digest()
        self.places = (self.places + int.from_bytes(digest)) % 256**HASH
        lane, weight_class = chunks.lane_of(chunk_number), chunks.class_of(weight)
        self.volumes[lane, weight_class] += 1
        self.weights[lane] += weight
        self.wrong += chunks.class_of_chunk(chunk_number) != weight_class


@dataclass(frozen=True, slots=True)
class Difference:
    """How rows, chunks and lanes of a pool differ: images in each, and all that says whether it is the same again."""

    rows: int
    held: int
    counted: int
    details: object

    def __str__(self) -> str:
        if self.rows == self.held == self.counted:
            return f"{self.rows} images, but not all of them are where its chunks and lanes have them"
        return f"{self.rows} images, but its chunks hold {self.held} and its lanes count {self.counted}"


def of_rows(rows: Iterable[Item]) -> Tally:
    """Count the rows of a pool."""
    tally = Tally()
    for entry in map(items.entry, rows):
        tally.add(entry.name, entry.weight, entry.chunk_number)
    return tally


def of_chunks(chunk_items: Iterable[Item]) -> Tally:
    """Count the images in a pool's chunks, which come by number: all but the last of a class must be full."""
    tally = Tally()
    before: dict[Where, tuple[int, int]] = {}  # the index of a class's chunk that came last, and its images
    for item in chunk_items:
        number, weights = int(item["chunkNumber"]["N"]), items.weights(item)
        index, where = chunks.index_of(number), (chunks.lane_of(number), chunks.class_of_chunk(number))
        last, held = before.get(where, (-1, 0))
        full = chunks.first_place(last + 1) - chunks.first_place(last) if last >= 0 else 0
        tally.wrong += index != last + 1 or held != full or not weights
        before[where] = index, len(weights)
        for name, weight in weights.items():
            tally.add(name, weight, number)
    return tally


def difference(rows: Tally, held: Tally, lanes: Mapping[int, Lane]) -> Difference | None:
    """Return how rows, chunks and lanes differ; None if they agree."""
    volumes = Counter({(lane.number, k): n for lane in lanes.values() for k, n in lane.volumes.items() if n})
    weights = Counter({lane.number: lane.total_weight for lane in lanes.values() if lane.total_weight})
    agree = rows.places == held.places and held.volumes == volumes and held.weights == weights
    if agree and not held.wrong:
        return None
    return Difference(
        rows.volumes.total(),
        held.volumes.total(),
        volumes.total(),
        (rows.places - held.places, held.wrong, sorted((held.volumes - volumes).items()), held.weights - weights),
    )
