"""The remainder of a strip after the parts that no further dart should hit are cut out: pure.

These gaps are the units of a chunk that no image owns, once the chunk was read, and the images that may not be drawn
again.  On the remainder fewer darts miss, and each image that is left still owns exactly as many units as it weighs.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate


@dataclass(frozen=True, slots=True)
class ReadChunk:
    """A chunk that was read: its start and its length on the strip, in units, and the weights of its images."""

    start: int
    length: int
    weights: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Remainder:
    """A strip of `length` units, made of the pieces of a whole strip that are left.

    The i-th piece ends at `ends[i]`, and was `shifts[i]` units further right on the whole strip.
    """

    ends: list[int]
    shifts: list[int]
    length: int


def without_gaps(length: int, read_chunks: Iterable[ReadChunk], excluded: Collection[str]) -> Remainder:
    """Cut the gaps in these chunks out of a strip of this length.  The `excluded` images are gaps, too."""
    gaps = [gap for chunk in sorted(read_chunks, key=lambda chunk: chunk.start) for gap in _gaps(chunk, excluded)]
    before = list(accumulate((gap for _, gap in gaps), initial=0))
    ends = [start - closed for (start, _), closed in zip(gaps, before, strict=False)]
    return Remainder(ends, before, length - before[-1])


def to_strip(remainder: Remainder, dart: int) -> int:
    """Return the unit of the whole strip for a unit of the remainder."""
    return dart + remainder.shifts[bisect_right(remainder.ends, dart)]


def _gaps(chunk: ReadChunk, excluded: Collection[str]) -> Iterator[tuple[int, int]]:
    """Yield (start, length) of each gap in a chunk, from left to right."""
    at = chunk.start
    for name in sorted(chunk.weights):
        if name in excluded:
            yield at, chunk.weights[name]
        at += chunk.weights[name]
    if at < chunk.start + chunk.length:
        yield at, chunk.start + chunk.length - at
