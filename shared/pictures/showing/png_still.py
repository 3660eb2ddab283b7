"""The one picture of a PNG that a browser shows first, without colour or animation, and what says how it looks.

The chunks are read as they are stored; strip_png.py has checked them.  Of a chunk that must occur once, the first
counts, and of those about colour and orientation only what comes before the pixels, as in Chromium.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from shared.pictures.icc import PROFILE_MAX

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, RGB, PALETTE, GREY_ALPHA = 0, 2, 3, 4  # colour types

_Chunk = tuple[bytes, int, int]  # kind, and where its payload starts and ends


@dataclass(frozen=True, slots=True)
class Still:
    """A picture as a PNG of its own, and its place on a transparent canvas.

    `content` has nothing but header, palette and pixels.  `size`, `canvas` and `at` are in pixels, width first.
    `before` are the payloads of the chunks before the pixels, by their kind.
    """

    content: bytes
    size: tuple[int, int]
    canvas: tuple[int, int]
    at: tuple[int, int]
    depth: int
    colour_type: int
    before: dict[bytes, bytes]

    @property
    def fills_its_canvas(self) -> bool:
        """Whether there is no canvas around the picture."""
        return self.size == self.canvas


def first_picture(png: bytes) -> Still:
    """Return the still picture, or the first frame of an animation that the still picture is no part of.

    Raise ValueError if there is none, or if the frame does not lie on the canvas.
    """
    chunks = list(_chunks(png))
    first = next((number for number, (kind, _, _) in enumerate(chunks) if kind == b"IDAT"), len(chunks))
    before = {kind: png[start:end] for kind, start, end in reversed(chunks[:first])}
    header = before.get(b"IHDR", b"")
    if len(header) != 13:
        raise ValueError("there is no header")
    canvas, at = (int.from_bytes(header[:4]), int.from_bytes(header[4:8])), (0, 0)
    size = canvas
    is_animated = any(before.get(b"acTL", b"")[:4])
    if is_animated and b"fcTL" in before and before[b"fcTL"][4:12] != header[:8]:
        raise ValueError("the first frame has another size than the picture")
    if is_animated and b"fcTL" not in before:
        control, data = _frame(png, chunks[first:])
        size = (int.from_bytes(control[4:8]), int.from_bytes(control[8:12]))
        at = (int.from_bytes(control[12:16]), int.from_bytes(control[16:20]))
        header = control[4:12] + header[8:]
    else:
        data = [png[start - 8 : end + 4] for kind, start, end in chunks[first:] if kind == b"IDAT"]
    if size[0] + at[0] > canvas[0] or size[1] + at[1] > canvas[1]:
        raise ValueError("a frame is not on the canvas")
    palette = [_chunk(b"PLTE", before[b"PLTE"])] if b"PLTE" in before and header[9] == PALETTE else []
    return Still(_png(header, palette, data), size, canvas, at, header[8], header[9], before)


def all_pictures(png: bytes) -> Iterator[bytes]:
    """Yield each picture as a PNG of its own, without colour: the one in the chunks IDAT, then the other frames."""
    header, palette, data = b"", list[bytes](), list[bytes]()
    for kind, start, end in _chunks(png):
        if kind in (b"fcTL", b"IEND") and data:
            yield _png(header, palette, data)
            data = []
        if kind == b"IHDR":
            header = png[start:end]
        elif kind == b"PLTE":
            palette = [png[start - 8 : end + 4]]
        elif kind == b"fcTL":
            header = png[start + 4 : start + 12] + header[8:]
        elif kind == b"IDAT":
            data.append(png[start - 8 : end + 4])
        elif kind == b"fdAT":
            data.append(_chunk(b"IDAT", png[start + 4 : end]))


def unpacked_profile(payload: bytes) -> bytes | None:
    """Return the ICC profile of a chunk iCCP, or None if it is broken or too large."""
    _, _, packed = payload.partition(b"\0")
    inflate = zlib.decompressobj()
    try:
        profile = inflate.decompress(packed[1:], PROFILE_MAX + 1)
    except zlib.error:
        return None
    return profile if inflate.eof and len(profile) <= PROFILE_MAX else None


def _chunks(png: bytes) -> Iterator[_Chunk]:
    position = len(SIGNATURE)
    while position + 8 <= len(png):
        start = position + 8
        end = start + int.from_bytes(png[position : position + 4])
        yield png[position + 4 : start], start, end
        position = end + 4


def _frame(png: bytes, chunks: list[_Chunk]) -> tuple[bytes, list[bytes]]:
    """Return the first fcTL and the data of its frame as chunks IDAT."""
    control, data = b"", list[bytes]()
    for kind, start, end in chunks:
        if kind == b"fcTL" and data:
            break
        if kind == b"fcTL":
            control = png[start:end]
        elif kind == b"fdAT" and control:
            data.append(_chunk(b"IDAT", png[start + 4 : end]))
    if len(control) != 26 or not data:
        raise ValueError("an animation has no frame")
    return control, data


def _png(header: bytes, palette: list[bytes], data: list[bytes]) -> bytes:
    return b"".join((SIGNATURE, _chunk(b"IHDR", header), *palette, *data, _chunk(b"IEND", b"")))


def _chunk(kind: bytes, payload: bytes) -> bytes:
    return len(payload).to_bytes(4) + kind + payload + zlib.crc32(kind + payload).to_bytes(4)
