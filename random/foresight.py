"""What a container remembers of labels, as a hint for the next draw: pure; docs/explanation/draws.md has the proof.

A draw throws a row of darts on the strip that it remembers, up to the first that hits by the chunks that it remembers.
So all chunks of the row are read in one call, beside the lanes, and the image that is probably drawn is got beside
them.  Memory decides nothing else: the row counts only if the lanes still give the same strip, and it is judged by what
is read now.  Whatever is remembered, each image keeps its exact probability.
"""

import random
from collections.abc import Mapping
from typing import Any, NamedTuple

import darts
from darts import Landing, Strip
from pools import Pools
from shared.labels.chunks import Lane
from shared.labels.items import Chunk

STRIPS_MAX = 1000  # of 15 kB at most, or of 76 kB if 5 labels are drawn from together
CHUNKS_MAX = 4096  # of at most 16 images each: about 10 MB
DARTS_MAX = 12  # of a row; more would be needed by one draw in 300 of images of 0.54, whose darts miss most
UNKNOWN_MAX = 2  # chunks of a row that were never read: each costs half a read unit, and may be a miss

Weights = Mapping[str, int]  # of the images in a chunk, by name


class Row(NamedTuple):
    """Darts in the order in which they count, and the label and name of the image that is expected.

    That is the one that the last dart hits by memory, if nothing is unknown of the chunks before.
    """

    landings: list[Landing]
    expected: tuple[str, str] | None


class Memory:
    """The strips and chunks that were read last.

    A row has at most `unknown` chunks that are not remembered.  A memory of nothing, which throws one dart a row, gives
    the draws of a seed in every container.
    """

    def __init__(self, *, strips: int = STRIPS_MAX, chunks: int = CHUNKS_MAX, unknown: int = UNKNOWN_MAX) -> None:
        self._strips = _Latest(strips)  # pools -> strip, and whether it is steady
        self._lanes = _Latest(strips)  # pools -> lanes, and their strip
        self._chunks = _Latest(chunks)  # chunk -> weights
        self._unknown = unknown

    def steady_strip(self, pools: Pools) -> Strip | None:
        """Return the strip of these pools, if it was the same at the last two reads.

        If it was not, it has probably changed again.  To throw on a strip that has changed would cost a
        picture that is fetched for nothing.
        """
        strip, is_steady = self._strips.get(pools) or (None, False)
        return strip if is_steady else None

    def strip_of(self, pools: Pools, lanes: Mapping[Chunk, Lane]) -> Strip:
        """Return the strip of the lanes of these pools, and remember it.  Equal lanes are laid out once."""
        known = self._lanes.get(pools)
        strip: Strip = known[1] if known and known[0] == lanes else darts.strip_of(lanes)
        self._lanes.put(pools, (lanes, strip))
        self.keep_strip(pools, strip)
        return strip

    def keep_strip(self, pools: Pools, strip: Strip) -> None:
        """Remember the strip of these pools as it was read."""
        before, _ = self._strips.get(pools) or (None, False)
        self._strips.put(pools, (strip, strip == before))

    def keep_chunk(self, chunk: Chunk, weights: Weights) -> None:
        """Remember what is in a chunk; nothing, if it is gone."""
        self._chunks.put(chunk, weights)

    def row(self, strip: Strip, rng: random.Random) -> Row:
        """Throw a row of darts on a strip that is not empty."""
        landings: list[Landing] = []
        unknown: set[Chunk] = set()
        for _ in range(DARTS_MAX):
            landing = darts.locate(strip, rng.randrange(strip.length))
            landings.append(landing)
            weights = self._chunks.get(landing.chunk)
            if weights is None:
                unknown.add(landing.chunk)
                if len(unknown) == self._unknown:
                    break
            elif name := darts.image_at(weights, landing.offset):
                return Row(landings, None if unknown else (landing.chunk[0].label, name))
        return Row(landings, None)


class _Latest:
    """The values that were used last, at most `count` of them.  To define a generic class would take longer."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._values: dict[Any, Any] = {}

    def get(self, key: object) -> Any:
        value = self._values.pop(key, None)
        if value is not None:
            self._values[key] = value
        return value

    def put(self, key: object, value: object) -> None:
        self._values.pop(key, None)
        self._values[key] = value
        if len(self._values) > self._count:
            del self._values[next(iter(self._values))]
