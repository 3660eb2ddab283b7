"""What is left of pools when a request leaves some images out."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial

import darts
from bulk_reads import Rows
from darts import Strip
from pools import Pools, lanes_of, named, no_images_of
from shared.errors import NotFound, UnprocessableValue
from shared.images import Pool
from shared.labels import chunks, items
from shared.labels.chunks import Lane
from shared.labels.items import Chunk, Entry
from shared.labels.reading import Reader
from shared.parallel import beside

# The chunks of the images that are left out are read before the first darts only if these weigh more than this part of
# all.  To read 20 chunks costs 10 read units, and one dart in eight that misses costs less.
CUT_SHARE = 8


@dataclass(frozen=True, slots=True)
class Remaining:
    """The strip of all images, and the count and the total weight of those that are not left out.

    `to_cut` are the chunks of the others, if these weigh so much that many darts would hit them.
    """

    strip: Strip
    count: int
    total_weight: int
    to_cut: Sequence[Chunk]


def read(reader: Reader, rows: Rows, pools: Pools, excluded: Collection[str], needed: int, *, again: bool) -> Remaining:
    """Return what remains without the images of these ids, at least `needed` images.

    Lanes and rows are read at different moments, and the first time they may be out of date.  So before images are said
    to be missing, all is read at one moment.  Raise NotFound if there is none, UnprocessableValue if there are too few.
    """
    remaining = _side_by_side(reader, rows, pools, excluded, consistent=again)
    if remaining.count < needed:
        remaining = at_one_moment(reader, pools, excluded)
    if not remaining.strip.length:
        raise no_images_of(pools)
    if remaining.count < 1:
        raise NotFound(f"exclude names all images of {named(pools)}; leave an id out of it.", field="exclude")
    if remaining.count < needed:
        which = f"{named(pools)} that exclude leaves" if excluded else named(pools)
        detail = f"count must be at most {remaining.count}, the number of images of {which}, with distinct=true."
        raise UnprocessableValue(detail, field="count")
    return remaining


def at_one_moment(reader: Reader, pools: Pools, excluded: Collection[str]) -> Remaining:
    """Read lanes and rows as they are at one moment: 2 read units each.  Raise LostRace if a writer is there."""
    lanes = [reader.chunk_key(pool, number) for pool in pools for number in range(chunks.LANES)]
    rows = [reader.row_key(pool, name) for pool, name in places(pools, excluded)]
    found = reader.snapshot([*lanes, *rows])
    read_lanes, read_rows = filter(None, found[: len(lanes)]), filter(None, found[len(lanes) :])
    return _without({items.chunk(item): items.lane(item) for item in read_lanes}, map(items.entry, read_rows))


def _side_by_side(
    reader: Reader, rows: Rows, pools: Pools, excluded: Collection[str], *, consistent: bool
) -> Remaining:
    """Read the lanes, and the rows beside them: 0.5 read units each, or 1 if they are read consistently."""
    entries = partial(rows.entries, places(pools, excluded), consistent=consistent)
    with beside(entries) if excluded else nullcontext(list) as gone:
        lanes = lanes_of(reader, pools, consistent=consistent)
        return _without(lanes, gone())


def places(pools: Pools, ids: Collection[str]) -> list[tuple[Pool, str]]:
    """Return the pool and name of each image, in each pool of its label."""
    named = [image_id.split("/") for image_id in sorted(set(ids))]
    return [(pool, name) for pool in pools for label, name in named if label == pool.label]


def _without(lanes: Mapping[Chunk, Lane], entries: Iterable[Entry]) -> Remaining:
    """Return what remains of these lanes without the images of these entries."""
    gone, total_weight = list(entries), chunks.total_weight(lanes)
    weight = sum(entry.weight for entry in gone)
    return Remaining(
        darts.strip_of(lanes),
        chunks.image_count(lanes) - len(gone),
        total_weight - weight,
        [(entry.pool, entry.chunk_number) for entry in gone] if weight * CUT_SHARE > total_weight else [],
    )
