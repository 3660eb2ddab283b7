"""JPEG files for tests, taken apart and put together: their segments, many scans, and the trailer of a phone."""

import re
import struct
from collections.abc import Sequence

from tests.support.pictures import segment

_MARKER_AFTER_SCAN = re.compile(rb"\xff[^\0\xd0-\xd7]")


def pieces(data: bytes) -> list[tuple[int, bytes]]:
    """Split a JPEG with no stray bytes into start, segments and end: the marker and all bytes, with a scan's data."""
    found, at = [(0xD8, data[:2])], 2
    while data[at + 1] != 0xD9:
        marker, end = data[at + 1], at + 2 + int.from_bytes(data[at + 2 : at + 4])
        if marker == 0xDA:
            after = _MARKER_AFTER_SCAN.search(data, end)
            assert after
            end = after.start()
        found.append((marker, data[at:end]))
        at = end
    return [*found, (0xD9, data[at : at + 2])]


def many_scans(width: int, height: int, scans: int) -> bytes:
    """Make a grey progressive JPEG of so many scans, all whole, in a few bytes a scan: each says that nothing follows.

    In a scan of AC, the code 0 and 14 bits end the band in as many blocks as they say, up to 32,767.
    """
    blocks = -(-width // 8) * -(-height // 8)
    one_code = bytes((1, *bytes(15)))
    header = segment(0xDB, b"\0" + b"\x10" * 64) + segment(0xC4, b"\0" + one_code + b"\0")
    header += segment(0xC4, b"\x10" + one_code + b"\xe0")
    header += segment(0xC2, struct.pack(">BHHBBBB", 8, height, width, 1, 1, 0x11, 0))
    bits = ("0" + "1" * 14) * -(-blocks // 32_767)
    bits += "1" * (-len(bits) % 8)
    ends = int(bits, 2).to_bytes(len(bits) // 8).replace(b"\xff", b"\xff\0")
    average = segment(0xDA, b"\1\1\0\0\0\0") + bytes(-(-blocks // 8))
    first, again = (segment(0xDA, b"\1\1\0\1\x3f" + bytes((bits,))) + ends for bits in (0x01, 0x10))
    return b"\xff\xd8" + header + average + first * (scans > 1) + again * (scans - 2) + b"\xff\xd9"


def samsung_trailer(blocks: Sequence[tuple[str, bytes]], *, unlisted: int = 0) -> bytes:
    """Make the trailer of a Samsung phone with these names and data; its directory leaves out the first `unlisted`."""
    data, starts = b"", []
    for kind, (name, content) in enumerate(blocks, 0x0A01):
        starts.append(len(data))
        data += struct.pack("<HHI", 0, kind, len(name)) + name.encode() + content
    directory = b"SEFH" + struct.pack("<II", 107, len(blocks) - unlisted)
    for number in range(unlisted, len(blocks)):
        end = [*starts, len(data)][number + 1]
        directory += struct.pack("<HHII", 0, 0x0A01 + number, len(data) - starts[number], end - starts[number])
    return data + directory + struct.pack("<I", len(directory)) + b"SEFT"
