"""The trailer that phones of Samsung write behind a JPEG, in some panoramas instead of the end marker.

It is known from such files and from exiftool (Samsung.pm): blocks, each 2 bytes of zeros, 2 of type, 4 of
the length of its name, the name and the data; then SEFH, a directory of them, the length of both, and SEFT.  Numbers
are little endian.
"""

import re

_END, _DIRECTORY = b"SEFT", b"SEFH"
_TAIL = 8  # bytes: the length of the directory, and SEFT
_FIXED = 12  # bytes of the directory before its entries: SEFH, version and number of entries
_ENTRY = 12  # bytes: 2 of zeros, 2 of type, the distance from the block to the directory, and the length of the block
_ENTRIES_MAX = 1_000  # entries that are read; phones write some ten
_BLOCK = re.compile(rb"\0\0..([\x04-\x40])\0\0\0(?=([ -~]{4,64}))", re.DOTALL)
_UNLISTED = 65_536  # bytes: how far before the first block of the directory those begin that it does not name


def start_of_trailer(data: bytes) -> int | None:
    """Return where the trailer at the end of this file begins, or None if it has none. Takes a bounded time."""
    directory = len(data) - _TAIL - int.from_bytes(data[-_TAIL:-4], "little")
    if not data.endswith(_END) or directory < 0 or not data.startswith(_DIRECTORY, directory):
        return None
    entries = range(directory + _FIXED, len(data) - _TAIL - _ENTRY + 1, _ENTRY)[:_ENTRIES_MAX]
    distances = [int.from_bytes(data[at + 4 : at + 8], "little") for at in entries]
    listed = directory - max(distances, default=0)
    found = _BLOCK.finditer(data, max(0, listed - _UNLISTED), min(directory, listed + 2 * _UNLISTED))
    return next((block.start() for block in found if len(block[2]) >= block[1][0]), None)
