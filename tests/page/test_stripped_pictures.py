"""Chromium shows what is stored as it shows what was sent, and does not show what is refused."""

import base64
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from shared.errors import UnsupportedMediaType
from shared.pictures.stripping import strip
from tests.support import pictures
from tests.support.browser import CHROMIUM, chromium
from tests.support.cloud import ROOT
from tests.support.hostile_pictures import ANIM, canvas, frame
from tests.support.jpeg_files import many_scans, pieces, samsung_trailer
from tests.support.pictures import exif_segment, jpeg_with, riff, riff_chunk, segment, tiff, webp_chunks
from tests.support.profiles import SRGB

pytestmark = pytest.mark.skipif(
    not CHROMIUM, reason="WHAT CHROMIUM SHOWS IS NOT COMPARED: there is no Chromium (apt-get install chromium)"
)

# Load a file, and return its size and all pixels, or null if the browser shows nothing of it.
SHOW = """async (url) => {
  const image = new Image();
  image.src = url;
  try {
    await image.decode();
  } catch {
    return null;
  }
  const [width, height] = [image.naturalWidth, image.naturalHeight];
  const context = new OffscreenCanvas(width, height).getContext("2d");
  context.drawImage(image, 0, 0);
  const pixels = context.getImageData(0, 0, width, height).data;
  return pixels.some((value) => value) ? [width, height, pixels.join()] : null;
}"""
TYPES = {"jpg": "image/jpeg", "webp": "image/webp"}


@pytest.fixture(scope="module")
def page(slow_tier: None) -> Iterator[Page]:
    """Start a browser for this module. While it runs, no other test of the process can start an event loop."""
    with chromium() as browser:
        page = browser.new_page()
        page.goto("about:blank")
        yield page


def shown(page: Page, kind: strip.Kind, content: bytes) -> Any:
    return page.evaluate(SHOW, f"data:{TYPES[kind]};base64,{base64.b64encode(content).decode()}")


# -- JPEG -----------------------------------------------------------------------------------------------------------

BASELINE, PROGRESSIVE = pictures.jpeg(1, (48, 32)), pictures.jpeg(2, (48, 32), progressive=True)
SWAPPED = SRGB.replace(b"rXYZ", b"tmp ", 1).replace(b"bXYZ", b"rXYZ", 1).replace(b"tmp ", b"bXYZ", 1)  # red is blue
SOF, DHT, SOS = 0xC0, 0xC4, 0xDA


def icc(number: int, count: int, part: bytes = SWAPPED) -> bytes:
    return segment(0xE2, b"ICC_PROFILE\0" + bytes((number, count)) + part)


def before(marker: int, *parts: bytes, carrier: bytes = BASELINE) -> bytes:
    """Insert bytes before the JPEG's first such marker."""
    at = carrier.index(bytes((0xFF, marker)))
    return carrier[:at] + b"".join(parts) + carrier[at:]


def between_scans(*parts: bytes) -> bytes:
    scan = PROGRESSIVE.index(b"\xff\xda")
    at = PROGRESSIVE.index(b"\xff\xc4", scan)
    return PROGRESSIVE[:at] + b"".join(parts) + PROGRESSIVE[at:]


def each_table_twice(carrier: bytes) -> bytes:
    return b"".join(whole * (1 + (marker in (DHT, 0xDB))) for marker, whole in pieces(carrier))


def case(name: str) -> bytes:
    return (ROOT / "tests/images/cases" / name).read_bytes()


