"""Animated PNGs of one colour a frame, with their faults, and what Chromium shows of them."""

import struct
import zlib
from collections.abc import Sequence

from tests.support.pictures import chunk, png_of

WIDTH, HEIGHT = 8, 4
RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)
HEADER = (b"IHDR", struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0))
END = (b"IEND", b"")
Part = tuple[bytes, bytes]


def packed(colour: tuple[int, int, int]) -> bytes:
    return zlib.compress((b"\0" + bytes(colour) * WIDTH) * HEIGHT)


def announced(frames: int, plays: int = 0) -> Part:
    return b"acTL", frames.to_bytes(4) + plays.to_bytes(4)


def control(number: int, *, width: int = WIDTH, left: int = 0, dispose: int = 0, blend: int = 0) -> Part:
    return b"fcTL", struct.pack(">IIIIIHHBB", number, width, HEIGHT, left, 0, 1, 10, dispose, blend)


def pixels(number: int, content: bytes) -> Part:
    return b"fdAT", number.to_bytes(4) + content


STILL = (b"IDAT", packed(RED))
SECOND, THIRD = [control(1), pixels(2, packed(GREEN))], [control(3), pixels(4, packed(BLUE))]
FIRST = [announced(1), control(0), STILL]
TWO = [announced(2), control(0), STILL, *SECOND]
THREE = [announced(3), control(0), STILL, *SECOND, *THIRD]
LATER = [announced(2), STILL, control(0), pixels(1, packed(GREEN)), control(2), pixels(3, packed(BLUE))]


def png(parts: Sequence[Part]) -> bytes:
    return png_of([HEADER, *parts, END])


def with_whole(parts: Sequence[Part], at: int, instead: bytes) -> bytes:
    """Make a PNG with these bytes in place of one part."""
    before, after = png_of([HEADER, *parts[:at]]), png_of([*parts[at + 1 :], END])[8:]
    return before + instead + after


def corrupt(part: Part) -> bytes:
    right = chunk(*part)
    return right[:-1] + bytes([right[-1] ^ 1])


# name -> (parts as sent, parts as stored): what Chromium 156 shows of the first, which test_stripped_png.py repeats.
SHOWN: dict[str, tuple[list[Part], list[Part]]] = {
    "no fault": (THREE, THREE),
    "a still picture before the frames": (LATER, LATER),
    "one frame": (FIRST, FIRST),
    "one frame after a still picture": ([announced(1), *LATER[1:4]], [announced(1), *LATER[1:4]]),
    "acTL after the first fcTL": ([THREE[1], THREE[0], *THREE[2:]], [THREE[1], THREE[0], *THREE[2:]]),
    "fewer announced": ([announced(2), *THREE[1:]], TWO),
    "one announced": ([announced(1), *THREE[1:]], FIRST),
    "more announced": ([announced(5), *THREE[1:]], THREE),
    "none announced": ([announced(0), *THREE[1:]], [STILL]),
    "2^31 announced": ([announced(2**31), *THREE[1:]], [STILL]),
    "2^31 plays": ([announced(3, 2**31), *THREE[1:]], [STILL]),
    "a short acTL": ([(b"acTL", b"\0\0\0\3"), *THREE[1:]], [STILL]),
    "a long acTL": ([(b"acTL", THREE[0][1] + b"\0"), *THREE[1:]], [STILL]),
    "no acTL": (THREE[1:], [STILL]),
    "acTL after the pixels": ([*THREE[1:3], THREE[0], *THREE[3:]], [STILL]),
    "acTL twice": ([announced(2), *THREE], TWO),
    "acTL twice, the first of no frames": ([announced(0), *THREE], THREE),
    "a number left out": ([*TWO, control(4), pixels(5, packed(BLUE))], TWO),
    "frames in another order": ([*THREE[:3], *THIRD, *SECOND], FIRST),
    "a wrong number of pixels": ([*THREE[:4], pixels(3, packed(GREEN)), *THIRD], FIRST),
    "pixels twice": ([*THREE[:5], THREE[4], *THIRD], FIRST),
    "pixels of 3 bytes": ([*THREE[:4], (b"fdAT", b"\0\0\0"), *THREE[4:]], FIRST),
    "pixels without a header": ([*THREE[:3], pixels(1, packed(GREEN)), control(2), pixels(3, packed(BLUE))], FIRST),
    "pixels with more after their end": ([*THREE[:5], pixels(3, b"x")], [announced(2), *THREE[1:5], pixels(3, b"x")]),
    "a header twice": ([*THREE[:4], *SECOND, *THIRD], FIRST),
    "two headers": (
        [announced(4), *THREE[1:4], control(2), pixels(3, packed(GREEN)), control(4), pixels(5, packed(BLUE))],
        THREE,
    ),
    "two headers of the first frame": (
        [announced(3), control(0), control(1), STILL, control(2), pixels(3, b"")],
        FIRST,
    ),
    "a header at the end": ([*THREE[:5], control(3)], TWO),
    "a short header": ([*THREE[:3], (b"fcTL", SECOND[0][1][:-1]), *THREE[4:]], FIRST),
    "a long header": ([*THREE[:3], (b"fcTL", SECOND[0][1] + b"\0"), *THREE[4:]], FIRST),
    "a frame beyond the picture": ([*THREE[:3], control(1, left=1), *THREE[4:]], FIRST),
    "a frame of no width": ([*THREE[:3], control(1, width=0), *THREE[4:]], FIRST),
    "a last frame beyond the picture": ([*THREE[:5], control(3, left=1), THIRD[1]], TWO),
    "an unknown way to dispose": ([*THREE[:3], control(1, dispose=3), *THREE[4:]], FIRST),
    "an unknown way to blend": ([*THREE[:3], control(1, blend=2), *THREE[4:]], FIRST),
    "pixels of no bytes": ([*THREE[:4], pixels(2, b""), pixels(3, packed(GREEN)), *LATER[4:5], THIRD[1]], TWO),
    "a frame of no pixels": ([*THREE[:4], pixels(2, b""), *THIRD], FIRST),
    "IDAT behind a frame": ([*TWO, STILL], TWO),
    "a wrong frame after a still picture": ([*LATER[:4], control(2, left=9), LATER[5]], [announced(1), *LATER[1:4]]),
}


# What browsers show nothing of.
NOTHING: dict[str, list[Part]] = {
    "no frames": [announced(2), STILL],
    "numbers that begin at 1": [announced(1), control(1), STILL],
    "a first frame that is smaller": [announced(1), control(0, width=7), STILL],
    "a first frame that is moved": [announced(1), control(0, width=7, left=1), STILL],
    "a long header of the first frame": [announced(1), (b"fcTL", control(0)[1] + b"\0"), STILL],
    "the first header twice": [announced(2), control(0), *TWO[1:]],
    "pixels before the picture": [announced(2), control(0), pixels(1, packed(GREEN)), STILL],
    "a header and no pixels": [announced(1), STILL, control(0)],
    "a wrong header after a still picture": [announced(1), STILL, control(0, left=1), pixels(1, packed(GREEN))],
}
