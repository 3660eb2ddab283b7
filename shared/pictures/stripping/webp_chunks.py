"""The chunks of a WebP file: kind, length, payload and padding (RFC 9649, section 2.3)."""

from collections.abc import Iterable, Iterator

from shared.pictures.stripping.strip_parts import Broken, TooMany

Chunk = tuple[bytes, bytes]  # kind and payload

PICTURE = frozenset({b"VP8 ", b"VP8L", b"ALPH", b"ANMF"})

# A real file has a chunk for each frame, and three more in it.
MAX_CHUNKS = 20_000  # chunks, with those in frames and those that are dropped


def read_chunks(
    data: bytes, start: int, end: int, counter: Iterator[int], *, is_frame: bool = False
) -> Iterator[Chunk]:
    """Yield the chunks in this part of the data. Raise Broken, or TooMany as soon as the counter is at MAX_CHUNKS.

    A chunk of odd length has a byte of padding, which decoders ask for, but for the last chunk of a frame.  They read
    that of a picture like a part of it, so there it must be zero.
    """
    while start < end:
        if next(counter) == MAX_CHUNKS:
            raise TooMany(f"{MAX_CHUNKS:,} chunks")
        kind, after = data[start : start + 4], start + 8
        stop = after + int.from_bytes(data[start + 4 : after], "little")
        start = stop + stop % 2
        if start > end + is_frame or stop > end or end < after:
            raise Broken("a chunk is longer than the file")
        if kind in PICTURE and stop < min(start, end) and data[stop]:
            raise Broken("a chunk runs over its padding")
        yield kind, data[after:stop]


def joined(chunks: Iterable[Chunk]) -> bytes:
    """Write the chunks, each with its length and padding."""
    return b"".join(
        part for kind, payload in chunks for part in (kind, length(payload), payload, bytes(len(payload) % 2))
    )


def length(payload: bytes) -> bytes:
    """Write the length of the payload as a chunk has it."""
    return len(payload).to_bytes(4, "little")
