"""Weight classes, places, chunks and lanes: the arithmetic of where an image is stored.

Pure; docs/explanation/draws.md has the proof.

The images of one lane and weight class fill places 0, 1, .. n-1 without gaps; n is the volume of that class.  Place p
is in chunk `chunk_of(p)`.  Chunks hold 1, 1, 2, 4, 8, 16, 16, 16 .. images: a small label needs few darts, and a large
label few items.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

LANES = 4  # items that count a pool; with more of them, fewer writes collide.  You may raise it at any time
CHUNK_MAX = 16  # images, so that a full chunk stays below 1 KB, one write unit; the stored data depends on it

# A chunk's number is its sort key: its lane + 1, two digits for its class, nine digits for its index.
CLASS_STEP = 10**9
FIRST_CHUNK_NUMBER = 100 * CLASS_STEP  # the sort keys below it are those of the lanes' items


@dataclass(frozen=True, slots=True)
class Lane:
    """The counters of one lane: the total weight of its images, and its volumes: how many images each class has.

    `opened` is how often one of its chunks was begun, which distinguishes a layout that came back from one that stayed.
    """

    number: int
    total_weight: int = 0
    volumes: Mapping[int, int] = field(default_factory=dict)
    opened: int = 0

    def volume(self, weight_class: int) -> int:
        """Return the number of the lane's images in this class."""
        return self.volumes.get(weight_class, 0)


def class_of(weight: int) -> int:
    """Return the weight class k of a weight in units: 2^(k-1) <= weight < 2^k."""
    return weight.bit_length()


# The first five chunks hold 1, 1, 2, 4 and 8 images, together CHUNK_MAX = 2^4.  So below place 16 the bit length of a
# place is the index of its chunk; from there on, place p is in chunk 4 + p // 16, and chunk i begins at (i - 4) * 16.


def chunk_of(place: int) -> int:
    """Return the index of the chunk that holds this place."""
    return place.bit_length() if place < CHUNK_MAX else 4 + place // CHUNK_MAX


def first_place(index: int) -> int:
    """Return the first place of a chunk.  The chunk holds the places up to the first one of the next chunk."""
    if index <= 5:
        return 0 if index == 0 else 1 << (index - 1)
    return (index - 4) * CHUNK_MAX


def capacity(volume: int) -> int:
    """Return the number of places in the chunks that are in use for `volume` images."""
    return first_place(chunk_of(volume - 1) + 1) if volume else 0


def chunk_number(lane: int, weight_class: int, index: int) -> int:
    """Return the number of a chunk, which is the sort key of its item."""
    return (lane + 1) * FIRST_CHUNK_NUMBER + weight_class * CLASS_STEP + index


def lane_of(chunk_number: int) -> int:
    """Return the lane of a chunk."""
    return chunk_number // FIRST_CHUNK_NUMBER - 1


def class_of_chunk(chunk_number: int) -> int:
    """Return the weight class of a chunk's images."""
    return chunk_number % FIRST_CHUNK_NUMBER // CLASS_STEP


def index_of(chunk_number: int) -> int:
    """Return the index of a chunk among the chunks of its lane and class."""
    return chunk_number % CLASS_STEP


def strip_length(chunk_number: int) -> int:
    """Return the units that a chunk takes on the strip: the number of its places times 2^class."""
    index = index_of(chunk_number)
    return (first_place(index + 1) - first_place(index)) << class_of_chunk(chunk_number)


def next_chunk(lane: Lane, weight_class: int) -> int:
    """Return the number of the chunk that takes the next image of this class."""
    return chunk_number(lane.number, weight_class, chunk_of(lane.volume(weight_class)))


def active_chunk(lane: Lane, weight_class: int) -> int:
    """Return the number of the last chunk in use, which fills holes.  The lane must have an image of this class."""
    return chunk_number(lane.number, weight_class, chunk_of(lane.volume(weight_class) - 1))


def starts_new_chunk(lane: Lane, weight_class: int) -> bool:
    """Return whether the next image of this class is the first of its chunk."""
    volume = lane.volume(weight_class)
    return volume == first_place(chunk_of(volume))


def empties_chunk(lane: Lane, weight_class: int) -> bool:
    """Return whether the next removal of an image of this class leaves the active chunk empty."""
    volume = lane.volume(weight_class)
    return volume == first_place(chunk_of(volume - 1)) + 1


def choose_lane(lanes: Mapping[int, Lane], weight_class: int, rng: random.Random) -> Lane:
    """Choose the one of two random lanes that has fewer images of this class: active-chunk balancing."""
    pair = [lanes.get(i, Lane(i)) for i in rng.sample(range(LANES), 2)]
    return min(pair, key=lambda lane: lane.volume(weight_class))


def image_count(lanes: Mapping[Any, Lane]) -> int:
    """Return the number of images in these lanes."""
    return sum(sum(lane.volumes.values()) for lane in lanes.values())


def total_weight(lanes: Mapping[Any, Lane]) -> int:
    """Return the total weight of the images in these lanes, in units."""
    return sum(lane.total_weight for lane in lanes.values())
