"""ICC profiles for tests whose colours are plainly other than those of sRGB: curves, matrices and tables of Lab."""

import struct
from collections.abc import Callable, Mapping
from itertools import product

from PIL import ImageCms

D50 = (0.9642, 1.0, 0.8249)
GREEN_FIRST = ((0.3851, 0.7169, 0.0971), (0.4361, 0.2225, 0.0139), (0.1431, 0.0606, 0.7141))  # red and green swapped
LAB: bytes = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()


def profile(space: bytes, tags: Mapping[bytes, bytes], *, lab: bool = False, version: int = 2) -> bytes:
    """Make a profile of a screen or a printer."""
    table, data, start = struct.pack(">I", len(tags)), b"", 128 + 4 + 12 * len(tags)
    for name, content in tags.items():
        table += name + struct.pack(">II", start + len(data), len(content))
        data += content + bytes(-len(content) % 4)
    values = b"Lab " if lab else b"XYZ "
    header = struct.pack(">I4xB3x4s4s4s12x4s28x", start + len(data), version, b"mntr", space, values, b"acsp")
    return (header + _fixed(*D50)).ljust(128, b"\0") + table + data


def rgb(*, gamma: float = 2.2, version: int = 2) -> bytes:
    """Make a profile of three curves and a matrix, whose first channel is green."""
    colours = zip((b"rXYZ", b"gXYZ", b"bXYZ"), GREEN_FIRST, strict=True)
    tags = {name: b"XYZ " + bytes(4) + _fixed(*xyz) for name, xyz in colours}
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), _gamma(gamma))
    return profile(b"RGB ", {**tags, **_white()}, version=version)


def grey(gamma: float = 1.0, *, curve: bytes = b"") -> bytes:
    """Make a profile of one curve, which is that of the gamma or is given."""
    return profile(b"GRAY", {b"kTRC": curve or _gamma(gamma), **_white()})


def table(space: bytes, inks: int, steps: int, lab: Callable[..., tuple[float, float, float]], *, bits: int) -> bytes:
    """Make a profile of a table of Lab for colours of these inks or lights, each from 0 to 1."""
    nodes = [lab(*node) for node in product([step / (steps - 1) for step in range(steps)], repeat=inks)]
    coded = [value for node in nodes for value in (node[0] / 100 * 65280, (node[1] + 128) * 256, (node[2] + 128) * 256)]
    head = bytes(4) + bytes((inks, 3, steps, 0)) + _fixed(1, 0, 0, 0, 1, 0, 0, 0, 1)
    if bits == 8:
        values, curve = bytes(min(255, round(value / 256)) for value in coded), bytes(range(256))
        content = b"mft1" + head + curve * inks + values + curve * 3
    else:
        values, curve = struct.pack(f">{len(coded)}H", *(round(value) for value in coded)), struct.pack(">HH", 0, 65535)
        content = b"mft2" + head + struct.pack(">HH", 2, 2) + curve * inks + values + curve * 3
    return profile(space, {b"A2B0": content, **_white()}, lab=True)


def inks(steps: int = 5, *, bits: int = 16) -> bytes:
    """Make a profile of four inks on yellowish paper, whose black is a dark brown."""
    return table(b"CMYK", 4, steps, _printed, bits=bits)


def lights(steps: int = 5, *, bits: int = 8) -> bytes:
    """Make a profile of three lights as a table."""
    return table(b"RGB ", 3, steps, lambda r, g, b: (30 * r + 60 * g + 10 * b, 60 * (r - g), 60 * (g - b)), bits=bits)


def _printed(cyan: float, magenta: float, yellow: float, black: float) -> tuple[float, float, float]:
    light = (1 - 0.4 * cyan) * (1 - 0.45 * magenta) * (1 - 0.06 * yellow) * (1 - 0.85 * black)
    strength = 1 - 0.9 * black
    return 97 * light, strength * (70 * magenta - 35 * cyan + 1), strength * (85 * yellow - 45 * cyan - 5 * magenta + 4)


def _gamma(gamma: float) -> bytes:
    return b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256))


def _white() -> dict[bytes, bytes]:
    return {b"wtpt": b"XYZ " + bytes(4) + _fixed(*D50)}


def _fixed(*numbers: float) -> bytes:
    return struct.pack(f">{len(numbers)}i", *(round(number * 65536) for number in numbers))
