"""Chromium shows what is stored of a PNG as it shows what was sent, each frame of an animation."""

import base64
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from shared.errors import UnsupportedMediaType
from shared.pictures.stripping.strip_png import clean
from tests.support import pictures
from tests.support.browser import CHROMIUM, chromium
from tests.support.pictures import chunk, png_chunks, png_of, png_with, tiff
from tests.support.png_animations import NOTHING, SHOWN, png
from tests.support.profiles import SRGB, case, chain, iccp, of_tags, tags_of

pytestmark = pytest.mark.skipif(
    not CHROMIUM, reason="WHAT CHROMIUM SHOWS IS NOT COMPARED: there is no Chromium (apt-get install chromium)"
)

# Decode a PNG, and return its frames up to the first that fails, each with its size and pixels.
FRAMES = """async (base64) => {
  const data = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const frames = [];
  try {
    const decoder = new ImageDecoder({data, type: "image/png"});
    await decoder.tracks.ready;
    await decoder.completed;
    for (let frameIndex = 0; frameIndex < decoder.tracks.selectedTrack.frameCount; frameIndex++) {
      const {image} = await decoder.decode({frameIndex});
      const context = new OffscreenCanvas(image.displayWidth, image.displayHeight).getContext("2d");
      context.drawImage(image, 0, 0);
      const pixels = context.getImageData(0, 0, image.displayWidth, image.displayHeight).data;
      frames.push([image.displayWidth, image.displayHeight, image.rotation, image.flip, pixels.join()]);
      image.close();
    }
  } catch {
  }
  return frames;
}"""


@pytest.fixture(scope="module")
def page(slow_tier: None) -> Iterator[Page]:
    """Start a browser for this module. While it runs, no other test of the process can start an event loop."""
    with chromium() as browser:
        page = browser.new_page()
        page.route("**/*", lambda route: route.fulfill(body="<p>", content_type="text/html"))
        page.goto("http://localhost/")  # ImageDecoder needs a secure context
        yield page


def shown(page: Page, content: bytes) -> Any:
    return page.evaluate(FRAMES, base64.b64encode(content).decode())


def corrupt(part: bytes) -> bytes:
    return part[:-1] + bytes([part[-1] ^ 1])


RGB, GREY, RGBA = pictures.png(1), pictures.png(2, mode="L"), pictures.png(3, mode="RGBA")
PALETTE = png_of(each for each in png_chunks(pictures.palette_png()) if each[0] != b"tRNS")
(COLOURS,) = [chunk(kind, payload) for kind, payload in png_chunks(PALETTE) if kind == b"PLTE"]
TAGS = dict(tags_of(SRGB))
SWAPPED = of_tags(TAGS | {b"rXYZ": TAGS[b"bXYZ"], b"bXYZ": TAGS[b"rXYZ"]})  # red is blue
DARK, LIGHT = chunk(b"gAMA", (20000).to_bytes(4)), chunk(b"gAMA", (100000).to_bytes(4))
WIDE, SRGB_CICP = chunk(b"cICP", b"\x09\x10\0\1"), chunk(b"cICP", b"\x01\x0d\0\1")
SRGB_INTENT = chunk(b"sRGB", b"\0")
PRIMARIES = chunk(b"cHRM", b"".join(n.to_bytes(4) for n in (31270, 32900, 15000, 6000, 30000, 60000, 64000, 33000)))
TRANSPARENT = chunk(b"tRNS", b"".join(bytes((0, value)) for value in pictures.raster(1).tobytes()[:3]))
INVISIBLE, HALF = chunk(b"tRNS", bytes(16)), chunk(b"tRNS", b"\x80" * 16)
SIX, THREE = (chunk(b"eXIf", tiff(orientation, order=">")) for orientation in (6, 3))
ICC, PLAIN_ICC = iccp(SWAPPED), iccp(SRGB)


def late(*parts: bytes, data: bytes = RGB) -> bytes:
    return png_with(data, *parts, before=b"IEND")


