"""What is left of a strip when the parts that no further dart should hit are cut out of it: pure.

Such gaps are the ends of chunks that were read and seen to belong to nobody, and the images that may not come again.
Darts on the rest that hit nothing are fewer, and of those that hit, each remaining image still owns exactly its weight.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate


@dataclass(frozen=True, slots=True)
class ReadChunk:
    """A chunk that was read: where it begins on the strip, the units that it takes there, its images' weights."""

    start: int
    length: int
    weights: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Remainder:
    """A strip of `length` units, pieced together of what is left of another.

    `ends[i]` is where the i-th piece ends here, `shifts[i]` how much further right it was on the other strip.
    """

    ends: list[int]
    shifts: list[int]
    length: int


def without_gaps(length: int, read_chunks: Iterable[ReadChunk], excluded: Collection[str]) -> Remainder:
    """What is left of a strip of this length, without the gaps in these chunks; the images `excluded` are gaps, too."""
    gaps = [gap for chunk in sorted(read_chunks, key=lambda chunk: chunk.start) for gap in _gaps(chunk, excluded)]
    before = list(accumulate((gap for _, gap in gaps), initial=0))
    ends = [start - closed for (start, _), closed in zip(gaps, before, strict=False)]
    return Remainder(ends, before, length - before[-1])


def to_strip(remainder: Remainder, dart: int) -> int:
    """Where on the whole strip a dart is that hit this unit of the remainder."""
    return dart + remainder.shifts[bisect_right(remainder.ends, dart)]


def _gaps(chunk: ReadChunk, excluded: Collection[str]) -> Iterator[tuple[int, int]]:
    """(start, length) of each gap, from left to right."""
    at = chunk.start
    for name in sorted(chunk.weights):
        if name in excluded:
            yield at, chunk.weights[name]
        at += chunk.weights[name]
    if at < chunk.start + chunk.length:
        yield at, chunk.start + chunk.length - at
