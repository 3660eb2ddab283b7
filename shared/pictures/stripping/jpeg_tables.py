"""The tables in a JPEG that no scan uses (ITU-T T.81, B.2.4): Huffman codes, quantization and restart interval.

A decoder reads every table, and keeps the last of each slot for the next scan.  So a file of only tables takes it
seconds, and a program that holds them gigabytes.
"""

from collections.abc import Iterator, Sequence

from shared.pictures.stripping.jpeg_segments import DHT, DQT, DRI, SOS, Segment

Slot = tuple[int, int]  # marker and number of the slot; Huffman codes for AC have the numbers 16 to 19

_SLOTS = {DHT: frozenset({0, 1, 2, 3, 16, 17, 18, 19}), DQT: frozenset(range(4)), DRI: frozenset({0})}
_COUNTS = 16  # bytes: how many codes have 1 bit, 2 bits and so on


def without_idle_tables(segments: Sequence[Segment]) -> list[Segment]:
    """Drop the segments with only tables that are replaced before the next scan, and those with no table.

    A segment with a table that the next scan may use stays byte for byte.  So do tables before a later scan that equal
    the ones in force: encoders write them, for they count the codes of each scan of a progressive file anew.
    One that a decoder cannot read stays, too, for it to refuse the file.
    """
    kept: list[Segment] = []
    later: set[Slot] = set()  # the tables that come after this segment and before the next scan
    for segment in reversed(segments):
        if segment.marker == SOS:
            later.clear()
        elif segment.marker in _SLOTS:
            slots = _slots(segment)
            if slots is not None and later.issuperset(slots):
                continue
            later.update(slots or ())
        kept.append(segment)
    return kept[::-1]


def _slots(segment: Segment) -> list[Slot] | None:
    """Return the slots of the segment's tables, or None if a decoder would refuse it."""
    marker, payload = segment.marker, segment.payload
    if not payload:
        return []
    if marker == DRI:
        return [(DRI, 0)] if len(payload) == 2 else None
    tables = list(_huffman(payload) if marker == DHT else _quantization(payload))
    numbers = [number for number, _ in tables]
    is_whole = tables[-1][1] == len(payload) and _SLOTS[marker].issuperset(numbers)
    return [(marker, number) for number in numbers] if is_whole else None


def _huffman(payload: bytes) -> Iterator[tuple[int, int]]:
    """Yield the number of each slot, and where its table ends."""
    end = 0
    while end < len(payload):
        start = end + 1
        number, end = payload[end], start + _COUNTS + sum(payload[start : start + _COUNTS])
        yield number, end


def _quantization(payload: bytes) -> Iterator[tuple[int, int]]:
    """Yield the number of each slot, and where its table ends: 64 values of 1 byte, or of 2."""
    end = 0
    while end < len(payload):
        number, end = payload[end] & 15, end + 1 + (128 if payload[end] >> 4 else 64)
        yield number, end
