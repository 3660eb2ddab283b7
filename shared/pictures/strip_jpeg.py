"""Strip a JPEG to the picture (ITU-T T.81; JFIF 1.02; ICC.1 annex B.4; Exif 2.32; Adobe technical note 5116)."""

import re
from collections.abc import Callable, Iterator

from shared.pictures.strip_parts import Broken, Cleaned, orientation_only

_SOI, _EOI = b"\xff\xd8", b"\xff\xd9"
_SOS, _END = 0xDA, 0xD9
_APP0, _APP1, _APP2, _APP14 = 0xE0, 0xE1, 0xE2, 0xEE
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # SOF0 to SOF15
_DECODING = _FRAMES | {0xC4, 0xCC, 0xDA, 0xDB, 0xDD}  # + DHT, DAC, SOS, DQT, DRI
_REMOVABLE = frozenset(range(0xE0, 0xF0)) | {0xDC, 0xFE}  # APP0 to APP15, DNL (decoders skip it, however long), COM
_ONCE = frozenset({_APP0, _APP1})

# A decoder goes over the whole picture for each scan of a progressive file, so a small file with thousands of scans
# takes minutes.  Encoders write about 10.
MAX_SCANS = 100  # scans
BOUNDED_SCANS = 20  # scans: of 67 million pixels, so many take a decoder a second

# In entropy-coded data FF 00 is a stuffed FF, FF D0 to FF D7 a restart marker and FF FF a fill byte.
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def clean(data: bytes) -> Cleaned:
    """Strip a JPEG; see strip.clean."""
    if not data.startswith(_SOI):
        raise Broken("it does not begin with a start marker")
    kept: list[bytes] = [_SOI]
    seen: list[int] = []
    frame = b""
    for marker, payload, scan in _segments(data):
        content = _reduced(marker, payload)
        if content is None or (marker in _ONCE and marker in seen):
            continue
        if marker in _FRAMES:
            frame = _only_frame(frame, content)
        seen.append(marker)
        kept += (bytes((0xFF, marker)), (len(content) + 2).to_bytes(2), content, scan)
    if not frame or not 1 <= seen.count(_SOS) <= MAX_SCANS:
        raise Broken(f"it must have a frame and 1 to {MAX_SCANS} scans")
    content = b"".join((*kept, _EOI))
    return Cleaned(
        content,
        width=int.from_bytes(frame[3:5]),
        height=int.from_bytes(frame[1:3]),
        is_bounded=seen.count(_SOS) <= BOUNDED_SCANS,
    )


def _segments(data: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield marker, payload and, for a scan, its entropy-coded data, up to the end of the picture."""
    position = len(_SOI)
    while True:
        marker, position = _marker(data, position)
        if marker == _END:
            return
        end = position + int.from_bytes(data[position : position + 2])
        if not position + 2 <= end <= len(data):
            raise Broken("a segment is longer than the file")
        payload, position = data[position + 2 : end], end
        if marker == _SOS:
            position = _end_of_scan(data, end)
        yield marker, payload, data[end:position]


def _marker(data: bytes, position: int) -> tuple[int, int]:
    """Return the marker at this position, after any fill bytes, and the position after it."""
    if data[position : position + 1] != b"\xff":
        raise Broken("a segment or the end marker is missing")
    while data[position : position + 1] == b"\xff":
        position += 1
    if position == len(data):
        raise Broken("the end marker is missing")
    return data[position], position + 1


def _end_of_scan(data: bytes, position: int) -> int:
    match = _NEXT_MARKER.search(data, position)
    if match is None:
        raise Broken("the end marker is missing")
    return match.start()


def _reduced(marker: int, payload: bytes) -> bytes | None:
    """Return the bytes to keep of a segment, or None to drop it."""
    if marker in _DECODING:
        return payload
    if marker not in _REMOVABLE:
        raise Broken(f"the marker FF{marker:02X} does not belong into a picture")
    return _APPLICATIONS.get(marker, _nothing)(payload)


def _only_frame(frame: bytes, content: bytes) -> bytes:
    if frame or len(content) < 6:
        raise Broken("its frame header is short or repeated")
    return content


def _nothing(payload: bytes) -> None:
    return None


def _jfif(payload: bytes) -> bytes | None:
    """Return the density without the thumbnail that follows it."""
    is_jfif = payload.startswith(b"JFIF\0") and len(payload) >= 14
    return payload[:12] + bytes(2) if is_jfif else None


def _exif(payload: bytes) -> bytes | None:
    tiff = orientation_only(payload[6:]) if payload.startswith(b"Exif\0\0") else None
    return b"Exif\0\0" + tiff if tiff else None


def _icc(payload: bytes) -> bytes | None:
    is_icc = payload.startswith(b"ICC_PROFILE\0") and len(payload) >= 14
    return payload if is_icc else None


def _adobe(payload: bytes) -> bytes | None:
    """Return the colour transform, without which decoders misread CMYK and RGB pictures."""
    is_adobe = payload.startswith(b"Adobe") and len(payload) >= 12
    return payload[:12] if is_adobe else None


_APPLICATIONS: dict[int, Callable[[bytes], bytes | None]] = {
    _APP0: _jfif,
    _APP1: _exif,
    _APP2: _icc,
    _APP14: _adobe,
}
