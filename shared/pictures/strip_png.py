"""Strip a PNG to the chunks of the picture (PNG third edition, W3C 2025)."""

import zlib
from collections.abc import Iterator

from shared.pictures.strip_parts import Broken, Cleaned, orientation_only

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_ANY = 2**31 - 1  # bytes: the longest a chunk can be

# The chunks that a decoder needs, with the longest payload in bytes that the standard allows.
_KEPT = {
    b"IHDR": 13,
    b"IDAT": _ANY,
    b"IEND": 0,
    b"gAMA": 4,
    b"cHRM": 32,
    b"sRGB": 1,
    b"iCCP": _ANY,
    b"sBIT": 4,
    b"bKGD": 6,
    b"pHYs": 9,
    b"cICP": 4,
    b"mDCV": 24,
    b"mDCv": 24,  # the spelling in drafts of the standard
    b"cLLI": 8,
    b"cLLi": 8,
    b"acTL": 8,
    b"fcTL": 26,
    b"fdAT": _ANY,
}
# The same by colour type (byte 25 of the file). With pixels of another type, no decoder reads these chunks.
_GREY, _RGB, _PALETTE = b"\0", b"\2", b"\3"
_COLOURS = {b"PLTE": {_PALETTE: 768}, b"tRNS": {_GREY: 2, _RGB: 6, _PALETTE: 256}}
_FRAMES = frozenset({b"fcTL", b"fdAT"})  # without acTL they belong to no animation
_REPEATED = _FRAMES | {b"IDAT"}
_FRAMING = 12  # bytes around a payload: 4 length and 4 kind before it, 4 checksum after it


def clean(data: bytes) -> Cleaned:
    """Strip a PNG; see strip.clean."""
    if not data.startswith(_SIGNATURE):
        raise Broken("it does not begin with the signature")
    chunks = [(kind, kept) for kind, chunk in _chunks(data) if (kept := _reduced(kind, chunk, data[25:26]))]
    kinds = [kind for kind, _ in chunks]
    _check_single(kinds)
    if kinds[0] != b"IHDR" or b"IDAT" not in kinds:
        raise Broken("it must begin with a header and have pixels")
    frames = 1
    if b"acTL" in kinds:
        frames = _frames(kinds, announced=int.from_bytes(_payload(dict(chunks)[b"acTL"])[:4]))
    else:
        chunks = [(kind, chunk) for kind, chunk in chunks if kind not in _FRAMES]
    header = _payload(chunks[0][1])
    if header[10:12] != bytes(2):  # Pillow does not check this; libpng refuses it
        raise Broken("its compression or filter method is unknown")
    return Cleaned(
        b"".join((_SIGNATURE, *(chunk for _, chunk in chunks))),
        width=int.from_bytes(header[:4]),
        height=int.from_bytes(header[4:8]),
        frames=frames,
    )


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield kind and whole chunk, with a correct checksum, up to the end of the picture."""
    position, kind = len(_SIGNATURE), b""
    while kind != b"IEND":
        kind = data[position + 4 : position + 8]
        end = position + _FRAMING + int.from_bytes(data[position : position + 4])
        chunk = data[position:end]
        if end > len(data):
            raise Broken("a chunk is longer than the file, or the end is missing")
        if zlib.crc32(chunk[4:-4]) != int.from_bytes(chunk[-4:]):
            raise Broken("a checksum is wrong")
        yield kind, chunk
        position = end


def _payload(chunk: bytes) -> bytes:
    return chunk[8:-4]


def _reduced(kind: bytes, chunk: bytes, colour: bytes) -> bytes | None:
    """Return the bytes to keep of a chunk, or None to drop it."""
    if kind == b"eXIf":
        tiff = orientation_only(_payload(chunk))
        return _chunk(kind, tiff) if tiff else None
    longest = _COLOURS[kind].get(colour) if kind in _COLOURS else _KEPT.get(kind)
    if longest is None:
        if kind[:1].isupper() and kind not in _COLOURS:  # an upper-case letter marks a chunk that decoding needs
            raise Broken("it has an unknown critical chunk")
        return None
    if len(chunk) - _FRAMING > longest:
        raise Broken(f"its chunk {kind.decode()} is too long")
    return chunk


def _chunk(kind: bytes, payload: bytes) -> bytes:
    return len(payload).to_bytes(4) + kind + payload + zlib.crc32(kind + payload).to_bytes(4)


def _check_single(kinds: list[bytes]) -> None:
    single = [kind for kind in kinds if kind not in _REPEATED]
    if len(single) != len(set(single)):
        raise Broken("a chunk is repeated that must occur once")


def _frames(kinds: list[bytes], *, announced: int) -> int:
    """Count the pictures of an animation, with the still picture if that is not its first frame."""
    count = kinds.count(b"fcTL")
    if not count or announced != count:
        raise Broken(f"it announces {announced} frames and has {count}")
    return count if kinds.index(b"fcTL") < kinds.index(b"IDAT") else count + 1
