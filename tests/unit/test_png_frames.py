"""An animated PNG is stored with the frames that browsers show."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from shared.errors import UnsupportedMediaType
from shared.pictures.check import check_picture
from shared.pictures.stripping.strip_png import clean
from tests.support.pictures import chunk
from tests.support.png_animations import (
    BLUE,
    FIRST,
    GREEN,
    LATER,
    NOTHING,
    RED,
    SHOWN,
    THREE,
    TWO,
    Part,
    control,
    corrupt,
    packed,
    pixels,
    png,
    with_whole,
)


def colours(content: bytes) -> list[tuple[int, ...]]:
    with Image.open(io.BytesIO(content)) as image:
        found = []
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            found.append(image.convert("RGB").getpixel((0, 0)))
        return found


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


@pytest.mark.parametrize("name", NOTHING)
def test_an_animation_of_which_browsers_show_nothing_is_415(name: str) -> None:
    with pytest.raises(UnsupportedMediaType, match="no frame that can be shown"):
        clean(png(NOTHING[name]))


def test_a_header_with_a_wrong_checksum_ends_the_animation() -> None:
    assert clean(with_whole(THREE, 3, corrupt(THREE[3]))).content == png(FIRST)
    assert clean(with_whole(THREE, 5, corrupt(THREE[5]))).content == png(TWO)


def test_a_header_with_a_wrong_checksum_before_the_right_one_is_dropped() -> None:
    for at in (1, 3):
        assert clean(with_whole(THREE, at, corrupt(THREE[at]) + chunk(*THREE[at]))).content == png(THREE)


def test_pixels_with_a_wrong_checksum_get_the_right_one() -> None:
    """Browsers show them, as they have used the pixels before they see the checksum."""
    assert clean(with_whole(THREE, 4, corrupt(THREE[4]))).content == png(THREE)


@given(st.lists(st.sampled_from([*THREE, *LATER, control(1, left=9), pixels(2, b""), (b"fdAT", b"\0")]), max_size=10))
def test_frames_in_any_order_are_stored_once_and_for_all(parts: list[Part]) -> None:
    try:
        once = clean(png(parts))
    except UnsupportedMediaType:
        return
    assert clean(once.content) == once
    with Image.open(io.BytesIO(once.content)) as image:
        assert getattr(image, "n_frames", 1) == once.frames
