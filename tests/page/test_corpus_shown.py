"""`make corpus` with Chromium: what it calls shown otherwise, and a whole run over files of every kind."""

from collections.abc import Iterator

import pytest
from PIL import Image

from tests.support import pictures
from tests.support.cloud import ROOT
from tools.chromium import CHROMIUM
from tools.corpus.shown import SIDE, Shown, Viewer, viewer

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium (apt-get install chromium)")

ROCKET = (ROOT / "tests/images/rocket.jpg").read_bytes()


@pytest.fixture(scope="module")
def browser(slow_tier: None) -> Iterator[Viewer]:
    """Start a browser for this module. While it runs, no other test of the process can start an event loop."""
    with viewer() as browser:
        yield browser


def small(picture: Image.Image, side: int = SIDE) -> bytes:
    """Make a thumbnail."""
    scaled = picture.convert("RGB")
    scaled.thumbnail((side, side))
    return pictures.saved(scaled, "WEBP", quality=80)


def test_a_picture_is_like_itself_and_its_thumbnail(browser: Viewer) -> None:
    for picture in (pictures.raster(size=(640, 480)), pictures.raster(size=(24, 16)), pictures.raster(size=(300, 4))):
        content = pictures.saved(picture, "PNG")
        shown = browser.show(content, content, small(picture))
        assert shown.wrong(with_thumbnail=True) == [], shown


def test_what_a_browser_turns_is_compared_upright(browser: Viewer) -> None:
    turned = pictures.jpeg_with(ROCKET, pictures.exif_segment(6))
    shown = browser.show(ROCKET, turned)
    assert shown.original
    assert shown.stored == shown.original[::-1]
    assert len(shown.wrong(with_thumbnail=False)) == 1


def test_another_colour_of_one_pixel_is_seen_wherever_it_is(browser: Viewer) -> None:
    picture = pictures.raster(size=(3000, 2000))  # more than one strip
    content = pictures.saved(picture, "PNG")
    for place in ((0, 0), (2999, 1999)):
        changed = picture.copy()
        red, green, blue = changed.getpixel(place)  # type: ignore[misc]
        changed.putpixel(place, (red, green ^ 1, blue))
        assert browser.show(content, pictures.saved(changed, "PNG")).difference == 1


def test_a_thumbnail_of_another_picture_or_on_another_ground_is_seen(browser: Viewer) -> None:
    content = pictures.png(1, size=(640, 480))
    assert "other colours" in str(
        browser.show(content, content, small(pictures.raster(2, (640, 480)))).wrong(with_thumbnail=True)
    )
    clear = pictures.saved(Image.new("RGBA", (64, 64), (0, 0, 0, 0)), "PNG")
    assert "other colours" in str(
        browser.show(clear, clear, small(Image.new("RGB", (64, 64)))).wrong(with_thumbnail=True)
    )


def test_frames_are_counted_and_compared(browser: Viewer) -> None:
    for make in (pictures.animated_png, pictures.animated_webp):
        assert browser.show(make(1, 3), make(1, 3)).frames == (3, 3)
        assert browser.show(make(1, 3), make(1, 3)).wrong(with_thumbnail=False) == []
        assert browser.show(make(1, 3), make(1, 2)).frames == (3, 2)
    frames = [pictures.raster(seed) for seed in (1, 2, 3)]
    one, other = (
        pictures.saved(frames[0], "PNG", save_all=True, append_images=frames[last : last + 1]) for last in (1, 2)
    )
    shown = browser.show(one, other)
    assert shown.frames == (2, 2)
    assert "other colours" in str(shown.wrong(with_thumbnail=False))


def test_what_is_no_picture_is_not_shown(browser: Viewer) -> None:
    assert browser.show(b"\xff\xd8\xff no picture") == Shown(None)
    assert browser.show(pictures.png(), b"\x89PNG no picture").stored is None


def test_the_browser_goes_on_after_many_files(browser: Viewer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.corpus.shown.FILES_OF_A_PAGE", 2)
    assert [browser.show(pictures.png(seed), pictures.png(seed)).difference for seed in range(5)] == [0] * 5
