"""Strip a PNG to the chunks of the picture (PNG third edition, W3C 2025), as browsers use them.

A chunk that decoding needs must be right.  Of any other kind, the first chunk is kept that a browser uses: with a right
checksum, a length of the standard, and in a place where it is read.  The rest is dropped.
"""

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from shared.pictures.icc import PROFILE_MAX, stored_profile
from shared.pictures.stripping.png_chunks import SIGNATURE, Chunk, chunk_of, is_critical, read_chunks
from shared.pictures.stripping.png_frames import FRAME_KINDS, Canvas, shown_frames
from shared.pictures.stripping.strip_parts import Broken, Cleaned, orientation_only

_GREY, _RGB, _PALETTE, _GREY_ALPHA, _RGB_ALPHA = 0, 2, 3, 4, 6  # colour types
_COLOURS = (_GREY, _RGB, _PALETTE, _GREY_ALPHA, _RGB_ALPHA)
_HEADER = 13  # bytes of IHDR
_COLOUR_AT, _METHODS_AT = 9, slice(10, 12)  # in the header
_NAME_MAX = 80  # bytes of a profile's name; the standard has 79
_PALETTE_MAX = 768  # bytes: 256 colours
_CRITICAL = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND"})


@dataclass(frozen=True, slots=True)
class _Rule:
    """What browsers demand of a kind of chunk, which must stand before the pixels.

    `lengths` are the bytes of its content by colour type; without the type, they do not read it.
    """

    lengths: dict[int, range]
    before_palette: bool = False
    after_palette: bool = False  # if the pixels need one


def _always(length: int) -> dict[int, range]:
    return dict.fromkeys(_COLOURS, range(length, length + 1))


def _by_colour(lengths: dict[int, int]) -> dict[int, range]:
    return {colour: range(length, length + 1) for colour, length in lengths.items()}


_ANY_LENGTH = dict.fromkeys(_COLOURS, range(2**31))
_RULES = {
    b"gAMA": _Rule(_always(4)),
    b"cHRM": _Rule(_always(32)),
    b"sRGB": _Rule(_always(1)),
    b"iCCP": _Rule(_ANY_LENGTH),
    b"cICP": _Rule(_always(4), before_palette=True),
    b"mDCV": _Rule(_always(24), before_palette=True),
    b"mDCv": _Rule(_always(24), before_palette=True),  # the spelling in drafts of the standard
    b"cLLI": _Rule(_always(8), before_palette=True),
    b"cLLi": _Rule(_always(8), before_palette=True),
    b"sBIT": _Rule(_by_colour({_GREY: 1, _RGB: 3, _PALETTE: 3, _GREY_ALPHA: 2, _RGB_ALPHA: 4}), before_palette=True),
    b"bKGD": _Rule(_by_colour({_GREY: 2, _RGB: 6, _PALETTE: 1, _GREY_ALPHA: 2, _RGB_ALPHA: 6}), after_palette=True),
    b"tRNS": _Rule({_GREY: range(2, 257), _RGB: range(6, 257), _PALETTE: range(1, 257)}, after_palette=True),
    b"pHYs": _Rule(_always(9)),
    b"eXIf": _Rule(_ANY_LENGTH),
    b"acTL": _Rule(_always(8)),
}
_TRANSPARENT = {_GREY: 2, _RGB: 6}  # bytes of tRNS that are read


def clean(data: bytes) -> Cleaned:
    """Strip a PNG; see strip.clean."""
    if not data.startswith(SIGNATURE):
        raise Broken("it does not begin with the signature")
    chunks = list(read_chunks(data))
    header = _header(chunks)
    colour = header[_COLOUR_AT]
    _check_critical(chunks, colour)
    canvas = Canvas(width=int.from_bytes(header[:4]), height=int.from_bytes(header[4:8]))
    kept, pictures = shown_frames(list(_used(chunks, colour)), canvas)
    content = b"".join((SIGNATURE, *(chunk.whole for chunk in kept)))
    return Cleaned(content, canvas.width, canvas.height, pictures)


def _header(chunks: Sequence[Chunk]) -> bytes:
    header = bytes(chunks[0].payload)
    if [chunk.kind for chunk in chunks].count(b"IHDR") != 1 or chunks[0].kind != b"IHDR" or len(header) != _HEADER:
        raise Broken("it must begin with a header, its only one, and have pixels")
    if header[_METHODS_AT] != bytes(2):  # Pillow does not check this; libpng refuses it
        raise Broken("its compression or filter method is unknown")
    return header


