"""The chunks of a PNG file (PNG third edition, W3C 2025, section 5)."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from shared.pictures.stripping.strip_parts import Broken, TooMany

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_FRAMING = 12  # bytes around a payload: 4 length and 4 kind before it, 4 checksum after it

# A decoder takes about 4 microseconds for each chunk, however small it is.  Encoders write pixels in chunks of 8 to 64
# kB, so 20 MB have some thousand; 100,000 are chunks of 200 bytes in a file of that size.
MAX_CHUNKS = 100_000  # chunks


@dataclass(frozen=True, slots=True)
class Chunk:
    """A chunk: its kind, its content, and all its bytes. `is_sound` says whether the checksum is right."""

    kind: bytes
    payload: memoryview | bytes
    whole: memoryview | bytes
    is_sound: bool = True


def read_chunks(data: bytes) -> Iterator[Chunk]:
    """Yield the chunks up to the end of the picture, without copying them.

    Raise Broken if the file is cut off or if the checksum of a critical chunk is wrong, and TooMany for more than
    MAX_CHUNKS.
    """
    view, position, kind = memoryview(data), len(SIGNATURE), b""
    for _ in range(MAX_CHUNKS):
        kind = data[position + 4 : position + 8]
        end = position + _FRAMING + int.from_bytes(view[position : position + 4])
        if end > len(data):
            raise Broken("a chunk is longer than the file, or the end is missing")
        is_sound = zlib.crc32(view[position + 4 : end - 4]) == int.from_bytes(view[end - 4 : end])
        if not is_sound and is_critical(kind):
            raise Broken("a checksum is wrong")
        yield Chunk(kind, view[position + 8 : end - 4], view[position:end], is_sound)
        if kind == b"IEND":
            return
        position = end
    raise TooMany(f"{MAX_CHUNKS:,} chunks, the parts of a PNG")


def is_critical(kind: bytes) -> bool:
    """Tell whether decoding needs such a chunk, which an upper-case letter marks."""
    return kind[:1].isupper()


def chunk_of(kind: bytes, payload: bytes) -> Chunk:
    """Make a chunk with its length and checksum."""
    whole = b"".join((len(payload).to_bytes(4), kind, payload, zlib.crc32(kind + payload).to_bytes(4)))
    return Chunk(kind, payload, whole)
