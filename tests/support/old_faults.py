"""The faults of files that version 0.1 answered wrongly: only a file with one of them may have another name today.

The readers here know nothing of the shipped ones.  They read leniently, and stop where a file makes no sense.
"""

import re
import zlib
from collections.abc import Iterator
from itertools import pairwise

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
PIXELS_0_1 = 50_000_000  # that 0.1 took
PROFILE_0_1 = 1_000_000  # bytes of an ICC profile that Pillow decompresses in a PNG, about; 0.1 refused larger ones
PROFILE_MAX = 4_000_000  # bytes of a profile that is kept, about
TAGS_OF_STAGES = {b"D2B0", b"D2B1", b"D2B2", b"D2B3", b"B2D0", b"B2D1", b"B2D2", b"B2D3"}

# The ancillary chunks that 0.1 kept: which they must precede, and their length where it is fixed (PNG, third edition).
BEFORE_PLTE = {b"gAMA": 4, b"cHRM": 32, b"sRGB": 1, b"iCCP": None, b"sBIT": None, b"cICP": 4}
BEFORE_IDAT = {b"bKGD": None, b"pHYs": 9, b"tRNS": None, b"eXIf": None, b"acTL": 8}
BEFORE_IDAT |= {b"mDCV": 24, b"mDCv": 24, b"cLLI": 8, b"cLLi": 8}
FRAMES = {b"fcTL", b"fdAT"}
SBIT = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}  # bytes by colour type
BKGD = {0: 2, 2: 6, 3: 1, 4: 2, 6: 6}


def faults_of(data: bytes) -> set[str]:
    """Return which of the faults these bytes have."""
    if data.startswith(PNG_SIGNATURE):
        return set(_faults_of_png(data))
    return set(_faults_of_jpeg(data)) if data.startswith(b"\xff\xd8") else set(_faults_of_webp(data))


# -- PNG --------------------------------------------------------------------------------------------------------------


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes, bool]]:
    """Yield kind, payload and whether the checksum is right."""
    at = len(PNG_SIGNATURE)
    while at + 12 <= len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4])
        kind, payload = data[at + 4 : at + 8], data[at + 8 : end - 4]
        yield kind, payload, zlib.crc32(kind + payload) == int.from_bytes(data[end - 4 : end])
        if kind == b"IEND":
            return
        at = end


def _faults_of_png(data: bytes) -> Iterator[str]:
    seen: set[bytes] = set()
    colour = data[25]
    lengths = BEFORE_PLTE | BEFORE_IDAT | {b"sBIT": SBIT.get(colour), b"bKGD": BKGD.get(colour)}
    if int.from_bytes(data[16:20]) * int.from_bytes(data[20:24]) > PIXELS_0_1:
        yield "pixels"
    for kind, payload, whole in _chunks(data):
        if not whole and kind[:1].islower():
            yield "checksum"
        if kind in lengths:
            late = b"IDAT" in seen or (kind in BEFORE_PLTE and b"PLTE" in seen)
            early = kind in (b"tRNS", b"bKGD") and colour == 3 and b"PLTE" not in seen
            if kind in seen or late or early or lengths[kind] not in (None, len(payload)):
                yield "ancillary chunk"
        if kind == b"iCCP":
            if not _unpacked(payload):
                yield "ancillary chunk"
            yield from _faults_of_profile(_unpacked(payload), at_most=PROFILE_0_1)
        if kind == b"IDAT" and colour == 3 and b"PLTE" not in seen:
            yield "no palette"
        if (kind == b"IDAT" and not payload) or (kind == b"fdAT" and len(payload) == 4):
            yield "needless part"
        seen.add(kind)
    yield from _faults_of_animation(data)


def _faults_of_animation(data: bytes) -> Iterator[str]:
    """Find an animation that is no whole one: it lacks frames or pixels, or its numbers are not 0, 1, 2 ..."""
    chunks = [(kind, payload) for kind, payload, _ in _chunks(data)]
    announced = [int.from_bytes(payload[:4]) for kind, payload in chunks if kind == b"acTL"]
    numbers = [int.from_bytes(payload[:4]) for kind, payload in chunks if kind in FRAMES]
    count = sum(kind == b"fcTL" for kind, _ in chunks)
    kinds = [kind for kind, _ in chunks if kind in FRAMES | {b"IDAT", b"IEND"}]
    has_empty = any(kind == b"fcTL" and after in (b"fcTL", b"IEND") for kind, after in pairwise(kinds))
    if announced and (has_empty or announced != [count] or not count or numbers != [*range(len(numbers))]):
        yield "ancillary chunk"


