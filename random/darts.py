"""Weighted random choice by darts: pure, in whole numbers; docs/explanation/draws.md has the proof.

The chunks of a pool lie side by side on a strip.  Each place of a chunk of class k is 2^k units long.  A dart falls on
one chunk, in which each image owns as many units as it weighs.  The other units are misses: throw again.

Segment, Strip and Landing are named tuples, which take a fifth of a dataclass's time to define at a cold start.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from shared.labels import chunks
from shared.labels.chunks import Lane


class Segment(NamedTuple):
    """The chunks of one lane and class.  They begin `start` units from the left end of the strip."""

    start: int
    lane: int
    weight_class: int


class Strip(NamedTuple):
    """All chunks of a pool side by side.  `length` is in units; it is 0 if the pool has no images.

    `opened` is how often each lane began a chunk, by number.  So two strips are equal only if no chunk was begun since.
    """

    segments: tuple[Segment, ...]
    length: int
    opened: tuple[tuple[int, int], ...] = ()


class Landing(NamedTuple):
    """The chunk that a dart falls on, and the distance in units from the left end of the chunk."""

    chunk_number: int
    offset: int


def strip_of(lanes: Mapping[int, Lane]) -> Strip:
    """Return the strip of these lanes, ordered by lane and class, so that equal lanes give equal strips."""
    segments, length = [], 0
    ordered = sorted(lanes.values(), key=lambda lane: lane.number)
    for lane in ordered:
        for weight_class, volume in sorted(lane.volumes.items()):
            if volume:
                segments.append(Segment(length, lane.number, weight_class))
                length += chunks.capacity(volume) << weight_class
    return Strip(tuple(segments), length, tuple((lane.number, lane.opened) for lane in ordered))


def locate(strip: Strip, dart: int) -> Landing:
    """Return where a dart lands, 0 <= dart < strip.length."""
    segment = strip.segments[bisect_right(strip.segments, dart, key=lambda segment: segment.start) - 1]
    distance = dart - segment.start
    index = chunks.chunk_of(distance >> segment.weight_class)
    offset = distance - (chunks.first_place(index) << segment.weight_class)
    return Landing(chunks.chunk_number(segment.lane, segment.weight_class, index), offset)


def each_chunk(strip: Strip) -> Iterator[tuple[int, int]]:
    """Yield (chunk number, start) of each chunk, from left to right."""
    start = 0
    while start < strip.length:
        chunk_number = locate(strip, start).chunk_number
        yield chunk_number, start
        start += chunks.strip_length(chunk_number)


def image_at(weights: Mapping[str, int], offset: int) -> str | None:
    """Return the name of the image that owns this unit of the chunk; None for a miss."""
    for name in sorted(weights):
        if offset < weights[name]:
            return name
        offset -= weights[name]
    return None
