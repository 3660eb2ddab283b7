"""The change of a lane's count of one class that goes with a write, and the counts that allow it: pure."""

from typing import NamedTuple

from shared.labels import chunks, items
from shared.labels.chunks import Lane


class CountChange(NamedTuple):
    """A change of a lane's count of one class by 1 or -1, and the lowest and highest count that allow it.

    `opens` is whether the image is the first of its chunk.
    """

    change: int
    attribute: str
    lowest: int
    highest: int
    opens: bool = False


def one_more(lane: Lane, weight_class: int) -> CountChange:
    """Count one image more, as long as the same chunk stays open.

    The range lets other uploads come in between without a new read.
    """
    volume = lane.volume(weight_class)
    index = chunks.chunk_of(volume)
    starts = chunks.starts_new_chunk(lane, weight_class)
    lowest, highest = (volume, volume) if starts else (chunks.first_place(index) + 1, chunks.first_place(index + 1) - 1)
    return CountChange(1, f"{items.VOLUME}{weight_class}", lowest, highest, opens=starts)


def one_less(lane: Lane, weight_class: int) -> CountChange:
    """Count one image less, as long as the same chunk stays active and is not emptied unless it was to be."""
    volume = lane.volume(weight_class)
    index = chunks.chunk_of(volume - 1)
    empties = chunks.empties_chunk(lane, weight_class)
    lowest, highest = (volume, volume) if empties else (chunks.first_place(index) + 2, chunks.first_place(index + 1))
    return CountChange(-1, f"{items.VOLUME}{weight_class}", lowest, highest)
