"""Tables of 16 bits in an ICC profile that yield Lab (lut16Type, ICC.1:2010, section 10.8), as Chromium reads them.

The standard has such a table code L* = 100 as 65280.  littlecms reads it so, and Chromium reads it as 65535, as other
tables of 16 bits.  Profiles of printing presses have such tables, and it makes up to five levels.
"""

import struct

_PCS = slice(20, 24)
_TAGS_AT, _TABLE_AT, _ENTRY = 128, 132, 12  # bytes
_SIZES = struct.Struct(">4s4xBBBx36xHH")  # type, channels in and out, steps; entries of the curves before and after
LEGACY_WHITE, WHITE = 65280, 65535


def as_chromium_reads(profile: bytes) -> bytes:
    """Return the profile with the table A2B0 changed so that littlecms reads it as Chromium does."""
    at = _place(profile, b"A2B0") if profile[_PCS] == b"Lab " else None
    if at is None or len(profile) < at + _SIZES.size:
        return profile
    kind, inputs, outputs, steps, before, after = _SIZES.unpack_from(profile, at)
    start = at + _SIZES.size + 2 * (inputs * before + steps**inputs * outputs)
    curves = struct.Struct(f">{outputs * after}H")
    if kind != b"mft2" or start + curves.size > len(profile):
        return profile
    scaled = (value * LEGACY_WHITE // WHITE for value in curves.unpack_from(profile, start))
    return profile[:start] + curves.pack(*scaled) + profile[start + curves.size :]


def _place(profile: bytes, name: bytes) -> int | None:
    """Return where the data of a tag begin, or None without it."""
    count = int.from_bytes(profile[_TAGS_AT:_TABLE_AT])
    for at in range(_TABLE_AT, min(_TABLE_AT + _ENTRY * count, len(profile) - _ENTRY + 1), _ENTRY):
        if profile[at : at + 4] == name:
            return int.from_bytes(profile[at + 4 : at + 8])
    return None
