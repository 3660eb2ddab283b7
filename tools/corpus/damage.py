"""What a stored picture has lost of the file that was sent, as Pillow reads it: pixels, colour profile, orientation."""

import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO

from PIL import Image

from shared.pictures.icc import PROFILE_MAX

FORMATS = ("JPEG", "PNG", "WEBP")
ORIENTATION = 0x0112  # EXIF's tag
# What Pillow raises on broken files
PILLOW_ERRORS = (
    *(AttributeError, EOFError, LookupError, OSError, OverflowError, SyntaxError, TypeError, ValueError),
    *(Image.DecompressionBombError, struct.error, zlib.error),
)

UNPACKED_MAX = 2 * PROFILE_MAX  # bytes of a packed profile that are looked at
PROFILE_SIGNATURE = b"acsp"  # at byte 36
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHUNK_FRAME = 12  # bytes of a PNG chunk beside its payload
HEADER, ENTRY = 128, 12  # bytes of an ICC profile's header, and of an entry in its table of tags (ICC.1, section 7)
STAGES = {f"{way}{number}".encode() for way in ("D2B", "B2D") for number in range(4)}  # tags that are never kept

Frame = tuple[tuple[int, int], bytes]  # width and height, and a digest of the pixels


@dataclass(frozen=True, slots=True)
class Read:
    """What Pillow reads of a picture. `orientation` is 1 (upright) to 8."""

    frames: tuple[Frame, ...]
    profile: bytes
    orientation: int


def damage(original: bytes, stored: bytes) -> list[str]:
    """Return what differs: `pixels`, `profile`, `orientation`, or `unreadable` if Pillow cannot read what is stored.

    If it cannot read the original either, nothing differs.
    """
    before, after = read(original), read(stored)
    if before is None:
        return []
    if after is None:
        return ["unreadable"]
    differs = {
        "pixels": before.frames != after.frames,
        "profile": not _is_kept(before.profile, after.profile),
        "orientation": before.orientation != after.orientation,
    }
    return [what for what, is_so in differs.items() if is_so]


def read(data: bytes) -> Read | None:
    """Read a picture, or return None if Pillow cannot. Of a JPEG, read the first picture: others follow its end."""
    try:
        with _quiet(), Image.open(BytesIO(data), formats=FORMATS) as image:
            frames = tuple(_frames(image))
            return Read(frames, _profile(data, image), _orientation(image))
    except PILLOW_ERRORS:
        return None


def _frames(image: Image.Image) -> Iterator[Frame]:
    for number in range(getattr(image, "n_frames", 1) if image.format in ("PNG", "WEBP") else 1):
        image.seek(number)
        pixels = image if image.mode.startswith("I") else image.convert("RGBA")  # which would clip 16 bits of grey
        yield image.size, sha256(pixels.tobytes()).digest()


def _profile(data: bytes, image: Image.Image) -> bytes:
    """Return the colour profile, or nothing if it is none. Pillow takes the last one of a PNG, browsers the first."""
    profile: bytes = _first_iccp(data) if image.format == "PNG" else image.info.get("icc_profile") or b""
    return profile if profile[36:40] == PROFILE_SIGNATURE else b""


def _first_iccp(data: bytes) -> bytes:
    """Return the profile in the first iCCP chunk of a PNG, or nothing if it cannot be unpacked."""
    at = len(PNG_SIGNATURE)
    while at < len(data):
        length, kind = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
        if kind == b"iCCP":
            _, _, packed = data[at + 8 : at + 8 + length].partition(b"\0")
            with suppress(zlib.error):
                return zlib.decompressobj().decompress(packed[1:], UNPACKED_MAX)
            return b""
        at += length + CHUNK_FRAME
    return b""


def _orientation(image: Image.Image) -> int:
    """Return what the EXIF block says, 1 if it is broken. Pillow's own method also believes XMP; browsers do not."""
    exif = Image.Exif()
    with suppress(*PILLOW_ERRORS):
        exif.load(image.info.get("exif") or b"")
    orientation = exif.get(ORIENTATION)
    return orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1


def _is_kept(profile: bytes, stored: bytes) -> bool:
    """Return whether the stored profile is the same, apart from the tags that are never kept and the greatest size."""
    if stored == profile:
        return True
    if not stored:
        return len(profile) > PROFILE_MAX
    return {tag: data for tag, data in _tags(profile).items() if tag not in STAGES} == _tags(stored)


def _tags(profile: bytes) -> dict[bytes, bytes]:
    """Return the tags of an ICC profile."""
    count = int.from_bytes(profile[HEADER : HEADER + 4])
    entries = [profile[HEADER + 4 + number * ENTRY :][:ENTRY] for number in range(min(count, len(profile) // ENTRY))]
    return {entry[:4]: _slice(profile, int.from_bytes(entry[4:8]), int.from_bytes(entry[8:])) for entry in entries}


def _slice(data: bytes, start: int, length: int) -> bytes:
    return data[start : start + length]


@contextmanager
def _quiet() -> Iterator[None]:
    """Leave out Pillow's warnings about broken metadata and large pictures."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
