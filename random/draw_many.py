"""Draw several images of a label: each by itself, or each image at most once; docs/explanation/draws.md."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import islice

import darts
import gaps
from bulk_reads import Rows
from darts import Landing
from draw import none_of
from gaps import ReadChunk
from shared import images
from shared.errors import Unavailable, UnprocessableValue
from shared.images import Image, Pool
from shared.labels import batch_get, chunks
from shared.labels.chunks import Lane
from shared.labels.retries import LostRace, retried
from shared.labels.store import Store

SPARE_DARTS = 12  # of a round, besides three for two images: a round for the last few rarely needs another
ROUNDS_MAX = 100  # each reads a chunk or draws an image; a hundred images need seven at most, unless lanes are wrong
ROW_READS_MAX = 4  # at the rows of what was drawn, when image after image was deleted meanwhile


@dataclass(frozen=True, slots=True)
class Several:
    """Images with the weights that they were drawn by and their probabilities, in the order of the draws."""

    images: list[tuple[Image, float]]
    total_weight: int


def several(store: Store, rows: Rows, pool: Pool, count: int, rng: random.Random, *, distinct: bool) -> Several:
    """So many images of the pool; NotFound if it has none, UnprocessableValue if `distinct` asks for too many.

    With `distinct`, each image comes with its weight / the weight of those that had not come before it.  An image that
    was deleted meanwhile is a miss, its weight no part of the total: the others come as if it had never been there.
    """

    def attempt(again: bool) -> Several:
        lanes = _lanes(store, pool, count if distinct else 1, consistent=again)
        draws = Draws(store, pool, lanes, rng, distinct=distinct)
        kept: list[Image] = []
        gone = 0
        for _ in range(ROW_READS_MAX):
            drawn = draws.take(count - len(kept))
            found = rows.named(pool.label, [name for name, _ in drawn])
            kept += [replace(found[name], weight=weight) for name, weight in drawn if name in found]
            missing = {name: weight for name, weight in drawn if name not in found}
            if not missing:
                return _with_probability(kept, chunks.total_weight(lanes) - gone, distinct=distinct)
            draws.exclude(missing)
            gone += sum(missing.values())
        raise Unavailable(f"The images of {pool} that were drawn are gone; retry in a moment.")

    return retried(attempt)


class Draws:
    """One draw after another.  Each chunk is read once, so that all of them see it alike."""

    def __init__(
        self, store: Store, pool: Pool, lanes: Mapping[int, Lane], rng: random.Random, *, distinct: bool
    ) -> None:
        self._store, self._pool, self._rng, self._distinct = store, pool, rng, distinct
        self._strip = darts.strip_of(lanes)
        self._chunks: dict[int, ReadChunk] = {}
        self._excluded: set[str] = set()

    def take(self, count: int) -> list[tuple[str, int]]:
        """(name, weight) of the next images; LostRace if chunks do not have what the lanes count."""
        drawn: list[tuple[str, int]] = []
        for _ in range(ROUNDS_MAX):
            for landing in self._throw((count - len(drawn)) * 3 // 2 + SPARE_DARTS):
                weights = self._chunks[landing.chunk_number].weights
                name = darts.image_at(weights, landing.offset)
                if name is None or name in self._excluded:
                    continue
                drawn.append((name, weights[name]))
                if self._distinct:
                    self._excluded.add(name)
                if len(drawn) == count:
                    return drawn
        raise LostRace

    def exclude(self, names: Mapping[str, int]) -> None:
        """Never draw these again."""
        self._excluded.update(names)

    def _throw(self, count: int) -> list[Landing]:
        """Where so many darts land, or fewer that fall on as many unknown chunks as one call can read, and has read.

        No dart that was thrown is dropped because of where it lands.
        """
        if not self._chunks:
            chunk_starts = dict(islice(darts.each_chunk(self._strip), count + 1))
            if len(chunk_starts) <= count:
                self._read(chunk_starts)
        remainder = gaps.without_gaps(self._strip.length, self._chunks.values(), self._excluded)
        if not remainder.length:
            raise LostRace
        landings: list[Landing] = []
        unread: dict[int, int] = {}
        while len(landings) < count and len(unread) < batch_get.KEYS_MAX:
            dart = gaps.to_strip(remainder, self._rng.randrange(remainder.length))
            landing = darts.locate(self._strip, dart)
            landings.append(landing)
            if landing.chunk_number not in self._chunks:
                unread[landing.chunk_number] = dart - landing.offset
        self._read(unread)
        return landings

    def _read(self, starts: Mapping[int, int]) -> None:
        """Get to know these chunks, which begin there on the strip."""
        found = self._store.chunks(self._pool, starts) if starts else {}
        for number, start in starts.items():
            self._chunks[number] = ReadChunk(start, chunks.strip_length(number), found.get(number, {}))


def _lanes(store: Store, pool: Pool, needed: int, *, consistent: bool) -> dict[int, Lane]:
    """The lanes of a pool with so many images; what seems too few is counted again, consistently."""
    lanes = store.lanes(pool, consistent=consistent)
    if chunks.count(lanes) < needed and not consistent:
        lanes = store.lanes(pool, consistent=True)
    there = chunks.count(lanes)
    if not there:
        raise none_of(pool)
    if there < needed:
        raise UnprocessableValue(
            f"There are only {there} images of {pool}; ask for no more with distinct=true.", field="count"
        )
    return lanes


def _with_probability(drawn: list[Image], total_weight: int, *, distinct: bool) -> Several:
    """The images with their probabilities; LostRace if the total, read at another moment, is too small for them."""
    left, drawn_images = total_weight, []
    for image in drawn:
        if image.weight > left:
            raise LostRace
        drawn_images.append((image, images.probability(image.weight, left)))
        if distinct:
            left -= image.weight
    return Several(drawn_images, total_weight)