HALVES = SWAPPED[:200], SWAPPED[200:]
JPEGS = {
    "plain": BASELINE,
    "zeros before the frame": before(SOF, bytes(5)),
    "FF 00 before the scan": before(SOS, b"\xff\0"),
    "a restart marker and text before a table": before(DHT, b"\xff\xd3text"),
    "a marker without a segment": before(SOF, b"\xff\1"),
    "zeros between scans": between_scans(bytes(5)),
    "zeros before the end": BASELINE[:-2] + bytes(9) + BASELINE[-2:],
    "a comment of length 0": before(SOF, b"\xff\xfe\0\0"),
    "empty tables": before(SOS, segment(DHT, b""), segment(0xDB, b""), segment(DHT, b"")),
    "tables twice": each_table_twice(BASELINE),
    "tables twice for each scan": each_table_twice(PROGRESSIVE),
    "a table behind the last scan": BASELINE[:-2] + segment(DHT, b"\x0f" * 9) + BASELINE[-2:],
    "another scan behind the last": BASELINE[:-2] + BASELINE[BASELINE.index(b"\xff\xda") : -2] + BASELINE[-2:],
    "99 scans": many_scans(48, 32, 99),
    "junk before the table": case("j-junk-before-dqt.jpg"),
    "two EXIF": case("j-exif1-exif6.jpg"),
    "the trailer of a phone": case("j-noeoi-samsung.jpg"),
    "the end and the trailer of a phone": BASELINE + samsung_trailer([("Image_UTC_Data", b"1")]),
    "turned": jpeg_with(BASELINE, exif_segment(6)),
    "turned, then upright": jpeg_with(BASELINE, exif_segment(6), exif_segment(1)),
    "no orientation, then turned": jpeg_with(BASELINE, exif_segment(), exif_segment(6)),
    "no TIFF, then turned": jpeg_with(BASELINE, segment(0xE1, b"Exif\0\0no TIFF"), exif_segment(6)),
    "nothing, then turned": jpeg_with(BASELINE, segment(0xE1, b"Exif\0\0"), exif_segment(6)),
    "XMP, then turned": jpeg_with(BASELINE, segment(0xE1, pictures.XMP_NAME), exif_segment(6)),
    "EXIF with another sixth byte": jpeg_with(BASELINE, segment(0xE1, b"Exif\0\xff" + tiff(8))),
    "turned before the scan": before(SOS, exif_segment(5)),
    "turned between scans": between_scans(exif_segment(6)),
    "turned behind the scan": BASELINE[:-2] + exif_segment(6) + BASELINE[-2:],
    "three orientations": jpeg_with(
        BASELINE,
        segment(0xE1, b"Exif\0\0" + pictures.tiff_of("<", [(0x0112, 3, bytes((n, 0))) for n in (9, 6, 1)])),
    ),
    "a profile": jpeg_with(BASELINE, icc(1, 1)),
    "a profile in halves": jpeg_with(BASELINE, icc(2, 2, HALVES[1]), icc(1, 2, HALVES[0])),
    "half a profile": jpeg_with(BASELINE, icc(1, 2, HALVES[0])),
    "half a profile twice": jpeg_with(BASELINE, icc(1, 2, HALVES[0]), icc(1, 2, HALVES[0]), icc(2, 2, HALVES[1])),
    "two profiles": jpeg_with(BASELINE, icc(1, 1), icc(1, 1, SRGB)),
    "two other profiles": jpeg_with(BASELINE, icc(1, 1, SRGB), icc(1, 1)),
    "another count": jpeg_with(BASELINE, icc(1, 2, HALVES[0]), icc(2, 3, HALVES[1])),
    "an empty part, then a profile": jpeg_with(BASELINE, icc(1, 1, b""), icc(1, 1)),
    "a part numbered 0": jpeg_with(BASELINE, icc(0, 1)),
    "a profile before the scan": before(SOS, icc(1, 1)),
    "a profile between scans": between_scans(icc(1, 1)),
    "a profile of 20,000 stages": case("bomb-icc-20000-stages.jpg"),
    "another transform between scans": between_scans(segment(0xEE, b"Adobe\0\x64" + bytes(5))),
}


@pytest.mark.parametrize("name", JPEGS)
def test_a_jpeg_is_stored_as_chromium_shows_it(page: Page, name: str) -> None:
    stored = strip.clean(JPEGS[name], "jpg").content
    wanted = shown(page, "jpg", JPEGS[name])
    assert wanted is not None
    assert shown(page, "jpg", stored) == wanted


def test_the_profile_of_the_examples_can_be_seen(page: Page) -> None:
    plain, swapped = (shown(page, "jpg", JPEGS[name]) for name in ("plain", "a profile"))
    assert plain != swapped


def framed(at: int, new: bytes, marker: int = SOF) -> bytes:
    """Write other bytes into the frame header of the JPEG, and its marker."""
    start = BASELINE.index(b"\xff\xc0")
    data = BASELINE[: start + 4 + at] + new + BASELINE[start + 4 + at + len(new) :]
    return data[: start + 1] + bytes((marker,)) + data[start + 2 :]


# Arithmetic coding is not among them: Debian builds Chromium with a decoder for it, other builds have none.
UNSHOWN = {
    **{f"FF{marker:02X}": framed(0, b"", marker) for marker in (0xC3, 0xC5, 0xC6, 0xC7, 0xCB, 0xCD, 0xCE, 0xCF, 0xF7)},
    "lossless": case("j-lossless-sof3.jpg"),
    "12 bits": framed(0, b"\x0c", 0xC1),
    "no height": framed(1, b"\0\0"),
    "a height behind the scan": framed(1, b"\0\0")[:-2] + segment(0xDC, b"\0\x20") + b"\xff\xd9",
    "a long side": framed(3, b"\xff\xdd"),
    "two colours": framed(5, b"\2"),
    "bytes before the start": b"\0" + BASELINE,
    "two starts": before(SOF, b"\xff\xd8"),
    "a reserved marker": before(SOF, segment(2, b"")),
    "two frames": before(SOS, segment(SOF, BASELINE[BASELINE.index(b"\xff\xc0") + 4 :][:15])),
}


