"""Pictures of square patches, one of each kind that browsers show in a way of its own."""

import random
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator

from PIL import Image

from tests.support import colour_profiles
from tests.support.pictures import PNG_SIGNATURE, chunk, riff, saved, tiff
from tests.support.profiles import iccp

Colour = tuple[int, ...]

COLUMNS, ROWS, PATCH = 8, 4, 128  # a thumbnail of 256 pixels has patches of 32
SIZE = (COLUMNS * PATCH, ROWS * PATCH)
CORNERS = [(r, g, b) for r in (0, 255) for g in (0, 255) for b in (0, 255)]
GREYS = [(level, level, level) for level in (3, 30, 64, 128, 192, 250)]
_RANDOM = random.Random(4)
COLOURS: list[Colour] = [*CORNERS, *GREYS, *(tuple(_RANDOM.randbytes(3)) for _ in range(18))]
OPACITIES = [255, 200, 128, 60, 0, 255, 20]

P3 = (31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)
ADOBE = (31270, 32900, 64000, 33000, 21000, 71000, 15000, 6000)


def centres(size: tuple[int, int]) -> list[tuple[int, int]]:
    """Return the centres of the patches in a picture of this size."""
    width, height = size
    columns, rows = (COLUMNS, ROWS) if width > height else (ROWS, COLUMNS)
    return [
        ((2 * column + 1) * width // (2 * columns), (2 * row + 1) * height // (2 * rows))
        for row in range(rows)
        for column in range(columns)
    ]


def patches(mode: str = "RGB", colours: Iterable[Colour] = COLOURS) -> Image.Image:
    """Return the patchwork of these colours, which have a value for each channel."""
    small = Image.frombytes(mode, (COLUMNS, ROWS), bytes(value for colour in colours for value in colour))
    return small.resize(SIZE, Image.Resampling.NEAREST)


def translucent() -> list[Colour]:
    return [(*colour, OPACITIES[number % len(OPACITIES)]) for number, colour in enumerate(COLOURS)]


# -- PNG --------------------------------------------------------------------------------------------------------


def png(depth: int, colour_type: int, pixels: Iterable[bytes], *chunks: bytes) -> bytes:
    """Make a PNG of patches. Each of `pixels` is one patch: whole samples, or a byte of equal samples below 8 bits."""
    data = chunk(b"IDAT", zlib.compress(_rows(depth, list(pixels))))
    return b"".join((PNG_SIGNATURE, _header(SIZE, depth, colour_type), *chunks, data, chunk(b"IEND", b"")))


def _rows(depth: int, pixels: list[bytes], columns: int = COLUMNS) -> bytes:
    width = PATCH if depth >= 8 else PATCH * depth // 8
    lines = [pixels[at : at + columns] for at in range(0, len(pixels), columns)]
    return b"".join((b"\0" + b"".join(pixel * width for pixel in line)) * PATCH for line in lines)


def _header(size: tuple[int, int], depth: int, colour_type: int) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", *size, depth, colour_type, 0, 0, 0))


def rgb8(*chunks: bytes) -> bytes:
    return png(8, 2, map(bytes, COLOURS), *chunks)


def gama(value: int) -> bytes:
    return chunk(b"gAMA", value.to_bytes(4))


def chrm(values: Iterable[int]) -> bytes:
    return chunk(b"cHRM", struct.pack(">8I", *values))


def cicp(*codes: int) -> bytes:
    return chunk(b"cICP", bytes(codes))


def cll(nits: int) -> bytes:
    return chunk(b"cLLI", struct.pack(">II", nits * 10_000, 10_000))


def mastered_at(nits: int) -> bytes:
    return chunk(b"mDCV", struct.pack(">8HII", 35400, 14600, 8500, 39850, 6550, 2300, 15635, 16450, nits * 10_000, 1))


def trns(*samples: int) -> bytes:
    return chunk(b"tRNS", struct.pack(f">{len(samples)}H", *samples))


def indexed(*chunks: bytes) -> bytes:
    """Make a PNG whose palette lacks its last colours."""
    palette = chunk(b"PLTE", b"".join(map(bytes, COLOURS[:-2])))
    return png(8, 3, (bytes((number,)) for number in range(len(COLOURS))), palette, *chunks)


def grey(depth: int, *chunks: bytes, key: int | None = None) -> bytes:
    """Make a grey PNG of all levels, up to as many as there are patches. `key` is the transparent one."""
    levels = [number * (2**depth - 1) // 31 if depth > 4 else number % 2**depth for number in range(32)]
    repeated = [int(f"{level:0{depth}b}" * (8 // depth), 2) if depth < 8 else level for level in levels]
    pixels = [level.to_bytes(2 if depth == 16 else 1) for level in repeated]
    return png(depth, 0, pixels, *chunks, *([trns(levels[key])] if key is not None else []))


def deep(colour_type: int, *chunks: bytes) -> bytes:
    """Make a PNG of 16 bits whose low bytes are random."""
    low = random.Random(5)
    wide = {0: 1, 2: 3, 4: 2, 6: 4}[colour_type]
    pixels = [
        b"".join(bytes((value, low.randrange(256))) for value in (colour[-wide:] if wide != 2 else colour[2:]))
        for colour in translucent()
    ]
    if colour_type == 2:
        pixels = [b"".join(bytes((value, low.randrange(256))) for value in colour) for colour in COLOURS]
    return png(16, colour_type, pixels, *chunks)


def deep_with_key() -> bytes:
    """Make a PNG of 16 bits with a transparent colour, and a patch that differs from it in the last bit only."""
    pixels = [bytes((value >> 8, value & 255)) * 3 for value in (0x4080, 0x4081, *range(0, 60_000, 2_000))]
    return png(16, 2, pixels, trns(0x4080, 0x4080, 0x4080))


def apng(*, inner: bool = False, blend: int = 0, hidden: bool = True, chunks: Iterable[bytes] = ()) -> bytes:
    """Make an animation of one frame of patches; an `inner` one leaves a border of a patch.

    Before it is a default image that is no part of the animation, if `hidden`.
    """
    default = zlib.compress((b"\0" + b"\x80" * 4 * SIZE[0]) * SIZE[1])
    columns, rows = (COLUMNS - 2, ROWS - 2) if inner else (COLUMNS, ROWS)
    frame = zlib.compress(_rows(8, [bytes(colour) for colour in translucent()[: columns * rows]], columns))
    place = (columns * PATCH, rows * PATCH, *([PATCH] * 2 if inner else [0, 0]))
    control = chunk(b"fcTL", struct.pack(">5I2H2B", 0, *place, 100, 1000, 1, blend))
    half = len(frame) // 2
    if hidden:
        pixels = [chunk(b"IDAT", default), control, fdat(1, frame[:half]), fdat(2, frame[half:])]
    else:
        pixels = [control, chunk(b"IDAT", frame)]
    start = [PNG_SIGNATURE, _header(SIZE, 8, 6), *chunks, chunk(b"acTL", struct.pack(">II", 1, 0))]
    return b"".join((*start, *pixels, chunk(b"IEND", b"")))


def fdat(number: int, data: bytes) -> bytes:
    return chunk(b"fdAT", number.to_bytes(4) + data)


def _pngs() -> Iterator[tuple[str, bytes]]:
    yield "plain", rgb8()
    for value in (1_000, 2_000, 30_000, 45_455, 47_000, 60_000, 100_000, 250_000):
        yield f"gAMA {value}", rgb8(gama(value))
    yield "gAMA of 0", rgb8(gama(0))
    for name, primaries in (("P3", P3), ("Adobe", ADOBE)):
        yield f"cHRM {name}", rgb8(chrm(primaries))
        for value in (45_455, 100_000):
            yield f"gAMA {value} and cHRM {name}", rgb8(gama(value), chrm(primaries))
    yield "gAMA and a cHRM of one point", rgb8(gama(100_000), chrm(P3[:2] * 4))
    yield "sRGB before gAMA", rgb8(gama(100_000), chunk(b"sRGB", b"\0"))
    yield "sRGB with an unknown intent", rgb8(gama(100_000), chunk(b"sRGB", b"\x09"))
    for primaries in (1, 4, 5, 6, 7, 8, 9, 10, 11, 12, 22):
        yield f"cICP primaries {primaries}", rgb8(cicp(primaries, 13, 0, 1))
    for transfer in (1, 4, 5, 6, 7, 8, 11, 13, 14, 15, 17):
        yield f"cICP transfer {transfer}", rgb8(cicp(1, transfer, 0, 1))
    for name, codes in {"limited range": (12, 8, 0, 0), "unspecified": (2, 2, 0, 1), "unknown": (99, 99, 0, 1)}.items():
        yield f"cICP of {name}, gAMA", rgb8(cicp(*codes), gama(100_000))
    yield "cICP before iCCP and gAMA", rgb8(cicp(12, 13, 0, 1), gama(100_000), iccp(colour_profiles.rgb()))
    yield "cICP linear, grey", grey(8, cicp(9, 8, 0, 1))
    yield "cICP P3, translucent", png(8, 6, map(bytes, translucent()), cicp(12, 13, 0, 1))
    yield "gAMA, translucent", png(8, 6, map(bytes, translucent()), gama(100_000))


def _profiled_pngs() -> Iterator[tuple[str, bytes]]:
    profiles = {
        "of RGB": colour_profiles.rgb(),
        "of RGB, version 4": colour_profiles.rgb(version=4),
        "of linear RGB": colour_profiles.rgb(gamma=1.0),
        "of a table of 8 bits": colour_profiles.lights(),
        "of a table of 16 bits": colour_profiles.lights(bits=16),
        "of grey": colour_profiles.grey(),
        "of inks": colour_profiles.inks(2),
        "that is none": b"x" * 300,
    }
    for name, profile in profiles.items():
        yield f"iCCP {name}", rgb8(iccp(profile))
        yield f"iCCP {name}, grey", grey(8, iccp(profile))
    yield "iCCP of 3 MB", rgb8(iccp(colour_profiles.rgb() + bytes(3_000_000)))
    yield "iCCP before sRGB and gAMA", rgb8(iccp(colour_profiles.rgb()), chunk(b"sRGB", b"\0"), gama(100_000))
    yield "iCCP that is none before gAMA", rgb8(iccp(b"x" * 300), gama(100_000))


def _other_pngs() -> Iterator[tuple[str, bytes]]:
    for depth in (1, 2, 4, 8, 16):
        yield f"grey of {depth} bits", grey(depth)
        yield f"grey of {depth} bits with tRNS", grey(depth, key=1)
        yield f"grey of {depth} bits with gAMA and tRNS", grey(depth, gama(100_000), key=1)
    yield "grey with a tRNS beyond its depth", grey(8, trns(0x0108))
    yield "RGB with tRNS", rgb8(trns(*COLOURS[20]))
    yield "RGB with gAMA and tRNS", rgb8(gama(100_000), trns(*COLOURS[20]))
    yield "RGB of 16 bits with tRNS", deep_with_key()
    for colour_type in (0, 2, 4, 6):
        yield f"16 bits, colour type {colour_type}", deep(colour_type)
        yield f"16 bits, colour type {colour_type}, gAMA", deep(colour_type, gama(100_000))
    yield "16 bits, P3", deep(2, cicp(12, 13, 0, 1))
    yield "grey and alpha", png(8, 4, (bytes(colour[2:]) for colour in translucent()))
    yield "palette", indexed()
    yield "palette with gAMA", indexed(gama(100_000))
    yield "palette with tRNS", indexed(chunk(b"tRNS", bytes(range(250, 0, -25))))
    yield "palette with gAMA and a full tRNS", indexed(gama(60_000), chunk(b"tRNS", bytes(range(255, 15, -8))[:30]))
    yield "APNG", apng(hidden=False)
    yield "APNG with a hidden default image", apng()
    yield "APNG with a frame on a larger canvas", apng(inner=True)
    yield "APNG with a frame that is blended", apng(inner=True, blend=1, chunks=[gama(100_000)])
    for orientation in range(1, 9):
        yield f"eXIf {orientation}", rgb8(chunk(b"eXIf", tiff(orientation)))


def rare_pngs() -> dict[str, bytes]:
    """Return pictures of high dynamic range, and of profiles for other colours than theirs, by their names."""
    bright = (cll(4_000), cll(203), mastered_at(4_000))
    kinds = [(name, transfer, primaries) for name, transfer in (("PQ", 16), ("HLG", 18)) for primaries in (1, 9, 12)]
    found = {f"{name}, primaries {primaries}": rgb8(cicp(primaries, code, 0, 1)) for name, code, primaries in kinds}
    found |= {f"PQ with light number {number}": rgb8(cicp(9, 16, 0, 1), light) for number, light in enumerate(bright)}
    found |= {"PQ of 16 bits": deep(6, cicp(9, 16, 0, 1)), "PQ, grey": grey(8, cicp(9, 16, 0, 1))}
    return found | {"iCCP of Lab": rgb8(iccp(colour_profiles.LAB))}


# -- JPEG and WebP ----------------------------------------------------------------------------------------------


def exif(orientation: int) -> Image.Exif:
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags


def inks() -> Image.Image:
    random_inks = random.Random(6)
    pure: list[Colour] = [tuple(255 * (number == ink) for ink in range(4)) for number in range(5)]
    return patches("CMYK", [(255, 255, 255, 255), *pure, *(tuple(random_inks.randbytes(4)) for _ in range(26))])


def _jpegs() -> Iterator[tuple[str, bytes]]:
    def jpeg(picture: Image.Image, **options: object) -> bytes:
        return saved(picture, "JPEG", quality=95, subsampling=0, **options)

    grey = patches("L", [colour[2:] for colour in COLOURS])
    four = jpeg(inks())
    adobe = four.index(b"Adobe") - 4
    yield "JPEG", jpeg(patches())
    yield "JPEG, progressive", jpeg(patches(), progressive=True)
    yield "JPEG of inks", four
    yield "JPEG of inks without Adobe", four[:adobe] + four[adobe + 16 :]
    yield "JPEG of YCCK", four[: adobe + 15] + b"\2" + four[adobe + 16 :]
    for name, profile in {"of 8 bits": colour_profiles.inks(bits=8), "of 16 bits": colour_profiles.inks(9)}.items():
        yield f"JPEG of inks with a profile {name}", jpeg(inks(), icc_profile=profile)
    yield "JPEG of inks with a profile of RGB", jpeg(inks(), icc_profile=colour_profiles.rgb())
    yield "grey JPEG with a profile of grey", jpeg(grey, icc_profile=colour_profiles.grey())
    yield "grey JPEG with a profile of RGB", jpeg(grey, icc_profile=colour_profiles.rgb(gamma=1.0))
    others = {"grey": colour_profiles.grey(), "Lab": colour_profiles.LAB, "inks": colour_profiles.inks(2)}
    for name, profile in others.items():
        yield f"JPEG with a profile of {name}", jpeg(patches(), icc_profile=profile)
    for gamma in (1.0, 2.2):
        yield f"JPEG with a profile of gamma {gamma}", jpeg(patches(), icc_profile=colour_profiles.rgb(gamma=gamma))
    for orientation in range(1, 9):
        yield f"JPEG, orientation {orientation}", jpeg(patches(), exif=exif(orientation))


def _webps() -> Iterator[tuple[str, bytes]]:
    clear = patches("RGBA", translucent())

    def webp(picture: Image.Image, **options: object) -> bytes:
        return saved(picture, "WEBP", lossless=True, **options)

    yield "WebP", webp(patches())
    yield "WebP with alpha", webp(clear)
    yield "WebP with alpha and a profile", webp(clear, icc_profile=colour_profiles.rgb(gamma=1.0))
    yield "WebP with a profile", webp(patches(), icc_profile=colour_profiles.rgb())
    yield "WebP with a profile of Lab", webp(patches(), icc_profile=colour_profiles.LAB)
    for orientation in (2, 6, 8):
        yield f"WebP, orientation {orientation}", webp(patches(), exif=exif(orientation))
    for flags in (0, 2):
        inner = clear.crop((0, 0, SIZE[0] - 2 * PATCH, SIZE[1] - 2 * PATCH))
        yield f"animated WebP, a frame on a red background, flags {flags}", animated(inner, PATCH, flags)
    yield "animated WebP, whole frames", animated(patches(), 0, 0)


def animated(frame: Image.Image, at: int, flags: int) -> bytes:
    """Make a WebP of two equal frames at this place, from the left and from the top."""
    size = _24(frame.width - 1) + _24(frame.height - 1)
    still = saved(frame, "WEBP", lossless=True)
    picture = _24(at // 2) * 2 + size + _24(100) + bytes((flags,)) + still[12:]
    header = bytes((0x12, 0, 0, 0)) + _24(SIZE[0] - 1) + _24(SIZE[1] - 1)
    return riff([(b"VP8X", header), (b"ANIM", b"\0\0\xff\xff\0\0"), (b"ANMF", picture), (b"ANMF", picture)])


def _24(number: int) -> bytes:
    return number.to_bytes(3, "little")


def pictures() -> dict[str, bytes]:
    """Return a picture of each kind by its name, but for rare ones."""
    return dict([*_pngs(), *_profiled_pngs(), *_other_pngs(), *_jpegs(), *_webps()])


Kinds = Callable[[], dict[str, bytes]]
