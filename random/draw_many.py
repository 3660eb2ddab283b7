"""Draw several images of a pool, each independently or all distinct; docs/explanation/draws.md has the proof."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import islice

import darts
import gaps
from bulk_reads import Rows
from darts import Landing
from draw import no_images_of
from gaps import ReadChunk
from shared import images
from shared.errors import Unavailable, UnprocessableValue
from shared.images import Image, Pool
from shared.labels import batch_get, chunks
from shared.labels.chunks import Lane
from shared.labels.reading import Reader
from shared.labels.retries import LostRace, retried

SPARE_DARTS = 12  # of a round, besides three for two images: a round for the last few rarely needs another
ROUNDS_MAX = 100  # each reads a chunk or draws an image; 100 images need 7 at most, unless the lanes count wrong
ROW_READS_MAX = 4  # if images are deleted between the draw and the read of their rows


@dataclass(frozen=True, slots=True)
class DrawnImages:
    """The images with their weights and probabilities at the draw, in the order of the draws."""

    images: list[tuple[Image, float]]
    total_weight: int


def draw_many(reader: Reader, rows: Rows, pool: Pool, count: int, rng: random.Random, *, distinct: bool) -> DrawnImages:
    """Draw `count` images of the pool.  Raise NotFound if it has none, UnprocessableValue if `distinct` needs more.

    With `distinct`, an image's probability is its weight / the total weight of the images not drawn before it.
    An image deleted during the request is skipped and not counted in the total weight.  The others keep their exact
    probabilities.
    """

    def attempt(again: bool) -> DrawnImages:
        lanes = _lanes(reader, pool, count if distinct else 1, consistent=again)
        draws = Draws(reader, pool, lanes, rng, distinct=distinct)
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
        raise Unavailable(f"Too many drawn images of {pool} were deleted meanwhile; retry in a moment.")

    return retried(attempt)


class Draws:
    """A series of draws that reads each chunk once, so that all draws see the same contents."""

    def __init__(
        self, reader: Reader, pool: Pool, lanes: Mapping[int, Lane], rng: random.Random, *, distinct: bool
    ) -> None:
        self._reader, self._pool, self._rng, self._distinct = reader, pool, rng, distinct
        self._strip = darts.strip_of(lanes)
        self._chunks: dict[int, ReadChunk] = {}
        self._excluded: set[str] = set()

    def take(self, count: int) -> list[tuple[str, int]]:
        """Return (name, weight) of the next images.  Raise LostRace if the chunks lack images that the lanes count."""
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
        """Never draw these images again."""
        self._excluded.update(names)

    def _throw(self, count: int) -> list[Landing]:
        """Throw up to `count` darts and read the chunks they land on.  Stop early when one BatchGetItem is full.

        Every dart that is thrown counts, wherever it lands; otherwise the law would not be exact.
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
        """Read these chunks: chunk number -> start on the strip."""
        found = self._reader.chunks(self._pool, starts) if starts else {}
        for chunk_number, start in starts.items():
            weights = found.get(chunk_number, {})
            self._chunks[chunk_number] = ReadChunk(start, chunks.strip_length(chunk_number), weights)


def _lanes(reader: Reader, pool: Pool, needed: int, *, consistent: bool) -> dict[int, Lane]:
    """Return the lanes of a pool with at least `needed` images.  If it seems to have fewer, read again consistently."""
    lanes = reader.lanes(pool, consistent=consistent)
    if chunks.image_count(lanes) < needed and not consistent:
        lanes = reader.lanes(pool, consistent=True)
    count = chunks.image_count(lanes)
    if not count:
        raise no_images_of(pool)
    if count < needed:
        raise UnprocessableValue(
            f"count must be at most {count}, the number of images of {pool}, with distinct=true.", field="count"
        )
    return lanes


def _with_probability(drawn: list[Image], total_weight: int, *, distinct: bool) -> DrawnImages:
    """Add the probabilities.  Raise LostRace if the total weight, read at another time, is too small for the images."""
    left, drawn_images = total_weight, []
    for image in drawn:
        if image.weight > left:
            raise LostRace
        drawn_images.append((image, images.probability(image.weight, left)))
        if distinct:
            left -= image.weight
    return DrawnImages(drawn_images, total_weight)