def _check_critical(chunks: Sequence[Chunk], colour: int) -> None:
    kinds = [chunk.kind for chunk in chunks]
    if any(is_critical(kind) and kind not in _CRITICAL for kind in kinds):
        raise Broken("it has an unknown critical chunk")
    if not any(chunk.kind == b"IDAT" and chunk.payload for chunk in chunks):
        raise Broken("it must begin with a header and have pixels")
    if chunks[-1].payload:
        raise Broken("its chunk IEND is too long")
    before_pixels = chunks[: kinds.index(b"IDAT")]
    if colour == _PALETTE:
        _check_palette([chunk for chunk in chunks if chunk.kind == b"PLTE"], step=3)
        if b"PLTE" not in kinds[: len(before_pixels)]:
            raise Broken("its pixels need a palette before them, and there is none")
    else:
        _check_palette([chunk for chunk in before_pixels if chunk.kind == b"PLTE"], step=1)


def _check_palette(palettes: Sequence[Chunk], *, step: int) -> None:
    """Refuse what browsers refuse. Of a palette that no pixel uses, they allow half a colour."""
    if len(palettes) > 1:
        raise Broken("its palette is repeated")
    if any(len(palette.payload) not in range(3, _PALETTE_MAX + 1, step) for palette in palettes):
        raise Broken("its palette does not have 1 to 256 colours of 3 bytes")


def _used(chunks: Iterable[Chunk], colour: int) -> Iterator[Chunk]:
    """Yield the chunks that browsers use, reduced to what they need. Frames are judged later (png_frames.py)."""
    passed: set[bytes] = set()
    decided: set[bytes] = set()  # kinds of which browsers have read one
    for chunk in chunks:
        if chunk.kind in _CRITICAL or chunk.kind in FRAME_KINDS:
            is_needed = colour == _PALETTE if chunk.kind == b"PLTE" else chunk.payload or chunk.kind != b"IDAT"
            if is_needed:
                yield chunk
        elif chunk.kind not in decided and _is_read(chunk, colour, passed):
            decided.add(chunk.kind)
            if reduced := _reduced(chunk, colour):
                yield reduced
        passed.add(chunk.kind)


def _is_read(chunk: Chunk, colour: int, passed: set[bytes]) -> bool:
    """Tell whether browsers use this chunk, after chunks of these kinds."""
    rule = _RULES.get(chunk.kind)
    if rule is None or not chunk.is_sound or b"IDAT" in passed:
        return False
    if len(chunk.payload) not in rule.lengths.get(colour, ()):
        return False
    is_misplaced = (rule.before_palette and b"PLTE" in passed) or (
        rule.after_palette and colour == _PALETTE and b"PLTE" not in passed
    )
    return not is_misplaced and _has_meaning(chunk)


def _has_meaning(chunk: Chunk) -> bool:
    """Tell whether the values are among those of the standard, where browsers skip others."""
    match chunk.kind, bytes(chunk.payload[:8]):
        case b"gAMA", value:
            return value != bytes(4)
        case b"sRGB", value:
            return value[0] <= 3  # the rendering intents
        case b"cICP", value:  # Chromium shows no picture of which the third or fourth number is another one
            return value[2] == 0 and value[3] <= 1
        case b"acTL", value:
            return 1 <= int.from_bytes(value[:4]) < 2**31 and int.from_bytes(value[4:]) < 2**31
    return True


def _reduced(chunk: Chunk, colour: int) -> Chunk | None:
    """Return what is kept of a chunk that browsers read, or None."""
    payload = bytes(chunk.payload)
    kept: bytes | None = payload
    if chunk.kind == b"eXIf":
        kept = orientation_only(payload)
    elif chunk.kind == b"iCCP":
        kept = _profile(payload)
    elif chunk.kind == b"tRNS":
        kept = payload[: _TRANSPARENT.get(colour)]
    if kept is None:
        return None
    return chunk if kept == payload else chunk_of(chunk.kind, kept)


def _profile(payload: bytes) -> bytes | None:
    """Return the content of iCCP as it is stored, or None if browsers cannot read the profile or it is dropped.

    The profile is unpacked up to its limit only.
    """
    name, _, compressed = payload.partition(b"\0")
    if not 1 <= len(name) <= _NAME_MAX or compressed[:1] != b"\0":  # the only method of compression
        return None
    unpacking = zlib.decompressobj()
    try:
        profile = unpacking.decompress(compressed[1:], PROFILE_MAX + 1)
    except zlib.error:
        return None
    stored = stored_profile(profile)
    if stored is None or not unpacking.eof:
        return None
    if stored != profile:
        return name + b"\0\0" + zlib.compress(stored, 9)
    return payload.removesuffix(unpacking.unused_data)
