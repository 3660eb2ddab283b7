"""The heaviest pictures that are taken, by kind, and the bombs that are refused, each with a function that makes it.

`make worst` measures all of them, and tests take the small ones.
"""

import itertools
import struct
from dataclasses import dataclass
from functools import partial

from shared.limits import FILE_MAX
from shared.pictures.showing.png_pixels import COMPARED_MAX
from shared.pictures.sizes import MAX_FRAMES, MAX_PIXELS, MAX_WEBP_PIXELS
from shared.pictures.stripping.strip_jpeg import BOUNDED_SCANS, MAX_SCANS
from tests.support import heavy_pictures as heavy
from tests.support import pictures, profiles
from tests.support.heavy_pictures import GREY, PALETTE, RGB, RGBA, SIDE, WEBP_SIZE, Make
from tests.support.pictures import PNG_SIGNATURE, chunk, jpeg_with, riff, segment

HALF = SIDE // 2
INKS_SCANS = BOUNDED_SCANS * 3 // 5
SMALL = int((MAX_PIXELS / MAX_FRAMES) ** 0.5)  # pixels of the side of each of the most frames
NOISE = 30_000_000  # bytes of noise in a PNG, which are 18 MB then
GAMMA = chunk(b"gAMA", (100_000).to_bytes(4))
PRIMARIES = chunk(b"cHRM", struct.pack(">8I", 31_270, 32_900, 70_800, 29_200, 17_000, 79_700, 13_100, 4_600))