@pytest.mark.parametrize("name", UNSHOWN)
def test_a_jpeg_that_chromium_does_not_show_is_refused(page: Page, name: str) -> None:
    with pytest.raises(UnsupportedMediaType):
        strip.clean(UNSHOWN[name], "jpg")
    assert shown(page, "jpg", UNSHOWN[name]) is None


def test_chromium_gives_up_at_the_hundredth_scan(page: Page) -> None:
    assert shown(page, "jpg", many_scans(48, 32, 99))
    assert shown(page, "jpg", many_scans(48, 32, 100)) is None


# -- WebP -----------------------------------------------------------------------------------------------------------

LOSSY, LOSSLESS, WITH_ALPHA = pictures.webp(1), pictures.webp(1, lossless=True), pictures.webp(2, mode="RGBA")
[VP8], [VP8L] = webp_chunks(LOSSY), webp_chunks(LOSSLESS)
_, ALPH, BELOW = webp_chunks(WITH_ALPHA)
STILL, ALPHA, MOVING, COLOURED = (canvas(24, 16, flags) for flags in (0, 0x10, 0x02, 0x20))
OWN, ICCP, EXIF = (b"prVt", b"odd"), (b"ICCP", SWAPPED), (b"EXIF", tiff(6))

WEBPS = {
    "simple": LOSSY,
    "more behind the picture": riff([VP8, EXIF, ICCP, OWN, VP8L, STILL]),
    "chunks to skip": riff([STILL, OWN, VP8, OWN]),
    "padding of a chunk to skip": riff([STILL, OWN, VP8]).replace(b"odd\0", b"oddx"),
    "transparency": WITH_ALPHA,
    "transparency without its flag": riff([STILL, ALPH, BELOW]),
    "a profile": riff([COLOURED, ICCP, VP8]),
    "a profile behind the picture": riff([COLOURED, VP8, ICCP]),
    "a profile without its flag": riff([STILL, ICCP, VP8]),
    "two profiles": riff([COLOURED, ICCP, (b"ICCP", SRGB), VP8]),
    "two other profiles": riff([COLOURED, (b"ICCP", SRGB), ICCP, VP8]),
    "an orientation": riff([canvas(24, 16, 0x08), VP8, EXIF]),
    "an orientation without its flag": riff([STILL, VP8, EXIF]),
    "an animation": pictures.animated_webp(),
    "an animation without its flag behind a picture": riff([STILL, VP8, ANIM, frame(LOSSLESS)]),
    "chunks to skip in an animation": riff([MOVING, OWN, ANIM, OWN, frame(LOSSY), OWN, frame(LOSSLESS), OWN]),
    "a frame and more": riff([MOVING, ANIM, (b"ANMF", frame(LOSSY)[1] + riff_chunk(*OWN)), frame(LOSSLESS)]),
}


@pytest.mark.parametrize("name", WEBPS)
def test_a_webp_is_stored_as_chromium_shows_it(page: Page, name: str) -> None:
    stored = strip.clean(WEBPS[name], "webp").content
    wanted = shown(page, "webp", WEBPS[name])
    assert wanted is not None
    assert shown(page, "webp", stored) == wanted


UNSHOWN_WEBPS = {
    "a chunk before the picture": riff([OWN, VP8]),
    "a chunk before the header": riff([OWN, STILL, VP8]),
    "transparency without a header": riff([ALPH, BELOW]),
    "two headers": riff([STILL, STILL, VP8]),
    "two pictures": riff([STILL, VP8, VP8L]),
    "a picture before its transparency": riff([ALPHA, BELOW, ALPH]),
    "a chunk between transparency and picture": riff([ALPHA, ALPH, OWN, BELOW]),
    "a still picture with the flag of an animation": riff([MOVING, VP8]),
    "an animation without its flag": riff([STILL, ANIM, frame(LOSSY)]),
    "an animation and a picture": riff([MOVING, ANIM, frame(LOSSY), VP8]),
    "an animation without a background": riff([MOVING, frame(LOSSY)]),
    "an unknown flag": riff([canvas(24, 16, 0x40), VP8]),
    "a long header": riff([(STILL[0], STILL[1] + bytes(2)), VP8]),
    "a frame of two pictures": riff([MOVING, ANIM, (b"ANMF", frame(LOSSY)[1] + riff_chunk(*VP8L))]),
    "bytes that are no chunk": LOSSY[:4] + (len(LOSSY) - 5).to_bytes(4, "little") + LOSSY[8:] + b"\0\0\0",
    "half a picture": LOSSY[: len(LOSSY) // 2],
}


@pytest.mark.parametrize("name", UNSHOWN_WEBPS)
def test_a_webp_that_chromium_does_not_show_is_refused(page: Page, name: str) -> None:
    with pytest.raises(UnsupportedMediaType):
        strip.clean(UNSHOWN_WEBPS[name], "webp")
    assert shown(page, "webp", UNSHOWN_WEBPS[name]) is None
