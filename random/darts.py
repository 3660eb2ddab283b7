"""Weighted random choice by darts: pure, in whole numbers; docs/explanation/draws.md has the proof.

A label's chunks lie on a strip, each place of a class-k chunk 2^k units long.  A dart falls on one chunk; within the
chunk each image owns exactly its weight's length.  The rest of the strip is a miss: the next dart decides.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from shared.labels import chunks
from shared.labels.chunks import Lane


@dataclass(frozen=True, slots=True)
class Stretch:
    """The chunks of one lane and class, which begin at `start` units from the strip's left end."""

    start: int
    lane: int
    weight_class: int


@dataclass(frozen=True, slots=True)
class Strip:
    """All chunks of a label side by side; `length` in units, 0 if it has no images."""

    stretches: tuple[Stretch, ...]
    length: int


@dataclass(frozen=True, slots=True)
class Landing:
    """The chunk that a dart falls on, and how many units from the chunk's left end."""

    chunk_number: int
    offset: int


def lay(lanes: Mapping[int, Lane]) -> Strip:
    """The strip of these lanes, in the order of lanes and classes: the same lanes give the same strip."""
    stretches, length = [], 0
    for lane in sorted(lanes.values(), key=lambda lane: lane.number):
        for weight_class, volume in sorted(lane.volumes.items()):
            if volume:
                stretches.append(Stretch(length, lane.number, weight_class))
                length += chunks.room(volume) << weight_class
    return Strip(tuple(stretches), length)


def land(strip: Strip, dart: int) -> Landing:
    """Where a dart lands, 0 <= dart < strip.length."""
    stretch = strip.stretches[bisect_right(strip.stretches, dart, key=lambda stretch: stretch.start) - 1]
    distance = dart - stretch.start
    index = chunks.chunk_of(distance >> stretch.weight_class)
    offset = distance - (chunks.first(index) << stretch.weight_class)
    return Landing(chunks.number(stretch.lane, stretch.weight_class, index), offset)


def each_chunk(strip: Strip) -> Iterator[tuple[int, int]]:
    """(number, start) of each chunk, from left to right."""
    start = 0
    while start < strip.length:
        number = land(strip, start).chunk_number
        yield number, start
        start += chunks.length(number)


def hit(weights: Mapping[str, int], offset: int) -> str | None:
    """The name of the image that owns this unit of the chunk; None for a miss."""
    for name in sorted(weights):
        if offset < weights[name]:
            return name
        offset -= weights[name]
    return None
