"""Places for the images of a pool, one after the other, without gaps: pure.

The same images in the same order get the same places.  Each class fills one chunk at a time, in the lane that has the
fewest images of the class, so only one chunk of each class is held in memory.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from shared.labels import chunks
from shared.labels.chunks import LANES, Lane

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Filled(Generic[T]):
    """A chunk with its images."""

    number: int
    images: list[T] = field(default_factory=list)


class Placing(Generic[T]):
    """The places that are taken so far."""

    def __init__(self) -> None:
        self._volumes: list[Counter[int]] = [Counter() for _ in range(LANES)]
        self._weights = [0] * LANES
        self._open: dict[int, Filled[T]] = {}  # by class

    def add(self, weight: int, image: T) -> Filled[T] | None:
        """Give an image of this weight its place.  Return the chunk if it is full now."""
        weight_class = chunks.class_of(weight)
        chunk = self._open.setdefault(weight_class, Filled(self._next(weight_class)))
        chunk.images.append(image)
        lane, index = chunks.lane_of(chunk.number), chunks.index_of(chunk.number)
        self._volumes[lane][weight_class] += 1
        self._weights[lane] += weight
        if len(chunk.images) < chunks.first_place(index + 1) - chunks.first_place(index):
            return None
        return self._open.pop(weight_class)

    def rest(self) -> list[Filled[T]]:
        """Return the chunks that are not full, when there are no more images."""
        return list(self._open.values())

    def lanes(self) -> dict[int, Lane]:
        """Return the lanes that have images."""
        numbers = [number for number in range(LANES) if self._weights[number]]
        return {number: Lane(number, self._weights[number], dict(self._volumes[number])) for number in numbers}

    def has(self, chunk_number: int) -> bool:
        """Return whether this chunk has an image."""
        lane, weight_class = chunks.lane_of(chunk_number), chunks.class_of_chunk(chunk_number)
        return lane < LANES and chunks.first_place(chunks.index_of(chunk_number)) < self._volumes[lane][weight_class]

    def _next(self, weight_class: int) -> int:
        lane = min(range(LANES), key=lambda number: self._volumes[number][weight_class])
        return chunks.next_chunk(Lane(lane, 0, self._volumes[lane]), weight_class)
