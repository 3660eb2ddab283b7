"""RGB colour spaces as PNG names them: their light, their primaries, and an ICC profile of each.

Sources: ITU-T H.273 tables 2 and 3, PNG third edition 11.3.2, ICC.1:2010.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite

Curve = Callable[[float], float]  # the light, 0 to 1, of a coded value, 0 to 1
Matrix = tuple[tuple[float, float, float], ...]  # three rows
Triple = tuple[float, float, float]

D65, D50, ILLUMINANT_C = (0.3127, 0.3290), (0.9642, 1.0, 0.8249), (0.310, 0.316)  # x and y; XYZ of D50 in ICC's form
BRADFORD: Matrix = ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296))


@dataclass(frozen=True, slots=True)
class Primaries:
    """The chromaticities x and y of red, green, blue and white."""

    red: tuple[float, float]
    green: tuple[float, float]
    blue: tuple[float, float]
    white: tuple[float, float]

    def to_xyz(self) -> Matrix:
        """Compute the matrix from linear RGB to XYZ with the white point D50. Raise ValueError if there is none."""
        if not all(0 <= value <= 1 for pair in (self.red, self.green, self.blue, self.white) for value in pair):
            raise ValueError("a chromaticity is not in 0..1")
        try:
            columns = tuple(zip(*(_xyz(pair) for pair in (self.red, self.green, self.blue)), strict=True))
            white = _xyz(self.white)
            sums = applied(inverse(columns), white)
            return product(_adaptation(white), tuple(_scaled(row, sums) for row in columns))
        except ZeroDivisionError as error:
            raise ValueError("the primaries span no colours") from error


SRGB = Primaries((0.64, 0.33), (0.30, 0.60), (0.15, 0.06), D65)
BT2020 = Primaries((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), D65)
PRIMARIES = {
    1: SRGB,
    4: Primaries((0.67, 0.33), (0.21, 0.71), (0.14, 0.08), ILLUMINANT_C),
    5: Primaries((0.64, 0.33), (0.29, 0.60), (0.15, 0.06), D65),
    6: Primaries((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), D65),
    7: Primaries((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), D65),
    8: Primaries((0.681, 0.319), (0.243, 0.692), (0.145, 0.049), ILLUMINANT_C),
    9: BT2020,
    10: Primaries((1.0, 0.0), (0.0, 1.0), (0.0, 0.0), (1 / 3, 1 / 3)),
    11: Primaries((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), (0.314, 0.351)),
    12: Primaries((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), D65),
    22: Primaries((0.630, 0.340), (0.295, 0.605), (0.155, 0.077), D65),
}


def power(exponent: float) -> Curve:
    """Return the curve of this exponent."""
    return lambda value: value**exponent


def srgb(value: float) -> float:
    """Compute the light of a value in sRGB (IEC 61966-2-1)."""
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def from_srgb(light: float) -> float:
    """Code light in sRGB."""
    return light * 12.92 if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055


def smpte240(value: float) -> float:
    """Compute the light of a value by SMPTE ST 240."""
    return value / 4 if value < 0.0912863 else ((value + 0.1115722) / 1.1115722) ** (1 / 0.45)


CURVES: dict[int, Curve] = {
    **dict.fromkeys((1, 6, 11, 14, 15), power(2.4)),  # as screens show video (BT.1886), not as cameras code it
    4: power(2.2),
    5: power(2.8),
    7: smpte240,
    8: power(1.0),
    13: srgb,
    17: lambda value: 52.37 / 48 * value**2.6,
}


def profile(primaries: Primaries, curve: Curve) -> bytes:
    """Make an ICC profile of version 2 that converts from this space. Its curve is exact for all 256 bytes.

    Raise ValueError if the primaries span no colours, or cannot be written as 16.16 fixed numbers.
    """
    colours = zip(*primaries.to_xyz(), strict=True)
    tags = {f"{name}XYZ": _xyz_tag(column) for name, column in zip("rgb", colours, strict=True)}
    steps = (round(65535 * min(1.0, max(0.0, curve(step / 255)))) for step in range(256))
    tags |= dict.fromkeys(("rTRC", "gTRC", "bTRC"), b"curv" + bytes(4) + struct.pack(">I256H", 256, *steps))
    tags["wtpt"] = _xyz_tag(D50)
    body, table = b"", struct.pack(">I", len(tags))
    for name, content in tags.items():
        table += name.encode() + struct.pack(">II", 128 + 4 + 12 * len(tags) + len(body), len(content))
        body += content
    header = struct.pack(
        ">I4xI4s4s4s12x4s28x", 128 + len(table) + len(body), 0x02100000, b"mntr", b"RGB ", b"XYZ ", b"acsp"
    )
    return (header + _fixed(D50)).ljust(128, b"\0") + table + body


def product(a: Matrix, b: Matrix) -> Matrix:
    """Multiply two matrices."""
    columns = tuple(zip(*b, strict=True))
    return tuple(applied(columns, row) for row in a)


def applied(matrix: Matrix, vector: Triple) -> Triple:
    """Multiply a matrix with a vector."""
    x, y, z = vector
    first, second, third = (row[0] * x + row[1] * y + row[2] * z for row in matrix)
    return first, second, third


def inverse(matrix: Matrix) -> Matrix:
    """Invert the matrix. Raise ZeroDivisionError if it cannot be inverted."""
    a, b, c = matrix
    cofactors = tuple(zip(_cross(b, c), _cross(c, a), _cross(a, b), strict=True))
    determinant = sum(left * right for left, right in zip(a, _cross(b, c), strict=True))
    return tuple(_scaled(row, (1 / determinant,) * 3) for row in cofactors)


def _cross(a: Triple, b: Triple) -> Triple:
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


def _scaled(row: Triple, factors: Triple) -> Triple:
    return row[0] * factors[0], row[1] * factors[1], row[2] * factors[2]


def _xyz(pair: tuple[float, float]) -> Triple:
    """Return XYZ with a luminance of 1, or a luminance of 0 for the primaries of H.273's XYZ space."""
    x, y = pair
    return (x / y, 1.0, (1 - x - y) / y) if y else (x, 0.0, 1 - x)


def _adaptation(white: Triple) -> Matrix:
    """Return the matrix of Bradford from this white point to D50."""
    cones, wanted = applied(BRADFORD, white), applied(BRADFORD, D50)
    gains = (wanted[0] / cones[0], wanted[1] / cones[1], wanted[2] / cones[2])
    gained = tuple(tuple(gain * value for value in row) for gain, row in zip(gains, BRADFORD, strict=True))
    return product(inverse(BRADFORD), gained)  # type: ignore[arg-type]


def _xyz_tag(xyz: Triple) -> bytes:
    return b"XYZ " + bytes(4) + _fixed(xyz)


def _fixed(xyz: Triple) -> bytes:
    """Write three numbers as 16.16 fixed numbers."""
    if not all(isfinite(value) and abs(value) < 32767 for value in xyz):
        raise ValueError("a colour is out of range")
    return struct.pack(">3i", *(round(value * 65536) for value in xyz))
