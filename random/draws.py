"""A series of draws from one strip; docs/explanation/draws.md has the proof."""

import random
from collections.abc import Collection, Iterable, Mapping
from itertools import islice

import darts
import gaps
from darts import Landing, Strip
from gaps import ReadChunk
from shared import metrics
from shared.labels import batch_get, chunks
from shared.labels.items import Chunk
from shared.labels.reading import Reader
from shared.labels.retries import LostRace

ROUNDS_MAX = 100  # each reads a chunk or draws an image; 100 images need 7 at most, unless the lanes count wrong


class Draws:
    """A series of draws that reads each chunk once, so that all draws see the same contents.

    The images of the ids in `excluded` are never drawn; with `distinct`, none is drawn twice.
    """

    def __init__(
        self, reader: Reader, strip: Strip, rng: random.Random, *, distinct: bool, excluded: Collection[str] = ()
    ) -> None:
        self._reader, self._strip, self._rng, self._distinct = reader, strip, rng, distinct
        self._chunks: dict[Chunk, ReadChunk] = {}
        self._excluded = set(excluded)

    def take(self, count: int, *, spare: int, beside: Iterable[Chunk] = ()) -> list[tuple[str, int]]:
        """Return id and weight of the next images.  Raise LostRace if the chunks lack images that the lanes count.

        A round has three darts for every two images that are wanted, and some to spare.  The chunks `beside` are read
        with those of the first round.
        """
        drawn: list[tuple[str, int]] = []
        unread = self._starts(beside)
        for _ in range(ROUNDS_MAX):
            for chunk, offset in self._throw((count - len(drawn)) * 3 // 2 + spare, unread):
                metrics.count("Darts")
                weights = self._chunks[chunk].weights
                image_id = darts.image_at(weights, offset)
                if image_id is None or image_id in self._excluded:
                    continue
                drawn.append((image_id, weights[image_id]))
                if self._distinct:
                    self._excluded.add(image_id)
                if len(drawn) == count:
                    return drawn
            unread = {}
        raise LostRace

    def exclude(self, ids: Iterable[str]) -> None:
        """Never draw these images again."""
        self._excluded.update(ids)

    def _throw(self, count: int, unread: dict[Chunk, int]) -> list[Landing]:
        """Throw up to `count` darts and read the chunks they land on, and those that are still unread.

        Stop early when one BatchGetItem is full.  Every dart that is thrown counts, wherever it lands; otherwise the
        law would not be exact.
        """
        if not self._chunks:
            chunk_starts = dict(islice(darts.each_chunk(self._strip), count + 1))
            if len(chunk_starts) <= count:
                self._read(chunk_starts)
                unread = {}
        remainder = gaps.without_gaps(self._strip.length, self._chunks.values(), self._excluded)
        if not remainder.length:
            raise LostRace
        landings: list[Landing] = []
        while len(landings) < count and len(unread) < batch_get.KEYS_MAX:
            dart = gaps.to_strip(remainder, self._rng.randrange(remainder.length))
            landing = darts.locate(self._strip, dart)
            landings.append(landing)
            if landing.chunk not in self._chunks:
                unread[landing.chunk] = dart - landing.offset
        self._read(unread)
        return landings

    def _read(self, starts: Mapping[Chunk, int]) -> None:
        """Read these chunks: chunk -> start on the strip."""
        found = self._reader.chunks(starts) if starts else {}
        for chunk, start in starts.items():
            pool, number = chunk
            weights = {f"{pool.label}/{name}": weight for name, weight in found.get(chunk, {}).items()}
            self._chunks[chunk] = ReadChunk(start, chunks.strip_length(number), weights)

    def _starts(self, wanted: Iterable[Chunk]) -> dict[Chunk, int]:
        """Return chunk -> start of those of these chunks that are on the strip and were not read yet."""
        starts = {chunk: darts.start_of(self._strip, chunk) for chunk in wanted if chunk not in self._chunks}
        return {chunk: start for chunk, start in starts.items() if start is not None}
