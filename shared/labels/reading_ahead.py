"""What a write needs of an image with several pools, read ahead: one call for rows, one for lanes, one for fillers.

| pattern                  | request                                        | units               |
|--------------------------|------------------------------------------------|---------------------|
| rows under tags          | BatchGetItem image-chunks                      | 1 read each         |
| lanes or active chunks   | BatchGetItem chunk-info                        | 1 read each         |
| lanes of a pool          | Query chunk-info, chunkNumber < 10^11          | 1 read              |

All reads are consistent.  What was not read ahead, `Reader` reads where it is needed.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from shared.images import Image, Pool
from shared.labels import batch_get, chunks, items
from shared.labels.chunks import Lane
from shared.labels.items import Entry
from shared.labels.reading import Reader
from shared.labels.retries import LostRace
from shared.parallel import beside
from shared.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

T = TypeVar("T")

Spot = tuple[str, str | int]  # partition and sort key: the name of an image, or the number of a chunk or lane


class AheadReader(Reader):
    """The items of all labels, of which some are read before an attempt needs them."""

    def __init__(self, client: "DynamoDBClient", settings: Settings) -> None:
        super().__init__(client, settings)
        self._ahead: dict[Spot, items.Item | None] = {}
        self._begun: dict[Pool, dict[int, Lane]] = {}

    @contextmanager
    def before_adding(self, pools: Sequence[Pool]) -> Iterator[None]:
        """Read the lanes of these pools while the block runs, for the first attempt to add an image to them."""

        def read(pool: Pool) -> None:
            self._begun[pool] = self.lanes(pool)  # if that fails, they are read when they are needed

        with ExitStack() as stack:
            for pool in pools:
                stack.enter_context(beside(partial(read, pool)))
            yield

    def _afresh(self, attempt: Callable[[bool], T], again: bool) -> T:
        """Make an attempt that uses nothing of an earlier one."""
        self._ahead = {}
        try:
            return attempt(again)
        finally:
            self._ahead = {}

    def _lanes_to_add(self, pool: Pool, *, consistent: bool) -> dict[int, Lane]:
        """Return the pool's lanes, for the first attempt those that were read before."""
        begun = self._begun.pop(pool, None)
        return self.lanes(pool, consistent=consistent) if begun is None else begun

    def _read_ahead(self, image: Image, new: Image | None, item: items.Item, *, again: bool = True) -> None:
        """Read what the writes need that let the image, of this row, become `new`, or that remove it.

        Only if it is tried again, the image may have a row already in a pool that it comes into.
        """
        coming = [pool for pool in (new.pools if new else ()) if pool not in image.pools]
        if not (pools := [*image.pools[1:], *coming]):
            return
        self._read_rows(pools if again else image.pools[1:], image.name)
        entries = [items.entry(item)]
        entries += [items.entry(row) for pool in pools if (row := self._ahead.get((pool.key, image.name)))]
        weights = dict.fromkeys(new.pools, new.weight) if new else {}
        changed = [entry for entry in entries if weights.get(entry.pool) != entry.weight]
        with ExitStack() as stack:
            for pool in {*coming}.difference(entry.pool for entry in entries):
                stack.enter_context(beside(partial(self._read_lanes, pool)))
            self._read_chunks([(entry.pool, chunks.lane_of(entry.chunk_number)) for entry in changed])
        self._read_chunks([place for entry in changed for place in self._place_of_filler(entry, weights)])

    def _place_of_filler(self, entry: Entry, weights: dict[Pool, int]) -> Sequence[tuple[Pool, int]]:
        """Return the active chunk that an entry leaves a hole for; none, if it stays in its class."""
        weight_class = chunks.class_of(entry.weight)
        if chunks.class_of(weights.get(entry.pool, 0)) == weight_class:
            return []
        active = chunks.active_chunk(self._lane(entry), weight_class)
        return [(entry.pool, active)] if active != entry.chunk_number else []

    def _lanes(self, pool: Pool) -> dict[int, Lane]:
        """Return the pool's lanes, read consistently."""
        spots = [(pool.key, number) for number in range(chunks.LANES)]
        if not self._ahead.keys() >= {*spots}:
            return self.lanes(pool, consistent=True)
        return {lane.number: lane for lane in map(items.lane, filter(None, map(self._ahead.get, spots)))}

    def _read_rows(self, pools: Sequence[Pool], name: str) -> None:
        keys = {(pool.key, name): items.image_key(pool.key, name) for pool in pools}
        read = batch_get.read(self._client, self._images_table, list(keys.values()), consistent=True)
        self._keep(keys, (((item["label"]["S"], item["s3key"]["S"]), item) for item in read))

    def _read_chunks(self, places: Collection[tuple[Pool, int]]) -> None:
        keys = {(pool.key, number): items.chunk_key(pool, number) for pool, number in places}
        unread = {spot: key for spot, key in keys.items() if spot not in self._ahead}
        read = batch_get.read(self._client, self._chunks_table, list(unread.values()), consistent=True)
        self._keep(unread, ((_spot(item), item) for item in read))

    def _read_lanes(self, pool: Pool) -> None:
        read = self._lane_items(pool, consistent=True)
        self._keep([(pool.key, number) for number in range(chunks.LANES)], ((_spot(item), item) for item in read))

    def _keep(self, asked: Iterable[Spot], read: Iterable[tuple[Spot, items.Item]]) -> None:
        """Keep what was read; what was asked for and not found, is not there."""
        self._ahead.update({**dict.fromkeys(asked), **dict(read)})

    def _image_item(self, key: str, name: str, *, consistent: bool) -> items.Item | None:
        if (key, name) in self._ahead:
            return self._ahead[key, name]
        return super()._image_item(key, name, consistent=consistent)

    def _chunk_item(self, pool: Pool, chunk_number: int) -> items.Item:
        if (pool.key, chunk_number) not in self._ahead:
            return super()._chunk_item(pool, chunk_number)
        item = self._ahead[pool.key, chunk_number]
        if item is None:
            raise LostRace
        return item


def _spot(item: items.Item) -> Spot:
    return item["label"]["S"], int(item["chunkNumber"]["N"])
