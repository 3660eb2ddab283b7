"""Weighted random choice by darts: pure, in whole numbers; docs/explanation/draws.md has the proof.

The chunks of all pools of a draw lie side by side on a strip.  Each place of a chunk of class k is 2^k units long.  A
dart falls on one chunk, in which each image owns as many units as it weighs.  The other units are misses: throw again.

Segment, Strip and Landing are named tuples, which take a fifth of a dataclass's time to define at a cold start.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from shared.images import Pool
from shared.labels import chunks
from shared.labels.chunks import Lane
from shared.labels.items import Chunk


class Segment(NamedTuple):
    """The chunks of one lane and class of a pool.  They begin `start` units from the left end of the strip."""

    start: int
    pool: Pool
    lane: int
    weight_class: int


class Strip(NamedTuple):
    """All chunks of some pools side by side.  `length` is in units; it is 0 if the pools have no images.

    `opened` is how often each lane began a chunk.  So two strips are equal only if no chunk was begun since.
    """

    segments: tuple[Segment, ...]
    length: int
    opened: tuple[tuple[Pool, int, int], ...] = ()


class Landing(NamedTuple):
    """The chunk that a dart falls on, and the distance in units from the left end of the chunk."""

    chunk: Chunk
    offset: int


def strip_of(lanes: Mapping[Chunk, Lane]) -> Strip:
    """Return the strip of these lanes, ordered by pool, lane and class, so that equal lanes give equal strips."""
    segments, opened, length = [], [], 0
    for (pool, number), lane in sorted(lanes.items()):
        opened.append((pool, number, lane.opened))
        for weight_class, volume in sorted(lane.volumes.items()):
            if volume:
                segments.append(Segment(length, pool, number, weight_class))
                length += chunks.capacity(volume) << weight_class
    return Strip(tuple(segments), length, tuple(opened))


def locate(strip: Strip, dart: int) -> Landing:
    """Return where a dart lands, 0 <= dart < strip.length."""
    segment = strip.segments[bisect_right(strip.segments, dart, key=lambda segment: segment.start) - 1]
    distance = dart - segment.start
    index = chunks.chunk_of(distance >> segment.weight_class)
    number = chunks.chunk_number(segment.lane, segment.weight_class, index)
    return Landing((segment.pool, number), distance - (chunks.first_place(index) << segment.weight_class))


def start_of(strip: Strip, chunk: Chunk) -> int | None:
    """Return where a chunk begins on the strip; None if the strip does not have it."""
    pool, number = chunk
    weight_class, distance = chunks.class_of_chunk(number), chunks.first_place(chunks.index_of(number))
    for segment in strip.segments:
        if (segment.pool, segment.lane, segment.weight_class) == (pool, chunks.lane_of(number), weight_class):
            start = segment.start + (distance << weight_class)
            return start if start < strip.length and locate(strip, start) == (chunk, 0) else None
    return None


def each_chunk(strip: Strip) -> Iterator[tuple[Chunk, int]]:
    """Yield each chunk and its start, from left to right."""
    start = 0
    while start < strip.length:
        chunk = locate(strip, start).chunk
        yield chunk, start
        start += chunks.strip_length(chunk[1])


def image_at(weights: Mapping[str, int], offset: int) -> str | None:
    """Return the name of the image that owns this unit of the chunk; None for a miss."""
    for name in sorted(weights):
        if offset < weights[name]:
            return name
        offset -= weights[name]
    return None