def _unpacked(payload: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(payload[payload.find(b"\0") + 2 :])
    except zlib.error:
        return b""


# -- ICC profiles, in all formats --------------------------------------------------------------------------------------


def _faults_of_profile(profile: bytes, *, at_most: int = PROFILE_MAX) -> Iterator[str]:
    if len(profile) > at_most:
        yield "large profile"
    tags = {profile[at : at + 4] for at in range(132, 132 + 12 * int.from_bytes(profile[128:132]), 12)}
    if tags & TAGS_OF_STAGES:
        yield "stages in the profile"


# -- JPEG -------------------------------------------------------------------------------------------------------------


def _segments(data: bytes) -> Iterator[tuple[int, bytes, bool]]:
    """Yield marker, payload and whether other bytes stand before the marker."""
    at = 2
    while match := re.compile(rb"\xff+[^\0\xff]").search(data, at):
        marker = data[match.end() - 1]
        end = match.end() + int.from_bytes(data[match.end() : match.end() + 2])
        yield marker, data[match.end() + 2 : end], match.start() > at
        if marker == 0xD9:
            return
        at = end
        if marker == 0xDA:
            scan = re.compile(rb"\xff+[^\0\xd0-\xd7\xff]").search(data, end)
            at = scan.start() if scan else len(data)


def _faults_of_jpeg(data: bytes) -> Iterator[str]:
    markers: list[int] = []
    exif, profile = 0, b""
    for marker, payload, stray in _segments(data):
        markers.append(marker)
        if stray:
            yield "bytes between segments"
        if marker in (0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF):
            yield "kind of JPEG"
        if 0xC0 <= marker <= 0xC2 and int.from_bytes(payload[1:3]) * int.from_bytes(payload[3:5]) > PIXELS_0_1:
            yield "pixels"
        if marker == 0xE1 and payload[:5] == b"Exif\0":
            exif += 1
            if exif > 1 or payload[5:6] != b"\0":
                yield "EXIF"
        if marker == 0xE2 and payload.startswith(b"ICC_PROFILE\0"):
            profile += payload[14:]
    yield from _faults_of_profile(profile)
    yield from _needless_tables(data)
    if 0xD9 not in markers and data.endswith(b"SEFT"):
        yield "no end"


def _needless_tables(data: bytes) -> Iterator[str]:
    """Find segments of tables that are empty, equal to those in force, or replaced before a scan uses them."""
    in_force: dict[tuple[int, int], bytes] = {}
    unused: set[tuple[int, int]] = set()
    for marker, payload, _ in _segments(data):
        if marker == 0xDA:
            unused.clear()
        if marker in (0xC4, 0xDB, 0xDD):
            tables = dict(_tables(marker, payload))
            if not tables or any(in_force.get(key) == table or key in unused for key, table in tables.items()):
                yield "needless part"
            in_force |= tables
            unused |= tables.keys()


def _tables(marker: int, payload: bytes) -> Iterator[tuple[tuple[int, int], bytes]]:
    """Yield the tables of a segment with their class and number."""
    if marker == 0xDD:
        yield (marker, 0), payload
        return
    at = 0
    while at < len(payload):
        head = payload[at]
        size = 1 + 64 * (1 + (head >> 4)) if marker == 0xDB else 17 + sum(payload[at + 1 : at + 17])
        yield (marker, head if marker == 0xC4 else head & 15), payload[at : at + size]
        at += size


# -- WebP -------------------------------------------------------------------------------------------------------------


def _faults_of_webp(data: bytes) -> Iterator[str]:
    at, pixels, frames = 12, 0, 0
    while at + 8 <= len(data):
        kind, end = data[at : at + 4], at + 8 + int.from_bytes(data[at + 4 : at + 8], "little")
        payload = data[at + 8 : end]
        if kind == b"VP8X":
            pixels = (1 + int.from_bytes(payload[4:7], "little")) * (1 + int.from_bytes(payload[7:10], "little"))
        if kind == b"ICCP":
            yield from _faults_of_profile(payload)
        frames += kind == b"ANMF"
        at = end + end % 2
    if pixels * max(frames, 1) > PIXELS_0_1:
        yield "pixels"