def inks_profile(grid: int = 17) -> bytes:
    """Make a profile of a printer with a table of four colours, as Photoshop embeds it in JPEG of four inks."""
    axis = range(grid)
    colours = bytes(
        value
        for inks in itertools.product(axis, repeat=4)
        for value in (255 - 255 * max(inks) // (grid - 1), 128 + inks[0] - inks[1], 128 + inks[2])
    )
    ramp = bytes(range(256))
    matrix = struct.pack(">9i", 65_536, 0, 0, 0, 65_536, 0, 0, 0, 65_536)
    table = b"mft1" + bytes(4) + bytes((4, 3, grid, 0)) + matrix + ramp * 4 + colours + ramp * 3
    made = bytearray(
        profiles.of_tags({b"A2B0": table, b"wtpt": b"XYZ " + bytes(4) + bytes.fromhex("f6d6 0001 0000 d32d")})
    )
    made[12:24] = b"prtrCMYKLab "
    return bytes(made)


def with_profile(jpeg: bytes, profile: bytes) -> bytes:
    """Insert the profile into a JPEG in as many segments as it needs."""
    size = 65_000
    parts = [profile[at : at + size] for at in range(0, len(profile), size)]
    named = [b"ICC_PROFILE\0" + bytes((number + 1, len(parts))) + part for number, part in enumerate(parts)]
    return jpeg[:2] + b"".join(segment(0xE2, each) for each in named) + jpeg[2:]


def lossy_webp(width: int, height: int) -> bytes:
    """Write noise of two kinds in blocks: Pillow encodes it in two seconds."""
    tile = pictures.raster(1, size=(256, 256))
    whole = tile.resize((width, height), resample=0)
    return pictures.saved(whole, "WEBP", quality=40, method=0)


def animated_webp(side: int, *, frame: bytes = b"", frames: int = MAX_FRAMES) -> bytes:
    """Write frames that are lossless and blended."""
    ((_, content),) = pictures.webp_chunks(frame or heavy.lossless_webp(side, side))
    if frames * len(content) > FILE_MAX:
        ((_, content),) = pictures.webp_chunks(heavy.lossless_webp(side, side, noise=False))
    sides = (side - 1).to_bytes(3, "little")
    data = b"VP8L" + len(content).to_bytes(4, "little") + content + bytes(len(content) % 2)
    one = (b"ANMF", bytes(6) + sides * 2 + (40).to_bytes(3, "little") + b"\0" + data)
    return riff([(b"VP8X", bytes((0x12, 0, 0, 0)) + sides * 2), (b"ANIM", bytes(6)), *[one] * frames])


TAKEN: dict[str, Make] = {
    "JPEG": partial(heavy.dense_jpeg, SIDE, 3, FILE_MAX),
    "JPEG of grey": partial(heavy.dense_jpeg, SIDE, 1, FILE_MAX),
    "JPEG of four inks": partial(heavy.dense_jpeg, SIDE, 4, FILE_MAX),
    "JPEG of four inks, profile": lambda: with_profile(heavy.dense_jpeg(SIDE, 4, FILE_MAX), inks_profile()),
    "JPEG of 3 colours, profile": lambda: with_profile(heavy.dense_jpeg(SIDE, 3, FILE_MAX), profiles.SRGB),
    f"JPEG of {BOUNDED_SCANS} scans": partial(heavy.progressive_jpeg, SIDE, 3, BOUNDED_SCANS),
    f"JPEG of four inks, {INKS_SCANS} scans": partial(heavy.progressive_jpeg, SIDE, 4, INKS_SCANS),
    f"JPEG of {MAX_SCANS} scans, 13 megapixels": partial(heavy.progressive_jpeg, 3_648, 3, MAX_SCANS),
    "PNG": partial(heavy.png, SIDE, 8, RGB, noise=NOISE),
    "PNG, interlaced": partial(heavy.png, SIDE, 8, RGB, height=6_144, noise=NOISE, interlaced=True),
    "PNG with transparency": partial(heavy.png, SIDE, 8, RGBA, noise=NOISE),
    "PNG with transparency, interlaced": partial(heavy.png, SIDE, 8, RGBA, height=6_144, noise=NOISE, interlaced=True),
    "PNG of 16 bits": partial(heavy.png, SIDE, 16, RGB, height=6_144, noise=NOISE),
    "PNG of 16 bits, interlaced": partial(heavy.png, SIDE, 16, RGB, height=6_144, noise=NOISE, interlaced=True),
    "PNG of 16 bits of grey": partial(heavy.png, SIDE, 16, GREY, height=6_144, noise=NOISE, interlaced=True),
    "PNG of 16 bits, transparent": partial(heavy.png, SIDE, 16, RGBA, height=HALF, noise=NOISE, interlaced=True),
    "PNG with a palette": lambda: heavy.png(
        SIDE, 8, PALETTE, height=6_144, interlaced=True, more=chunk(b"PLTE", bytes(768))
    ),
    "PNG with gamma": partial(heavy.png, SIDE, 8, RGB, noise=NOISE, more=GAMMA),
    "PNG with gamma, primaries": partial(heavy.png, SIDE, 8, RGB, noise=NOISE, more=GAMMA + PRIMARIES),
    "PNG with gamma, transparent": partial(heavy.png, SIDE, 8, RGBA, height=6_144, noise=NOISE, more=GAMMA + PRIMARIES),
    "PNG with gamma, transparent colour": partial(
        heavy.png, SIDE, 8, RGB, height=6_144, noise=NOISE, more=GAMMA + PRIMARIES + chunk(b"tRNS", bytes(6))
    ),
    "PNG of 16 bits, transparent colour": partial(
        heavy.png,
        4_096,
        16,
        RGB,
        height=COMPARED_MAX // 4_096,
        noise=NOISE,
        more=GAMMA + PRIMARIES + chunk(b"tRNS", bytes(6)),
    ),
    "PNG in chunks of 256 bytes": partial(heavy.png, SIDE, 8, RGB, split=256),
    "animated PNG, 2 frames": partial(heavy.apng, int((MAX_PIXELS / 2) ** 0.5), 2),
    "animated PNG, 16 frames": partial(heavy.apng, SIDE // 4, 16),
    f"animated PNG, {MAX_FRAMES:,} frames": partial(heavy.apng, SMALL, MAX_FRAMES),
    "WebP": partial(lossy_webp, *WEBP_SIZE),
    "lossless WebP": partial(heavy.lossless_webp, *WEBP_SIZE),
    "lossless WebP of one colour": partial(heavy.lossless_webp, *WEBP_SIZE, noise=False),
    f"animated WebP, {MAX_FRAMES:,} frames": lambda: animated_webp(int((MAX_WEBP_PIXELS / MAX_FRAMES) ** 0.5)),
}


@dataclass(frozen=True, slots=True)
class Bomb:
    """A file that must be refused, or taken without what makes it heavy. `by_headers` says that no decoder is asked."""

    make: Make
    by_headers: bool = True
    is_taken: bool = False


def tables_jpeg(marker: int, payload: bytes) -> bytes:
    """Write FILE_MAX bytes of such segments before a small picture."""
    one = segment(marker, payload)
    return jpeg_with(pictures.jpeg(), one * ((FILE_MAX - 2_000) // len(one)))


def empty_chunks_png() -> bytes:
    """Write FILE_MAX bytes of IDAT without content before the pixels."""
    return pictures.png_with(pictures.png(), *[chunk(b"IDAT", b"")] * ((FILE_MAX - 2_000) // 12))


def groups_animation() -> bytes:
    """Write frames of many groups of codes."""
    frame = heavy.groups_webp(512, 16_384, large=True)
    return animated_webp(512, frame=frame, frames=FILE_MAX // len(frame) or 1)


def giant_header() -> bytes:
    header = struct.pack(">IIBBBBB", 2**31 - 1, 2**31 - 1, 8, 2, 0, 0, 0)
    return PNG_SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", b"x") + chunk(b"IEND", b"")


def groups_transparency() -> bytes:
    """Write a lossy WebP whose transparency is coded in many groups; it has no header of its own."""
    whole = heavy.groups_webp(1_024, 65_536, large=True)
    ((_, content),) = pictures.webp_chunks(whole)
    ((_, lossy),) = pictures.webp_chunks(pictures.webp(1, (1_024, 1_024)))
    sides = (1_023).to_bytes(3, "little") * 2
    return riff([(b"VP8X", bytes((0x10, 0, 0, 0)) + sides), (b"ALPH", b"\1" + content[5:]), (b"VP8 ", lossy)])


BOMBS: dict[str, Bomb] = {
    "arithmetic-coded JPEG, 100 scans": Bomb(
        partial(heavy.progressive_jpeg, 7_064, 3, 100, frame_marker=heavy.SOF9 + 1)
    ),
    "JPEG of 50 megapixels, 99 scans": Bomb(partial(heavy.progressive_jpeg, 7_064, 3, MAX_SCANS)),
    "JPEG of empty DHT segments": Bomb(partial(tables_jpeg, 0xC4, b"")),
    "JPEG of DRI segments": Bomb(partial(tables_jpeg, 0xDD, b"\0\0")),
    "JPEG of one DHT again and again": Bomb(partial(tables_jpeg, 0xC4, b"\0\1" + bytes(15) + b"\0")),
    "PNG of empty IDAT chunks": Bomb(empty_chunks_png, is_taken=True),
    "PNG of 2^31 x 2^31 pixels": Bomb(giant_header),
    "PNG of 900 megapixels": Bomb(pictures.giant_png),
    "WebP of 65,536 small groups": Bomb(partial(heavy.groups_webp, 1_024, 65_536, large=False), is_taken=True),
    "WebP of 65,536 large groups": Bomb(partial(heavy.groups_webp, 1_024, 65_536, large=True), by_headers=False),
    "WebP of 100,000 large groups": Bomb(partial(heavy.groups_webp, 1_024, 50_000, large=True), by_headers=False),
    "animated WebP of large groups": Bomb(groups_animation, by_headers=False),
    "transparency of many groups": Bomb(groups_transparency, by_headers=False),
    "JPEG with a bomb in its profile": Bomb(lambda: profiles.case("bomb-icc-20000-stages.jpg"), is_taken=True),
    "PNG with a bomb in its profile": Bomb(lambda: profiles.case("bomb-icc-9000-stages.png"), is_taken=True),
    "arithmetic-coded JPEG of 2,800 pixels": Bomb(lambda: profiles.case("slow-arithmetic-2800.jpg")),
}
