"""Damage: items that disagree, so that no attempt to change or delete an image can ever succeed.

Writes keep all items in agreement.  A restore of the two tables to different moments does not.  What looks like a
disagreement may also be another writer between two reads, so everything here is read as it is at one moment.
"""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from shared.errors import Unavailable
from shared.images import Pool
from shared.labels import chunks, items
from shared.labels.items import Entry
from shared.labels.reading import Reader
from shared.labels.retries import LostRace


class Damaged(Unavailable):
    """Stored items of a label that disagree.  Only a repair can let the same request succeed."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR

    def __init__(self, label: str) -> None:
        super().__init__(
            f"The stored data of the label {label} disagree, so this image cannot be changed. "
            f"Report this to the operator, who can repair it with make reconcile REBUILD={label}."
        )
        self.headers.clear()


def check(reader: Reader, label: str, name: str, tags: Sequence[str] = ()) -> None:
    """Raise Damaged if items of this image disagree, or if there is none but one of these tags has a row of it."""
    try:
        damaged = _is_damaged(reader, label, name, tags)
    except LostRace:  # another client writes there just now
        return
    if damaged:
        raise Damaged(label)


def _is_damaged(reader: Reader, label: str, name: str, tags: Sequence[str]) -> bool:
    row, *strays = reader.snapshot([reader.row_key(Pool(label, tag), name) for tag in ("", *tags)])
    if row is None:
        return any(strays)
    pools = items.image(row).pools
    rows = reader.snapshot([reader.row_key(pool, name) for pool in pools])
    return any(_is_misplaced(reader, items.entry(each)) for each in rows if each)


def _is_misplaced(reader: Reader, entry: Entry) -> bool:
    """Return whether the entry's chunk, lane or possible filler disagree with it."""
    pool, number, weight_class = entry.pool, entry.chunk_number, chunks.class_of(entry.weight)
    keys = [reader.row_key(pool, entry.name), reader.chunk_key(pool, chunks.lane_of(number))]
    row, lane_item, chunk = reader.snapshot([*keys, reader.chunk_key(pool, number)])
    if row is None or items.entry(row) != entry:  # it was changed meanwhile
        return False
    lane = items.lane(lane_item) if lane_item else chunks.Lane(0)
    if not lane.volume(weight_class) or _weights(chunk).get(entry.name) != entry.weight:
        return True
    active = chunks.active_chunk(lane, weight_class)
    if active < number or chunks.class_of_chunk(number) != weight_class:
        return True
    held = lane.volume(weight_class) - chunks.first_place(chunks.index_of(active))
    if active == number:
        return len(_weights(chunk)) != held
    lane_again, last = reader.snapshot([reader.chunk_key(pool, lane.number), reader.chunk_key(pool, active)])
    return lane_again == lane_item and (len(_weights(last)) != held or _is_filler_wrong(reader, pool, active, last))


def _is_filler_wrong(reader: Reader, pool: Pool, active: int, last: Any) -> bool:
    """Return whether the row of the image that would fill a hole does not agree with the active chunk."""
    filler = min(_weights(last))
    again, row = reader.snapshot([reader.chunk_key(pool, active), reader.row_key(pool, filler)])
    if again != last:
        return False
    stands = items.entry(row) if row else None
    return not stands or (stands.chunk_number, stands.weight) != (active, _weights(last)[filler])


def _weights(chunk: items.Item | None) -> dict[str, int]:
    return items.weights(chunk) if chunk else {}
