"""ICC profiles for tests, built of tags."""

import zlib
from collections.abc import Iterable, Mapping

from PIL import ImageCms

from tests.support.cloud import ROOT
from tests.support.pictures import chunk

SRGB: bytes = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
HEADER = SRGB[:84] + b"\x07" * 16 + SRGB[100:128]  # with an ID, which the profile that Pillow makes does not have
CHAINS = [kind + number for kind in (b"D2B", b"B2D") for number in (b"0", b"1", b"2", b"3")]


def profile(entries: Iterable[tuple[bytes, int, int]], data: bytes) -> bytes:
    """Make a profile of these entries: name, place in the data, and length."""
    entries = list(entries)
    at = 132 + 12 * len(entries)
    table = b"".join(name + (at + start).to_bytes(4) + length.to_bytes(4) for name, start, length in entries)
    return (at + len(data)).to_bytes(4) + HEADER[4:] + len(entries).to_bytes(4) + table + data


def of_tags(tags: Mapping[bytes, bytes]) -> bytes:
    """Make a profile of these tags, one after the other, each at a multiple of 4."""
    entries, data = [], b""
    for name, content in tags.items():
        entries.append((name, len(data), len(content)))
        data += content + bytes(-len(content) % 4)
    return profile(entries, data)


def tags_of(content: bytes) -> list[tuple[bytes, bytes]]:
    """Return the name and the data of each tag."""
    found = []
    for number in range(int.from_bytes(content[128:132])):
        at = 132 + 12 * number
        start, length = int.from_bytes(content[at + 4 : at + 8]), int.from_bytes(content[at + 8 : at + 12])
        found.append((content[at : at + 4], content[start : start + length]))
    return found


def chain(stages: int, *, colours: int = 3) -> bytes:
    """Make the data of a D2B0 tag whose table points at one stage again and again, which costs 8 bytes each."""
    shape = colours.to_bytes(2) * 2
    header = b"mpet" + bytes(4) + shape + stages.to_bytes(4)
    at = len(header) + 8 * stages
    identity = bytes.fromhex(
        "3f800000 00000000 00000000 00000000 3f800000 00000000 00000000 00000000 3f800000"
    ) + bytes(12)
    stage = b"matf" + bytes(4) + shape + identity
    return header + (at.to_bytes(4) + len(stage).to_bytes(4)) * stages + stage


def iccp(content: bytes, *, name: bytes = b"icc") -> bytes:
    """Make the PNG chunk that has this profile."""
    return chunk(b"iCCP", name + b"\0\0" + zlib.compress(content, 9))


def profile_of(png: bytes) -> bytes | None:
    """Return the profile of a PNG's first iCCP."""
    at = png.find(b"iCCP")
    if at < 0:
        return None
    payload = png[at + 4 : at + 4 + int.from_bytes(png[at - 4 : at])]
    return zlib.decompress(payload[payload.index(b"\0") + 2 :])


def case(name: str) -> bytes:
    """Return one of the small files that once failed."""
    return (ROOT / "tests/images/cases" / name).read_bytes()
