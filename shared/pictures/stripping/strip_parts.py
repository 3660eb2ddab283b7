"""Parts of the three picture containers: the result of stripping, the refusal, and EXIF cut down to one tag."""

from typing import Literal, NamedTuple

from shared.errors import UnprocessableValue, UnsupportedMediaType


class Cleaned(NamedTuple):
    """A container stripped to the picture, with the size from its header.

    `width` and `height` are pixels as stored.  `frames` is 1 for a still picture.  `is_bounded` says whether they bound
    the work of a decoder.  If not, the picture is decoded in a process that can be ended (child.py).
    """

    content: bytes
    width: int
    height: int
    frames: int = 1
    is_bounded: bool = True


class Broken(UnsupportedMediaType):
    """A file that begins like a picture, but is not a whole one."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"img is broken or incomplete ({reason}); save it again as JPEG, PNG or WebP and retry.", field="img"
        )


class TooMany(UnprocessableValue):
    """A container of so many parts, such as `20,000 segments`, that to read it takes long."""

    def __init__(self, most: str) -> None:
        super().__init__(
            f"img has more than {most}, which is the limit; save it again with another program and retry.", field="img"
        )


# TIFF 6.0: the header names the byte order; an entry is tag, type, count and value, 12 bytes.
_ORDERS: dict[bytes, Literal["little", "big"]] = {b"II*\0": "little", b"MM\0*": "big"}
_ORIENTATION, _SHORT = 0x0112, 3
_ENTRY = 12  # bytes


def orientation_only(tiff: bytes) -> bytes | None:
    """Make the smallest TIFF block with this one's orientation. Return None if it has none, or 1, which is upright.

    Of several, browsers take the first that is a number from 1 to 8.
    """
    orientation = _orientation(tiff)
    if not 2 <= orientation <= 8:
        return None
    entry = b"".join(part.to_bytes(size) for part, size in ((_ORIENTATION, 2), (_SHORT, 2), (1, 4), (orientation, 2)))
    return b"MM\0*" + (8).to_bytes(4) + (1).to_bytes(2) + entry + bytes(2) + bytes(4)


def _orientation(tiff: bytes) -> int:
    order = _ORDERS.get(tiff[:4])
    if order is None:
        return 0
    wanted = _ORIENTATION.to_bytes(2, order) + _SHORT.to_bytes(2, order) + (1).to_bytes(4, order)
    start = int.from_bytes(tiff[4:8], order)
    first = start + 2
    count = int.from_bytes(tiff[start:first], order)
    last = min(first + count * _ENTRY, len(tiff) - _ENTRY + 1)  # a count may promise more entries than follow
    for at in range(first, last, _ENTRY):
        orientation = int.from_bytes(tiff[at + 8 : at + 10], order)
        if tiff[at : at + 8] == wanted and 1 <= orientation <= 8:
            return orientation
    return 0
