"""Strip a WebP to the chunks of the picture (RFC 9649).

What order of chunks browsers take was tried with Chromium 156; it is that of WebPDemux in libwebp, which all use.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import count

from shared.pictures.icc import stored_profile
from shared.pictures.stripping.strip_parts import Broken, Cleaned, orientation_only
from shared.pictures.stripping.webp_chunks import Chunk, joined, length, read_chunks

_STILL = frozenset({b"VP8 ", b"VP8L"})
_HEADER = 10  # bytes of VP8X
_ANIMATION_HEADER = 6  # bytes of ANIM, with padding: background and loops
_FRAME_HEADER = 16  # bytes of an ANMF before its chunks
_ICC, _ALPHA, _EXIF, _XMP, _ANIMATED = 0x20, 0x10, 0x08, 0x04, 0x02  # flags of VP8X
_FLAGS = _ICC | _ALPHA | _EXIF | _XMP | _ANIMATED

# The orders of chunks that browsers take, a letter for each kind; every other kind is x, and they skip it.
_LETTERS = {b"VP8X": "X", b"ALPH": "A", b"VP8 ": "V", b"VP8L": "L", b"ANIM": "N", b"ANMF": "F"}
_SIMPLE = re.compile("[VL]")  # they skip all that follows
_EXTENDED = re.compile("Xx*(AV|V|L)x*(N[xNF]*)?")  # without the flag of an animation, they skip its frames
_MOVING = re.compile("Xx*N[xN]*F[xNF]*")
_FRAME = re.compile("(AV|V|L)x*")


def clean(data: bytes) -> Cleaned:
    """Strip a WebP; see strip.clean."""
    if not (data.startswith(b"RIFF") and data[8:12] == b"WEBP"):
        raise Broken("it does not begin with the signature")
    end = 8 + int.from_bytes(data[4:8], "little")
    if end > len(data):
        raise Broken("the end is missing")
    counter = count()
    chunks = list(read_chunks(data, 12, end, counter))
    if _SIMPLE.match(_order(chunks)):
        kept, size = chunks[:1], _still_size(*chunks[0])
    else:
        kept, size = _extended(chunks, counter), _canvas(chunks[0][1])
    content = b"WEBP" + joined(kept)
    frames = sum(kind == b"ANMF" for kind, _ in kept)
    still = not frames and _is_lossy(kept)
    return Cleaned(b"RIFF" + length(content) + content, *size, frames or 1, is_bounded=still)


def _order(chunks: Sequence[Chunk]) -> str:
    return "".join(_LETTERS.get(kind, "x") for kind, _ in chunks)


def _extended(chunks: Sequence[Chunk], counter: Iterator[int]) -> list[Chunk]:
    """Reduce the chunks of a file with a VP8X header, and correct that header to the chunks that are left."""
    _check_order(chunks)
    header = chunks[0][1]
    kinds = _kept_kinds(header[0])
    seen: set[bytes] = set()
    kept: list[Chunk] = []
    for kind, payload in chunks[1:]:
        if kind not in kinds or (kind in seen and kind != b"ANMF"):
            continue
        seen.add(kind)
        content = _reduced(kind, payload, counter)
        kept += [] if content is None else [(kind, content)]
    left = {kind for kind, _ in kept}
    flags = header[0] & (_ALPHA | _ANIMATED) | _ICC * (b"ICCP" in left) | _EXIF * (b"EXIF" in left)
    return [(b"VP8X", bytes((flags, 0, 0, 0)) + header[4:]), *kept]


def _check_order(chunks: Sequence[Chunk]) -> None:
    order = _order(chunks)
    if not order.strip("x"):
        raise Broken("it has no picture")
    if order[0] != "X":
        raise Broken("it does not begin with its picture or its header")
    header = chunks[0][1]
    if len(header) != _HEADER or header[0] & ~_FLAGS:
        raise Broken("its header is short or long, or has unknown flags")
    if not (_MOVING if header[0] & _ANIMATED else _EXTENDED).fullmatch(order):
        raise Broken("its chunks are not in the order of a picture or an animation")
    if any(kind == b"ANIM" and len(payload) + 1 < _ANIMATION_HEADER for kind, payload in chunks):
        raise Broken("its animation has a short header")


def _kept_kinds(flags: int) -> frozenset[bytes]:
    """Return the kinds of chunks that browsers look at, if the header has these flags."""
    picture = {b"ANIM", b"ANMF"} if flags & _ANIMATED else {b"ALPH", *_STILL}
    return frozenset(picture | ({b"ICCP"} if flags & _ICC else set()) | ({b"EXIF"} if flags & _EXIF else set()))


def _reduced(kind: bytes, payload: bytes, counter: Iterator[int]) -> bytes | None:
    """Return the bytes to keep of a chunk's payload, or None to drop it."""
    if kind == b"ICCP":
        return stored_profile(payload)
    if kind == b"EXIF":
        return orientation_only(payload[6:] if payload.startswith(b"Exif\0") else payload)
    if kind == b"ANIM":
        return payload[:_ANIMATION_HEADER]
    if kind == b"ANMF":
        return _frame(payload, counter)
    return payload


def _frame(payload: bytes, counter: Iterator[int]) -> bytes:
    """Reduce a frame to its header and its picture."""
    chunks = list(read_chunks(payload, _FRAME_HEADER, len(payload), counter, is_frame=True))
    if not _FRAME.fullmatch(_order(chunks)):
        raise Broken("a frame does not begin with its picture, or has two")
    return payload[:_FRAME_HEADER] + joined(chunk for chunk in chunks if chunk[0] in _LETTERS)


def _is_lossy(chunks: Sequence[Chunk]) -> bool:
    """Return whether no part is lossless: that coding may have 65,536 groups of codes, whatever the size is.

    The lowest two bits of ALPH are 0 if the transparency is not compressed. Else it is coded like a lossless picture.
    """
    return not any(kind == b"VP8L" or (kind == b"ALPH" and payload[:1] and payload[0] & 3) for kind, payload in chunks)


def _canvas(header: bytes) -> tuple[int, int]:
    return int.from_bytes(header[4:7], "little") + 1, int.from_bytes(header[7:10], "little") + 1


def _still_size(kind: bytes, payload: bytes) -> tuple[int, int]:
    if kind == b"VP8 ":
        return int.from_bytes(payload[6:8], "little") & 0x3FFF, int.from_bytes(payload[8:10], "little") & 0x3FFF
    bits = int.from_bytes(payload[1:5], "little")
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
