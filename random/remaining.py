"""What is left of pools when a request leaves some images out."""

from collections.abc import Collection, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial

import darts
from bulk_reads import Rows
from darts import Strip
from pools import Pools, lanes_of, named, no_images_of
from shared.errors import NotFound, UnprocessableValue
from shared.labels import chunks
from shared.labels.items import Chunk
from shared.labels.reading import Reader
from shared.parallel import beside


@dataclass(frozen=True, slots=True)
class Remaining:
    """The strip of all images, and the count and the total weight of those that are not left out.

    `left_out` are the chunks of the others.
    """

    strip: Strip
    count: int
    total_weight: int
    left_out: Sequence[Chunk]


def read(
    reader: Reader, rows: Rows, pools: Pools, excluded: Collection[str], needed: int, *, consistent: bool
) -> Remaining:
    """Return what remains without the images of these ids, at least `needed` images.

    If they seem to be fewer, read again consistently.  Raise NotFound if there is none, UnprocessableValue if there are
    too few.
    """
    remaining = _read(reader, rows, pools, excluded, consistent=consistent)
    if remaining.count < needed and not consistent:
        remaining = _read(reader, rows, pools, excluded, consistent=True)
    if not remaining.strip.length:
        raise no_images_of(pools)
    if remaining.count < 1:
        raise NotFound(f"exclude names all images of {named(pools)}; leave an id out of it.", field="exclude")
    if remaining.count < needed:
        which = f"{named(pools)} that exclude leaves" if excluded else named(pools)
        detail = f"count must be at most {remaining.count}, the number of images of {which}, with distinct=true."
        raise UnprocessableValue(detail, field="count")
    return remaining


def _read(reader: Reader, rows: Rows, pools: Pools, excluded: Collection[str], *, consistent: bool) -> Remaining:
    """Read the lanes, and beside them the rows of the images that are left out: 0.5 read units each."""
    entries = partial(rows.entries, pools, excluded, consistent=consistent)
    with beside(entries) if excluded else nullcontext(list) as left_out:
        lanes = lanes_of(reader, pools, consistent=consistent)
        gone = left_out()
    return Remaining(
        darts.strip_of(lanes),
        chunks.image_count(lanes) - len(gone),
        chunks.total_weight(lanes) - sum(entry.weight for entry in gone),
        [(entry.pool, entry.chunk_number) for entry in gone],
    )
