"""The segments of a JPEG, read as libjpeg reads them (ITU-T T.81, annex B; jdmarker.c of libjpeg-turbo)."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from shared.pictures.stripping.jpeg_kinds import FRAMES, UNSHOWN_MARKERS, Unshown
from shared.pictures.stripping.samsung_trailer import start_of_trailer
from shared.pictures.stripping.strip_parts import Broken, TooMany

SOI, EOI = b"\xff\xd8", b"\xff\xd9"
DHT, SOS, DQT, DRI = 0xC4, 0xDA, 0xDB, 0xDD
APP0, APP1, APP2, APP14 = 0xE0, 0xE1, 0xE2, 0xEE
DECODING = FRAMES | {DHT, SOS, DQT, DRI}
_END = 0xD9
# APP0 to APP15, DAC (of arithmetic coding), DNL and COM: decoders of the kinds that are taken skip them, or may do so.
_SKIPPED = frozenset(range(0xE0, 0xF0)) | {0xCC, 0xDC, 0xFE}

# Cameras write about ten segments, and some hundreds if they add a megabyte of XMP.
MAX_SEGMENTS = 20_000  # segments, with those that are dropped

# In the data of a scan, FF 00 is a stuffed FF, FF D0 to FF D7 a restart marker and FF FF a fill byte; FF 01 (TEM) is
# skipped there, or ends the scan if the file has no restart markers.  Between segments, decoders skip all of these, and
# all other bytes up to a marker.
_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]")


class Segment(NamedTuple):
    """A marker (its second byte), the bytes after its length and, for a scan, a view of the coded data that follow."""

    marker: int
    payload: bytes
    scan: bytes | memoryview = b""

    @property
    def parts(self) -> tuple[bytes | memoryview, ...]:
        """The bytes of the file."""
        return bytes((0xFF, self.marker)), (len(self.payload) + 2).to_bytes(2), self.payload, self.scan


def read_segments(data: bytes) -> Iterator[Segment]:
    """Yield the segments between the start marker and the end of the picture, which must be there.

    A file of a Samsung phone without end marker ends where its trailer begins.  Bytes between segments are skipped,
    and so is a length below 2 where decoders skip the segment.  Raise Broken, Unshown, or TooMany.
    """
    trailer = start_of_trailer(data)
    end = len(data) if trailer is None else trailer
    position, has_scan, view = len(SOI), False, memoryview(data)
    for _ in range(MAX_SEGMENTS):
        found = _MARKER.search(data, position, end)
        if found is None and has_scan and trailer is not None:
            return
        if found is None:
            raise Broken("the end marker is missing")
        marker, position = found[0][1], found.end()
        if marker == _END:
            return
        _check_marker(marker, is_first=not has_scan)
        start, position = position + 2, _end_of_segment(data, position, end, marker)
        payload = data[start:position]
        if marker != SOS:
            yield Segment(marker, payload)
            continue
        has_scan, start = True, position
        found = _MARKER.search(data, start, end)
        position = found.start() if found else end
        yield Segment(marker, payload, view[start:position])
    raise TooMany(f"{MAX_SEGMENTS:,} segments")


def _check_marker(marker: int, *, is_first: bool) -> None:
    """Refuse what ends the work of a decoder. Behind a scan, it is no kind of picture, but a broken file."""
    if is_first and marker in UNSHOWN_MARKERS:
        raise Unshown(UNSHOWN_MARKERS[marker])
    if marker not in DECODING and marker not in _SKIPPED:
        raise Broken(f"the marker FF{marker:02X} does not belong there")


def _end_of_segment(data: bytes, position: int, end: int, marker: int) -> int:
    """Return where the segment ends whose length is at this position."""
    length = int.from_bytes(data[position : position + 2])
    if length < 2 and marker in DECODING:
        raise Broken("a segment has no length")
    if position + max(length, 2) > end:
        raise Broken("a segment is longer than the file")
    return position + max(length, 2)
