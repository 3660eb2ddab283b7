"""Strip a WebP to the chunks of the picture (RFC 9649)."""

from collections.abc import Iterator

from shared.pictures.strip_parts import Broken, Cleaned, orientation_only

Chunks = list[tuple[bytes, bytes]]  # kind and payload

_STILL = frozenset({b"VP8 ", b"VP8L"})
_PICTURE = _STILL | {b"ALPH"}
_EXTENDED = frozenset({b"VP8X", b"ICCP", b"EXIF"})
_ANIMATION = frozenset({b"ANIM", b"ANMF"})
_ANIMATION_HEADER = 6  # bytes of ANIM: background and loops
_FRAME_HEADER = 16  # bytes of an ANMF before its chunks
_ICC, _ALPHA, _EXIF, _ANIMATED = 0x20, 0x10, 0x08, 0x02  # flags of VP8X


def clean(data: bytes) -> Cleaned:
    """Strip a WebP; see strip.clean."""
    if not (data.startswith(b"RIFF") and data[8:12] == b"WEBP"):
        raise Broken("it does not begin with the signature")
    end = 8 + int.from_bytes(data[4:8], "little")
    if end > len(data):
        raise Broken("the end is missing")
    chunks = list(_chunks(data[12:end]))
    extended = bool(chunks) and chunks[0][0] == b"VP8X"
    chunks = _extended(chunks) if extended else _first_of_each(chunks, _STILL)
    if not chunks:
        raise Broken("it has no picture")
    content = b"WEBP" + _joined(chunks)
    width, height = _canvas(chunks[0][1]) if extended else _still_size(*chunks[0])
    frames = sum(kind == b"ANMF" for kind, _ in chunks)
    still = not frames and _is_lossy(chunks)
    return Cleaned(b"RIFF" + _length(content) + content, width, height, frames or 1, is_bounded=still)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    position = 0
    while position < len(data):
        start = position + 8
        end = start + int.from_bytes(data[position + 4 : start], "little")
        if end > len(data):
            raise Broken("a chunk is longer than the file")
        if end % 2 and data[end : end + 1] not in (b"", b"\0"):
            raise Broken("a chunk runs over its padding")
        yield data[position : position + 4], data[start:end]
        position = end + end % 2  # chunks begin at even positions, with a zero between


def _joined(chunks: Chunks) -> bytes:
    return b"".join(
        part for kind, payload in chunks for part in (kind, _length(payload), payload, bytes(len(payload) % 2))
    )


def _length(payload: bytes) -> bytes:
    return len(payload).to_bytes(4, "little")


def _extended(chunks: Chunks) -> Chunks:
    """Reduce the chunks of a file with a VP8X header, and correct that header to the chunks that are left."""
    reduced = [(kind, content) for kind, payload in chunks if (content := _reduced(kind, payload)) is not None]
    animated = any(kind == b"ANMF" for kind, _ in reduced)
    kept = _first_of_each(reduced, _EXTENDED | (_ANIMATION if animated else _PICTURE))
    kinds = {kind for kind, _ in kept}
    header = kept[0][1]
    if len(header) < 10:
        raise Broken("its header is short")
    flags = header[0] & (_ALPHA | _ANIMATED) | _ICC * (b"ICCP" in kinds) | _EXIF * (b"EXIF" in kinds)
    return [(b"VP8X", bytes((flags, 0, 0, 0)) + header[4:10]), *kept[1:]]


def _reduced(kind: bytes, payload: bytes) -> bytes | None:
    """Return the bytes to keep of a chunk's payload, or None to drop it."""
    if kind == b"EXIF":
        return orientation_only(payload.removeprefix(b"Exif\0\0"))
    if kind == b"ANIM":
        return payload[:_ANIMATION_HEADER]
    if kind == b"ANMF":
        return payload[:_FRAME_HEADER] + _joined(_first_of_each(_chunks(payload[_FRAME_HEADER:]), _PICTURE))
    return payload


def _first_of_each(chunks: Chunks | Iterator[tuple[bytes, bytes]], wanted: frozenset[bytes]) -> Chunks:
    """Keep the first chunk of each wanted kind, and every frame. Lossy and lossless pictures count as one kind."""
    kept: Chunks = []
    seen: set[bytes] = set()
    for kind, payload in chunks:
        role = b"VP8 " if kind in _STILL else kind
        if kind in wanted and (kind == b"ANMF" or role not in seen):
            seen.add(role)
            kept.append((kind, payload))
    return kept


def _is_lossy(chunks: Chunks) -> bool:
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
