"""An animated PNG is stored with the frames that browsers show."""

import io
import struct
import zlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from shared.errors import UnsupportedMediaType
from shared.pictures.check import check_picture
from shared.pictures.strip_png import clean
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


def colours(content: bytes) -> list[tuple[int, ...]]:
    with Image.open(io.BytesIO(content)) as image:
        found = []
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            found.append(image.convert("RGB").getpixel((0, 0)))
        return found


# name -> (parts as sent, parts as stored): what Chromium 156 shows of the first, which the corpus' comparison repeats.
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


@pytest.mark.parametrize("name", SHOWN)
def test_the_frames_are_stored_that_browsers_show(name: str) -> None:
    sent, wanted = (png(parts) for parts in SHOWN[name])
    picture = check_picture(sent)
    assert picture.content == wanted
    assert check_picture(wanted) == picture
    assert colours(wanted) == [
        {packed(RED): RED, packed(GREEN): GREEN, packed(BLUE): BLUE}[payload[4 * (kind == b"fdAT") :]]
        for kind, payload in SHOWN[name][1]
        if kind in (b"IDAT", b"fdAT") and len(payload) > 5
    ]


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


@pytest.mark.parametrize("name", NOTHING)
def test_an_animation_of_which_browsers_show_nothing_is_415(name: str) -> None:
    with pytest.raises(UnsupportedMediaType, match="no frame that can be shown"):
        clean(png(NOTHING[name]))


def whole(parts: Sequence[Part], at: int, instead: bytes) -> bytes:
    """Make a PNG with these bytes in place of one part."""
    before, after = png_of([HEADER, *parts[:at]]), png_of([*parts[at + 1 :], END])[8:]
    return before + instead + after


def corrupt(part: Part) -> bytes:
    right = chunk(*part)
    return right[:-1] + bytes([right[-1] ^ 1])


def test_a_header_with_a_wrong_checksum_ends_the_animation() -> None:
    assert clean(whole(THREE, 3, corrupt(THREE[3]))).content == png(FIRST)
    assert clean(whole(THREE, 5, corrupt(THREE[5]))).content == png(TWO)


def test_a_header_with_a_wrong_checksum_before_the_right_one_is_dropped() -> None:
    for at in (1, 3):
        assert clean(whole(THREE, at, corrupt(THREE[at]) + chunk(*THREE[at]))).content == png(THREE)


def test_pixels_with_a_wrong_checksum_get_the_right_one() -> None:
    """Browsers show them, as they have used the pixels before they see the checksum."""
    assert clean(whole(THREE, 4, corrupt(THREE[4]))).content == png(THREE)


@given(st.lists(st.sampled_from([*THREE, *LATER, control(1, left=9), pixels(2, b""), (b"fdAT", b"\0")]), max_size=10))
def test_frames_in_any_order_are_stored_once_and_for_all(parts: list[Part]) -> None:
    try:
        once = clean(png(parts))
    except UnsupportedMediaType:
        return
    assert clean(once.content) == once
    with Image.open(io.BytesIO(once.content)) as image:
        assert getattr(image, "n_frames", 1) == once.frames