def early(*parts: bytes, data: bytes = PALETTE) -> bytes:
    return png_with(data, *parts, before=b"PLTE")


STILLS = {
    "gamma": png_with(RGB, DARK),
    "gamma twice": png_with(RGB, DARK, LIGHT),
    "a wrong gamma and a right one": png_with(RGB, corrupt(DARK), LIGHT),
    "a short gamma and a right one": png_with(RGB, chunk(b"gAMA", bytes(3)), LIGHT),
    "a long gamma": png_with(RGB, chunk(b"gAMA", DARK[8:12] + b"x")),
    "gamma of 0": png_with(RGB, chunk(b"gAMA", bytes(4))),
    "gamma of 0 and a right one": png_with(RGB, chunk(b"gAMA", bytes(4)), LIGHT),
    "gamma after the pixels": late(DARK),
    "gamma after the palette": png_with(PALETTE, DARK),
    "gamma before the palette": early(DARK),
    "a profile": png_with(RGB, ICC),
    "two profiles": png_with(RGB, ICC, PLAIN_ICC),
    "two other profiles": png_with(RGB, PLAIN_ICC, ICC),
    "a profile with a wrong checksum and a right one": png_with(RGB, corrupt(PLAIN_ICC), ICC),
    "a profile that is no zlib stream and a right one": png_with(RGB, chunk(b"iCCP", b"icc\0\0no zlib"), ICC),
    "a profile that is cut": png_with(RGB, chunk(b"iCCP", b"icc\0\0" + zlib.compress(SWAPPED)[:-9])),
    "a profile without its checksum": png_with(RGB, chunk(b"iCCP", b"icc\0\0" + zlib.compress(SWAPPED)[:-4])),
    "a profile and more": png_with(RGB, chunk(b"iCCP", b"icc\0\0" + zlib.compress(SWAPPED) + b"more")),
    "a profile without a name": png_with(RGB, chunk(b"iCCP", b"\0\0" + zlib.compress(SWAPPED))),
    "a profile with a name of 80 bytes": png_with(RGB, iccp(SWAPPED, name=b"n" * 80)),
    "a profile with a name of 81 bytes": png_with(RGB, iccp(SWAPPED, name=b"n" * 81)),
    "a profile with a chain": png_with(RGB, iccp(of_tags(dict(tags_of(SWAPPED)) | {b"D2B0": chain(9)}))),
    "a profile after the pixels": late(ICC),
    "a profile after the palette": png_with(PALETTE, ICC),
    "a profile before the palette": early(ICC),
    "no profile and gamma": png_with(RGB, iccp(b"no profile"), DARK),
    "a profile and gamma": png_with(RGB, ICC, DARK),
    "sRGB and gamma": png_with(RGB, SRGB_INTENT, DARK),
    "sRGB of an unknown intent and gamma": png_with(RGB, chunk(b"sRGB", b"\4"), DARK),
    "sRGB, the second right, and gamma": png_with(RGB, chunk(b"sRGB", b"\4"), SRGB_INTENT, DARK),
    "long sRGB and gamma": png_with(RGB, chunk(b"sRGB", b"\0\0"), DARK),
    "primaries": png_with(RGB, PRIMARIES, LIGHT),
    "primaries twice": png_with(RGB, PRIMARIES, chunk(b"cHRM", bytes(32)), LIGHT),
    "primaries of 0": png_with(RGB, chunk(b"cHRM", bytes(32)), PRIMARIES, LIGHT),
    "code points": png_with(RGB, WIDE),
    "code points twice": png_with(RGB, WIDE, SRGB_CICP),
    "unknown code points": png_with(RGB, chunk(b"cICP", b"\x63\x0d\0\1"), WIDE),
    "code points after the palette": png_with(PALETTE, WIDE),
    "code points before the palette": early(WIDE),
    "code points after a palette that no pixel uses": png_with(RGB, COLOURS, WIDE),
    "code points before a palette that no pixel uses": png_with(RGB, WIDE, COLOURS),
    "code points after the pixels": late(WIDE),
    "transparency": png_with(RGB, TRANSPARENT),
    "transparency twice": png_with(RGB, TRANSPARENT, chunk(b"tRNS", bytes(6))),
    "transparency before a palette that no pixel uses": png_with(RGB, TRANSPARENT, COLOURS),
    "short transparency and a right one": png_with(RGB, chunk(b"tRNS", bytes(2)), TRANSPARENT),
    "long transparency": png_with(RGB, chunk(b"tRNS", TRANSPARENT[8:14] + b"xx")),
    "transparency after the pixels": late(TRANSPARENT),
    "transparency of grey": png_with(GREY, chunk(b"tRNS", b"\0" + pictures.raster(2, mode="L").tobytes()[:1])),
    "transparency beside alpha": png_with(RGBA, TRANSPARENT),
    "transparency of a palette": png_with(PALETTE, INVISIBLE),
    "transparency of a palette twice": png_with(PALETTE, HALF, INVISIBLE),
    "transparency of more colours than the palette has": png_with(PALETTE, chunk(b"tRNS", bytes(20))),
    "transparency of 257 colours and a right one": png_with(PALETTE, chunk(b"tRNS", bytes(257)), HALF),
    "empty transparency and a right one": png_with(PALETTE, chunk(b"tRNS", b""), HALF),
    "transparency before the palette": early(INVISIBLE),
    "transparency before and after the palette": early(INVISIBLE, data=png_with(PALETTE, HALF)),
    "turned": png_with(RGB, SIX),
    "turned twice": png_with(RGB, SIX, THREE),
    "a wrong checksum, then turned": png_with(RGB, corrupt(SIX), THREE),
    "upright, then turned": png_with(RGB, chunk(b"eXIf", tiff(1)), SIX),
    "no TIFF, then turned": png_with(RGB, chunk(b"eXIf", b"no TIFF"), SIX),
    "turned after the pixels": late(SIX),
    "a palette of a colour more": png_of(
        (kind, payload + bytes(3) if kind == b"PLTE" else payload) for kind, payload in png_chunks(PALETTE)
    ),
    "a ragged palette that no pixel uses": png_with(RGB, chunk(b"PLTE", bytes(4))),
    "a late palette that no pixel uses": late(COLOURS, COLOURS),
    "an unknown chunk and text": png_with(RGB, chunk(b"prVt", b"x"), corrupt(chunk(b"tEXt", b"a\0b"))),
    "empty pixels": png_with(RGB, chunk(b"IDAT", b"")),
    "two profiles of a phone": case("p-iccp-twice.png"),
    "a text of GIMP": case("p-text-badcrc.png"),
    "a profile of 3 MB": case("p-icc-3MB-zeros.png"),
    "a bomb": case("bomb-icc-9000-stages.png"),
}
FILES = STILLS | {name: png(parts) for name, (parts, _) in SHOWN.items()}


@pytest.mark.parametrize("name", FILES)
def test_a_png_is_stored_as_chromium_shows_it(page: Page, name: str) -> None:
    wanted = shown(page, FILES[name])
    assert wanted
    assert shown(page, clean(FILES[name]).content) == wanted


UNSHOWN = {name: png(parts) for name, parts in NOTHING.items()} | {
    "two palettes": png_with(RGB, COLOURS, COLOURS),
    "an empty palette": png_with(RGB, chunk(b"PLTE", b"")),
    "a palette of 257 colours": png_with(RGB, chunk(b"PLTE", bytes(771))),
    "a palette with a wrong checksum": png_with(RGB, corrupt(COLOURS)),
    "an unknown critical chunk": png_with(RGB, chunk(b"EVIL", b"x")),
    "a second header": png_with(RGB, RGB[8:33]),
}


@pytest.mark.parametrize("name", UNSHOWN)
def test_a_png_that_chromium_does_not_show_is_refused(page: Page, name: str) -> None:
    with pytest.raises(UnsupportedMediaType):
        clean(UNSHOWN[name])
    assert shown(page, UNSHOWN[name]) == []
