"""Thumbnails are what Chromium shows: each kind of picture, in colours and opacity, at the centres of its patches."""

import base64
from collections.abc import Iterator
from io import BytesIO

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

from shared.pictures.scaling import scaled
from shared.pictures.showing.shown import shown
from tests.support import patchworks
from tests.support.browser import CHROMIUM, chromium
from tests.support.cloud import ROOT

pytestmark = pytest.mark.skipif(
    not CHROMIUM, reason="WHAT CHROMIUM SHOWS IS NOT COMPARED: there is no Chromium (apt-get install chromium)"
)

SIDE = 256  # pixels of the longest side of a thumbnail
LEVELS, RARE_LEVELS = 2, 16  # of 255
TYPES = {0x89: "image/png", 0xFF: "image/jpeg", 0x52: "image/webp"}  # by the first byte
CASES = ("p-gama-two-pictures.png", "p-apng-default-image.png", "p-g4-trns.png", "j-exif1-exif6.jpg")

DRAWN = """async ([url, side]) => {
  const image = new Image();
  image.src = url;
  await image.decode();
  const scale = Math.min(1, side / Math.max(image.naturalWidth, image.naturalHeight));
  const [width, height] = [image.naturalWidth, image.naturalHeight].map((length) => Math.round(length * scale));
  const context = new OffscreenCanvas(width, height).getContext("2d", {willReadFrequently: true});
  context.imageSmoothingQuality = "high";
  context.drawImage(image, 0, 0, width, height);
  let bytes = "";
  for (const value of context.getImageData(0, 0, width, height).data) bytes += String.fromCharCode(value);
  return [width, height, btoa(bytes)];
}"""


@pytest.fixture(scope="module")
def page(slow_tier: None) -> Iterator[Page]:
    """Start a browser for this module. While it runs, no other test of the process can start an event loop."""
    with chromium() as browser:
        yield _page(browser)


def _page(browser: Browser) -> Page:
    page = browser.new_page()
    page.goto("about:blank")
    return page


def in_chromium(page: Page, content: bytes) -> Image.Image:
    """Return the picture as Chromium draws it, as large as a thumbnail."""
    url = f"data:{TYPES[content[0]]};base64,{base64.b64encode(content).decode()}"
    width, height, pixels = page.evaluate(DRAWN, [url, SIDE])
    return Image.frombytes("RGBA", (width, height), base64.b64decode(pixels))


def apart(ours: Image.Image, theirs: Image.Image, places: list[tuple[int, int]]) -> int:
    """Return how far the two are apart at these places, in levels. Colours count by their opacity."""
    assert ours.size == theirs.size
    pairs = [[picture.convert("RGBA").convert("RGBa").getpixel(at) for picture in (ours, theirs)] for at in places]
    return max(abs(one - other) for a, b in pairs for one, other in zip(a, b, strict=True))  # type: ignore[arg-type]


def thumbnail(content: bytes) -> Image.Image:
    return Image.open(BytesIO(scaled(content, SIDE, "webp")))


@pytest.mark.parametrize(("kinds", "levels"), [(patchworks.pictures, LEVELS), (patchworks.rare_pngs, RARE_LEVELS)])
def test_a_thumbnail_has_the_colours_and_the_opacity_that_chromium_shows(
    page: Page, kinds: patchworks.Kinds, levels: int
) -> None:
    wrong = {}
    for name, content in kinds().items():
        theirs, ours = in_chromium(page, content), shown(content, SIDE)
        for made in (ours, thumbnail(content)):
            if (found := apart(made, theirs, patchworks.centres(theirs.size))) > levels:
                wrong[name] = found
    assert wrong == {}


@pytest.mark.parametrize("name", CASES)
def test_a_small_picture_is_shown_as_in_chromium_in_every_pixel(page: Page, name: str) -> None:
    content = (ROOT / "tests/images/cases" / name).read_bytes()
    theirs = in_chromium(page, content)
    everywhere = [(x, y) for x in range(theirs.width) for y in range(theirs.height)]
    assert apart(shown(content, SIDE), theirs, everywhere) <= LEVELS
