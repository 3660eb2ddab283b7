"""Draw an image of some pools with probability exactly weight / total."""

import random
from collections.abc import Callable
from contextlib import ExitStack, nullcontext, suppress
from functools import partial
from typing import Generic, NamedTuple, TypeVar

import darts
from darts import Strip
from foresight import Memory, Row
from pools import Pools, lanes_of, named, no_images_of
from shared import images, metrics
from shared.errors import Unavailable
from shared.images import Pool
from shared.labels import chunks, items
from shared.labels.items import Chunk
from shared.labels.reading import Reader
from shared.labels.retries import retried
from shared.parallel import beside

T = TypeVar("T")

MISSES_MAX = 100  # rows; at most three darts in four miss, so the probability of this is below 10^-12


class Drawn(NamedTuple):
    """A drawn image with its weight and the total weight of the images that it was drawn from, as read, in units.

    `gone_before` is the weight of the images at earlier positions of a session, which cannot come again.  It is 0 for
    every other draw.  A named tuple, because it takes a fifth of a dataclass's time to define at a cold start.
    """

    label: str
    name: str
    weight: int
    total_weight: int
    gone_before: int = 0

    @property
    def id(self) -> str:
        """The image's id."""
        return f"{self.label}/{self.name}"

    @property
    def probability(self) -> float:
        """The weight / total weight of the images that could come, as the nearest floating-point number."""
        return images.probability(self.weight, self.total_weight - self.gone_before)


def draw(
    reader: Reader, pools: Pools, rng: random.Random, fetch: Callable[[str, str], T | None], memory: Memory
) -> tuple[Drawn, T | None]:
    """Draw an image of the pools.  Return it and what `fetch` returns for its label and name: None, if it was deleted.

    Raise NotFound if the pools have no image, Unavailable if every dart misses.

    Lanes that are out of date may show no image, or only chunks that are gone.  So if nothing was drawn, read the lanes
    again, consistently.
    """
    with ExitStack() as meanwhile:
        request = _Draw(reader, pools, rng, fetch, memory, meanwhile)
        for consistent in (False, True):
            if found := request.attempt(consistent=consistent):
                return found
    if not request.strip.length:
        raise no_images_of(pools)
    raise Unavailable(f"No image of {named(pools)} could be drawn; retry in a moment.")


class _Draw(Generic[T]):
    """One draw: the strip that was read last, and rows of darts on it.

    What is fetched ahead ends with `meanwhile`, so that no row waits for what an earlier one expected in vain.
    """

    def __init__(
        self,
        reader: Reader,
        pools: Pools,
        rng: random.Random,
        fetch: Callable[[str, str], T | None],
        memory: Memory,
        meanwhile: ExitStack,
    ) -> None:
        self._meanwhile = meanwhile
        self._reader, self._pools, self._rng, self._fetch, self._memory = reader, pools, rng, fetch, memory
        self.strip = darts.strip_of({})
        self._total_weight = 0

    def attempt(self, *, consistent: bool) -> tuple[Drawn, T | None] | None:
        """Read the lanes, and throw darts until one hits an image.  Return None if MISSES_MAX miss, or without any.

        A first row is thrown on the strip that is remembered, if it seems steady, while the lanes are read.
        """
        remembered = None if consistent else self._memory.steady_strip(self._pools)
        if remembered and remembered.length:
            if found := self._row(remembered, is_confirmed=False):
                return found
        else:
            self._read_lanes(consistent=consistent)
        for _ in range(MISSES_MAX if self.strip.length else 0):
            if found := self._row(self.strip, is_confirmed=True):
                return found
        return None

    def _row(self, strip: Strip, *, is_confirmed: bool) -> tuple[Drawn, T | None] | None:
        """Throw a row of darts, and get meanwhile the image that it hits by memory.  Return None if all miss.

        A row on a strip that is not confirmed counts only if the lanes, which are read beside it, give that very strip.
        """
        row = self._memory.row(strip, self._rng)
        read_chunks = partial(self._reader.chunks_now, {landing.chunk for landing in row.landings})
        expected = beside(partial(self._fetch, *row.expected)) if row.expected else nullcontext(lambda: None)
        ahead = self._meanwhile.enter_context(expected)
        with nullcontext(read_chunks) if is_confirmed else beside(read_chunks) as read:
            if not is_confirmed:
                self._read_lanes()
                if self.strip != strip:
                    return None
            drawn = self._judge(row, *read())
            return (drawn, self._found(drawn, row, ahead)) if drawn else None

    def _read_lanes(self, *, consistent: bool = False) -> None:
        lanes = lanes_of(self._reader, self._pools, consistent=consistent)
        self.strip, self._total_weight = self._memory.strip_of(self._pools, lanes), chunks.total_weight(lanes)

    def _judge(self, row: Row, found: dict[Chunk, dict[str, int]], unread: set[Chunk]) -> Drawn | None:
        """Return the first hit of the row.

        A chunk that could not be read is asked for again only when its dart is reached: to fail because of any other
        would draw the images of busy chunks too rarely.
        """
        for chunk in {landing.chunk for landing in row.landings}.difference(unread):
            self._memory.keep_chunk(chunk, found.get(chunk, {}))
        for chunk, offset in row.landings:
            metrics.count("Darts")
            if chunk in unread:
                found |= self._reader.chunks([chunk])
                unread.discard(chunk)
            weights = found.get(chunk, {})
            name = darts.image_at(weights, offset)
            if name and weights[name] > self._total_weight:  # the two reads disagree: no probability is above 1
                return self._at_one_moment(chunk[0], name)
            if name:
                return Drawn(chunk[0].label, name, weights[name], self._total_weight)
        return None

    def _at_one_moment(self, pool: Pool, name: str) -> Drawn | None:
        """Return what was drawn, with its weight and the total as they are at one moment; None if it was deleted.

        To throw another dart in place of this one would draw heavy images too rarely.
        """
        lanes = [self._reader.chunk_key(each, number) for each in self._pools for number in range(chunks.LANES)]
        keys = [self._reader.row_key(pool, name), *lanes]
        row, *found = retried(lambda _: self._reader.snapshot(keys))
        if row is None:
            return None
        weight = items.entry(row).weight
        total_weight = sum(items.lane(lane).total_weight for lane in found if lane)
        return Drawn(pool.label, name, weight, max(weight, total_weight))

    def _found(self, drawn: Drawn, row: Row, ahead: Callable[[], T | None]) -> T | None:
        """Return what was fetched of the image ahead, if it was this one; else fetch it now."""
        if (drawn.label, drawn.name) == row.expected:
            with suppress(Exception):  # it counts for nothing if it failed, or if the image was not there yet
                if (found := ahead()) is not None:
                    return found
        return self._fetch(drawn.label, drawn.name)
