"""Pictures that take a decoder the most time and memory for their kind, and bombs that would take it minutes.

All are written by hand, a bit or a row at a time, because an encoder would take minutes to make most of them.
"""

import random
import struct
import zlib
from collections.abc import Callable, Iterator
from itertools import repeat

from tests.support.pictures import PNG_SIGNATURE, chunk, riff, segment

SIDE = 8_192  # pixels: squared, the limit of a JPEG and PNG
WEBP_SIZE = (8_192, 6_144)  # pixels: the limit of a WebP
Make = Callable[[], bytes]

# -- JPEG (ITU-T T.81) ----------------------------------------------------------------------------------------------

SOF0, SOF2, SOF9 = 0xC0, 0xC2, 0xC9
LONGEST_RUN = "0" + "1" * 14  # the code 0 of EOB14, and 2^14 - 1 more: 32,767 blocks without any coefficient
RUN = 2**15 - 1


def jpeg(parts: list[bytes]) -> bytes:
    return b"\xff\xd8" + b"".join(parts) + b"\xff\xd9"


def frame(marker: int, side: int, components: int) -> bytes:
    """Write quantization table, frame header and Huffman tables: each has one code, of one bit."""
    named = b"".join(bytes((number + 1, 0x11, 0)) for number in range(components))
    header = segment(marker, b"\x08" + side.to_bytes(2) * 2 + bytes([components]) + named)
    tables = huffman_table(0x00, 0) + huffman_table(0x10, 0 if marker == SOF0 else 0xE0)
    return segment(0xDB, b"\0" + b"\1" * 64) + header + tables


def huffman_table(number: int, symbol: int) -> bytes:
    return segment(0xC4, bytes((number, 1)) + bytes(15) + bytes([symbol]))


def scan(components: list[int], first: int, last: int, bits: int, data: bytes) -> bytes:
    """Write a scan of these components and coefficients. `bits` is Ah and Al, a half byte each."""
    named = b"".join(bytes((number + 1, 0)) for number in components)
    return segment(0xDA, bytes([len(components)]) + named + bytes((first, last, bits))) + data


