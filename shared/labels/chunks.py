"""Weight classes, places, chunks and lanes: where an image is kept.

Pure arithmetic; docs/explanation/draws.md has the proof.

A lane's images of one weight class stand in places 0, 1, .. n-1 without gaps.  Place p is in chunk `chunk_of(p)`;
chunks hold 1, 1, 2, 4, 8, 16, 16, 16 .. images, so that a small label needs few darts and a large one few items.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field

LANES = 4  # uploads of one label that need not wait for each other; may be raised at any time
CHUNK_MAX = 16  # images: a full chunk stays below 1 KB, one write unit; part of the stored data
FIRST_CHUNK_NUMBER = 10**11  # below it are the lanes' own items


@dataclass(frozen=True, slots=True)
class Lane:
    """The counters of one lane: its images' weights added up, and how many it has of each class."""

    number: int
    total_weight: int = 0
    volumes: Mapping[int, int] = field(default_factory=dict)

    def volume(self, weight_class: int) -> int:
        """How many images of this class the lane has."""
        return self.volumes.get(weight_class, 0)


def class_of(weight: int) -> int:
    """Weight class k of a weight in units: 2^(k-1) <= weight < 2^k."""
    return weight.bit_length()


def chunk_of(place: int) -> int:
    """Index of the chunk that holds this place."""
    return place.bit_length() if place < CHUNK_MAX else 4 + place // CHUNK_MAX


def first_place(index: int) -> int:
    """Place that a chunk begins with; up to the next one's is what it can hold."""
    if index <= 5:
        return 0 if index == 0 else 1 << (index - 1)
    return (index - 4) * CHUNK_MAX


def capacity(volume: int) -> int:
    """How many places the chunks in use have when they hold `volume` images."""
    return first_place(chunk_of(volume - 1) + 1) if volume else 0


def chunk_number(lane: int, weight_class: int, index: int) -> int:
    """The sort key of a chunk item."""
    return ((lane + 1) * 100 + weight_class) * 10**9 + index


def lane_of(chunk_number: int) -> int:
    """The lane that a chunk belongs to."""
    return chunk_number // FIRST_CHUNK_NUMBER - 1


def index_of(chunk_number: int) -> int:
    """The chunk's index among the chunks of its lane and class."""
    return chunk_number % 10**9


def open_chunk(lane: Lane, weight_class: int) -> int:
    """Number of the chunk that the next image of this class goes to."""
    return chunk_number(lane.number, weight_class, chunk_of(lane.volume(weight_class)))


def active_chunk(lane: Lane, weight_class: int) -> int:
    """Number of the last chunk in use, which fills the holes; the lane has an image of this class."""
    return chunk_number(lane.number, weight_class, chunk_of(lane.volume(weight_class) - 1))


def opens_chunk(lane: Lane, weight_class: int) -> bool:
    """Whether the next image of this class is the first of its chunk."""
    volume = lane.volume(weight_class)
    return volume == first_place(chunk_of(volume))


def empties_chunk(lane: Lane, weight_class: int) -> bool:
    """Whether the active chunk has one image left."""
    volume = lane.volume(weight_class)
    return volume == first_place(chunk_of(volume - 1)) + 1


def choose_lane(lanes: Mapping[int, Lane], weight_class: int, rng: random.Random) -> Lane:
    """Active-chunk balancing: of two random lanes the one with fewer images of this class."""
    pair = [lanes.get(i, Lane(i)) for i in rng.sample(range(LANES), 2)]
    return min(pair, key=lambda lane: lane.volume(weight_class))


def count(lanes: Mapping[int, Lane]) -> int:
    """How many images the label has."""
    return sum(sum(lane.volumes.values()) for lane in lanes.values())


def total_weight(lanes: Mapping[int, Lane]) -> int:
    """The weights of all images of a label added up, in units."""
    return sum(lane.total_weight for lane in lanes.values())


def class_of_chunk(chunk_number: int) -> int:
    """The weight class of a chunk's images."""
    return chunk_number // 10**9 % 100


def strip_length(chunk_number: int) -> int:
    """Units of the strip that a chunk takes: as many places as it can hold, each as long as its class allows."""
    index = index_of(chunk_number)
    return (first_place(index + 1) - first_place(index)) << class_of_chunk(chunk_number)
