"""The frames of an animated PNG, as browsers show them (PNG third edition, W3C 2025, sections 4.9 and 11.3.6)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from shared.pictures.stripping.png_chunks import Chunk, chunk_of
from shared.pictures.stripping.strip_parts import Broken

FRAME_KINDS = frozenset({b"fcTL", b"fdAT"})  # without acTL they belong to no animation
_NUMBER = 4  # bytes of the number at the start of fcTL and fdAT
_CONTROL = 26  # bytes of fcTL


@dataclass(frozen=True, slots=True)
class Canvas:
    """The size of the picture in pixels."""

    width: int
    height: int


@dataclass(frozen=True, slots=True)
class _Frame:
    """A frame: its fcTL and its fdATs. `is_first_image` says that its pixels are the IDATs."""

    control: Chunk
    is_first_image: bool
    parts: list[Chunk] = field(default_factory=list)

    @property
    def pixels(self) -> list[Chunk]:
        return [part for part in self.parts if len(part.payload) > _NUMBER]


def shown_frames(chunks: Sequence[Chunk], canvas: Canvas) -> tuple[list[Chunk], int]:
    """Return the chunks of what a browser shows, and how many pictures they have, a still one before them included.

    `chunks` have at most one acTL, no empty IDAT, and nothing that is dropped anyway.  A browser plays the frames up to
    the first wrong one, and at most as many as acTL announces.  Of two headers in a row it uses the second.  It ignores
    the checksum of an fdAT, and one without pixels.  So what it does not use goes, and the count, the numbers and the
    checksums become right; all else stays byte for byte.  Raise Broken if browsers show nothing.
    """
    animation = next((chunk for chunk in chunks if chunk.kind == b"acTL"), None)
    if animation is None:
        return [chunk for chunk in chunks if chunk.kind not in FRAME_KINDS], 1
    announced = int.from_bytes(animation.payload[:4])
    frames = list(_usable(_frames(chunks, canvas)))[:announced]
    if not frames:
        raise Broken("its animation has no frame that can be shown")
    renewed = _numbered(frames)
    if len(frames) != announced:
        renewed[id(animation)] = chunk_of(b"acTL", len(frames).to_bytes(4) + animation.payload[4:])
    return list(_in_order(chunks, renewed)), len(frames) + (not frames[0].is_first_image)


def _frames(chunks: Sequence[Chunk], canvas: Canvas) -> list[_Frame]:
    """Return the frames up to a wrong chunk: before a wrong header, or without the frame of wrong pixels."""
    frames: list[_Frame] = []
    number, has_pixels, is_open = 0, False, False  # is_open: the next fdAT belongs to the last frame
    for chunk in chunks:
        if chunk.kind == b"IDAT":
            has_pixels = True
        if chunk.kind not in FRAME_KINDS:
            continue
        if chunk.kind == b"fcTL" and not chunk.is_sound:
            is_open = False
            continue
        is_numbered = len(chunk.payload) >= _NUMBER and int.from_bytes(chunk.payload[:_NUMBER]) == number
        if chunk.kind == b"fcTL" and is_numbered and _is_right(chunk, canvas, is_first_image=not has_pixels):
            frames.append(_Frame(chunk, is_first_image=not has_pixels))
            is_open = has_pixels
        elif chunk.kind == b"fdAT" and is_numbered and is_open:
            frames[-1].parts.append(chunk)
        else:
            is_spoilt = chunk.kind == b"fdAT" and is_open
            return [] if not has_pixels else frames[:-1] if is_spoilt else frames
        number += 1
    return frames


def _is_right(control: Chunk, canvas: Canvas, *, is_first_image: bool) -> bool:
    """Tell whether the frame is within the picture (the first image: all of it), and its two operations are known."""
    if len(control.payload) != _CONTROL:
        return False
    width, height, left, top = (int.from_bytes(control.payload[at : at + 4]) for at in (4, 8, 12, 16))
    dispose, blend = control.payload[24], control.payload[25]
    is_inside = 0 < width <= canvas.width - left and 0 < height <= canvas.height - top
    is_whole = (width, height) == (canvas.width, canvas.height)
    return is_inside and dispose <= 2 and blend <= 1 and (is_whole or not is_first_image)


def _usable(frames: Sequence[_Frame]) -> Iterator[_Frame]:
    """Yield the frames that have pixels, up to one whose pixels have no bytes."""
    first_images = sum(frame.is_first_image for frame in frames)
    yield from frames[:first_images][-1:]
    for frame in frames[first_images:]:
        if frame.pixels:
            yield frame
        elif frame.parts:
            return


def _numbered(frames: Sequence[_Frame]) -> dict[int, Chunk]:
    """Return what is kept of the frames, by the identity of the chunk that it replaces."""
    kept = [chunk for frame in frames for chunk in (frame.control, *frame.pixels)]
    return {id(chunk): _with_number(chunk, number) for number, chunk in enumerate(kept)}


def _with_number(chunk: Chunk, number: int) -> Chunk:
    start = number.to_bytes(_NUMBER)
    if chunk.is_sound and chunk.payload[:_NUMBER] == start:
        return chunk
    return chunk_of(chunk.kind, start + chunk.payload[_NUMBER:])


def _in_order(chunks: Sequence[Chunk], renewed: dict[int, Chunk]) -> Iterator[Chunk]:
    """Yield what is kept, without the IDATs that follow on a frame of their own."""
    has_pixels = has_frames = False
    for chunk in chunks:
        if chunk.kind in FRAME_KINDS:
            if id(chunk) in renewed:
                has_frames = has_frames or has_pixels
                yield renewed[id(chunk)]
        elif not (chunk.kind == b"IDAT" and has_frames):
            has_pixels = has_pixels or chunk.kind == b"IDAT"
            yield renewed.get(id(chunk), chunk)