def progressive_jpeg(side: int, components: int, scans: int, *, frame_marker: int = SOF2) -> bytes:
    """Write an even picture. After its first scan, each scan refines all coefficients of a component by nothing.

    A decoder looks at each of the 63 coefficients of each block for it, though the scan has 60 bytes.
    """
    blocks = (side // 8) ** 2
    every = list(range(components))
    runs = LONGEST_RUN * -(-blocks // RUN)
    runs += "1" * (-len(runs) % 8)
    nothing = int(runs, 2).to_bytes(len(runs) // 8).replace(b"\xff", b"\xff\0")
    first = scan(every, 0, 0, 0, bytes(blocks * components // 8))
    others = [scan([number % components], 1, 63, 0x10, nothing) for number in range(scans - 1)]
    return jpeg([frame(frame_marker, side, components), first, *others])


def baseline_jpeg(side: int, components: int, *, size: int = 0) -> bytes:
    """Write an even picture, and bytes after its last block up to this size of the file."""
    data = bytes((side // 8) ** 2 * components * 2 // 8)
    parts = [frame(SOF0, side, components), scan(list(range(components)), 0, 63, 0, data)]
    return jpeg([*parts, bytes(max(0, size - sum(map(len, parts)) - 4))])


def dense_jpeg(side: int, components: int, size: int) -> bytes:
    """Write noise: a code of one bit for each coefficient of each block, as far as this size allows."""
    table = segment(0xC4, b"\x10\1\1" + bytes(14) + b"\x01\0")  # 0: one bit of the next coefficient; 10: end of block
    blocks, each = (side // 8) ** 2 * components, 0
    each = min(63, (size * 8 // blocks - 3) // 2)
    pattern = "0" + "01" * each + ("10" if each < 63 else "")
    eight = int(pattern * 8, 2).to_bytes(len(pattern)).replace(b"\xff", b"\xff\0")
    parts = [frame(SOF0, side, components), table]
    return jpeg([*parts, scan(list(range(components)), 0, 63, 0, eight * (blocks // 8))])


# -- PNG ------------------------------------------------------------------------------------------------------------

PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))  # of Adam7
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type
GREY, RGB, PALETTE, RGBA = 0, 2, 3, 6
PAETH = b"\4"  # the dearest filter


def rows(width: int, height: int, bits: int, *, interlaced: bool) -> Iterator[int]:
    """Yield the bytes of each row, without the filter's."""
    for left, top, right, down in PASSES if interlaced else ((0, 0, 1, 1),):
        columns, count = -(-(width - left) // right), -(-(height - top) // down)
        yield from repeat((columns * bits + 7) // 8, count)


def compressed(lengths: Iterator[int], noise: int = 0) -> bytes:
    """Compress rows: noise of half a byte each up to so many bytes, and zeros then."""
    packer, parts, source = zlib.compressobj(1), [], random.Random(1)
    for length in lengths:
        row = bytes(length)
        if noise > 0:
            row = (source.getrandbits(8 * length) & int.from_bytes(b"\x0f" * length)).to_bytes(length)
        noise -= length
        parts.append(packer.compress(PAETH + row))
    return b"".join([*parts, packer.flush()])


def header(size: tuple[int, int], depth: int, colour: int, *, interlaced: bool) -> bytes:
    return PNG_SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", *size, depth, colour, 0, 0, interlaced))


def png(
    side: int,
    depth: int,
    colour: int,
    *,
    height: int = 0,
    interlaced: bool = False,
    noise: int = 0,
    split: int = 0,
    more: bytes = b"",
) -> bytes:
    """Write a picture of `side` x `height` pixels, perhaps in chunks of `split` bytes, with more chunks before them."""
    size = (side, height or side)
    data = compressed(rows(*size, depth * CHANNELS[colour], interlaced=interlaced), noise)
    pieces = [data[at : at + split] for at in range(0, len(data), split)] if split else [data]
    start = header(size, depth, colour, interlaced=interlaced) + more
    return b"".join([start, *(chunk(b"IDAT", piece) for piece in pieces), chunk(b"IEND", b"")])


def apng(
    side: int,
    frames: int,
    *,
    depth: int = 8,
    colour: int = RGBA,
    dispose: int = 2,
    split: int = 0,
    interlaced: bool = False,
) -> bytes:
    """Write an animation whose frames have its size, are blended with the ones before, and disposed of in this way."""
    data = compressed(rows(side, side, depth * CHANNELS[colour], interlaced=interlaced))
    pieces = [data[at : at + split] for at in range(0, len(data), split)] if split else [data]
    parts, number = [chunk(b"acTL", struct.pack(">II", frames, 0))], 0
    for each in range(frames):
        parts.append(chunk(b"fcTL", struct.pack(">IIIIIHHBB", number, side, side, 0, 0, 1, 10, dispose, 1)))
        number += 1
        for piece in pieces:
            parts.append(chunk(b"fdAT", number.to_bytes(4) + piece) if each else chunk(b"IDAT", piece))
            number += bool(each)
    return b"".join([header((side, side), depth, colour, interlaced=interlaced), *parts, chunk(b"IEND", b"")])


# -- WebP (RFC 9649) ------------------------------------------------------------------------------------------------


class Bits:
    """Bits in the order of a lossless WebP: the lowest of a byte first."""

    def __init__(self) -> None:
        self._parts: list[tuple[int, int]] = []

    def put(self, value: int, count: int) -> "Bits":
        """Add the lowest `count` bits of the value."""
        self._parts.append((value, count))
        return self

    def add(self, other: "Bits", times: int = 1) -> "Bits":
        """Add all bits of another, so many times."""
        value, count = other.number()
        whole, length = 0, 0
        while times:  # doubling what is repeated makes it as fast as its length allows
            if times & 1:
                whole, length = whole | value << length, length + count
            value, count, times = value | value << count, count * 2, times >> 1
        return self.put(whole, length)

    def data(self, content: bytes) -> "Bits":
        """Add the bits of these bytes."""
        return self.put(int.from_bytes(content, "little"), 8 * len(content))

    def number(self) -> tuple[int, int]:
        """Return all bits as a number, and how many there are."""
        whole, length = 0, 0
        for value, count in self._parts:
            whole, length = whole | value << length, length + count
        return whole, length

    def content(self) -> bytes:
        """Return the bytes."""
        whole, length = self.number()
        return whole.to_bytes(-(-length // 8), "little")


def one_symbol(symbol: int) -> Bits:
    """Write a code that has one symbol, which takes no bits."""
    return Bits().put(0b101, 3).put(symbol, 8)


def two_symbols() -> Bits:
    """Write a code of the symbols 0 and 1, one bit each."""
    return Bits().put(0b0011, 3).put(0, 1).put(1, 8)


def eight_bits() -> Bits:
    """Write a code of the symbols up to 255, of 8 bits each: the one length that there is takes no bits."""
    return Bits().put(0, 1).put(12 - 4, 4).put(0, 3 * 11).put(1, 3).put(1, 1).put(3, 3).put(256 - 2, 8)


def codes(*five: Bits) -> Bits:
    whole = Bits()
    for each in five:
        whole.add(each)
    return whole


def even(green: int = 0, red: int = 0, blue: int = 0, alpha: int = 255) -> Bits:
    """Write the five codes of a picture in one colour, whose pixels take no bits."""
    return codes(*map(one_symbol, (green, red, blue, alpha, 0)))


def lossless(width: int, height: int, stream: Bits, kind: bytes = b"VP8L") -> bytes:
    start = Bits().put(0x2F, 8).put(width - 1, 14).put(height - 1, 14).put(1, 1).put(0, 3)
    return riff([(kind, start.add(stream).content())])


def lossless_webp(width: int, height: int, *, transforms: bool = True, noise: bool = True) -> bytes:
    """Write a picture: with noise, three bits a pixel, which gives a picture of the limit 19 MB."""
    stream = Bits()
    if transforms:
        stream.put(1, 1).put(0, 2).put(7, 3).put(0, 1).add(
            even(green=11)
        )  # the dearest predictor, for 512 x 512 pixels
        stream.put(1, 1).put(1, 2).put(7, 3).put(0, 1).add(even(green=9, red=9, blue=9))  # colours by colours
        stream.put(1, 1).put(2, 2)  # green is subtracted
    stream.put(0, 3)  # no more transforms, no cache of colours, one group of codes
    if not noise:
        return lossless(width, height, stream.add(even()))
    stream.add(codes(*[two_symbols()] * 3, one_symbol(255), one_symbol(0)))
    return lossless(width, height, stream.data(random.Random(1).randbytes(width * height * 3 // 8 + 1)))


# -- bombs ------------------------------------------------------------------------------------------------------------

GROUPS = 65_536  # groups of codes: the most that two bytes of a pixel can name


def large_code() -> Bits:
    """Write a code for green of 2,328 symbols, as with the largest cache of colours: 1,768 of 11 bits, 560 of 12."""
    # The code of lengths: 16 (repeat 3 to 6 times) has one bit, 11 and 12 have two each.
    order = (17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
    lengths = {16: 1, 11: 2, 12: 2}
    code = Bits().put(0, 1).put(16 - 4, 4)
    for symbol in order[:16]:
        code.put(lengths.get(symbol, 0), 3)
    code.put(0, 1).put(0b01, 2)  # all symbols have a length; the first has 11
    six, three = Bits().put(0, 1).put(3, 2), Bits().put(0, 1).put(0, 2)
    code.add(six, 294).add(three)  # 1,767 more
    return code.put(0b11, 2).add(six, 92).add(Bits().put(0, 1).put(1, 2)).add(three)  # 12, and 559 more


def groups_webp(side: int, groups: int, *, large: bool) -> bytes:
    """Write a lossless WebP that names so many groups of codes, each with a large code or with small ones."""
    stream = Bits().put(0, 1)  # no transforms
    stream.put(1, 1).put(11, 4) if large else stream.put(0, 1)  # with a cache of 2,048 colours
    stream.put(1, 1).put(0, 3)  # several groups, one named by each 4 x 4 pixels
    stream.put(0, 1).add(codes(eight_bits(), eight_bits(), one_symbol(0), one_symbol(255), one_symbol(0)))
    names = (-(-side // 4)) ** 2
    stream.data(b"".join(reversed_bits(name % groups) for name in range(names)))
    others = [one_symbol(0), one_symbol(0), one_symbol(255), one_symbol(0)]
    stream.add(codes(large_code() if large else one_symbol(0), *others), groups)
    return lossless(side, side, stream.data(bytes(side * side * 2)))


REVERSED = bytes(int(f"{number:08b}"[::-1], 2) for number in range(256))


def reversed_bits(name: int) -> bytes:
    """Return a pixel that names this group: green, then red, in codes of 8 bits, whose highest bit comes first."""
    return bytes((REVERSED[name & 255], REVERSED[name >> 8]))
