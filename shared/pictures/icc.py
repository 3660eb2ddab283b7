"""An ICC profile as it is stored (ICC.1:2022, section 7: header, tag table, data), for all three kinds of file."""

from collections.abc import Sequence
from typing import NamedTuple

# The largest real profiles, of printing presses with fine tables, have 2 to 3 MB.
PROFILE_MAX = 4_000_000  # bytes

# The tags that hold a chain of any number of processing steps.  A step costs 8 bytes, because entries may share their
# data, and littlecms runs the whole chain for each of some 36,000 colours, so 400 bytes of file take it seconds.
# Browsers do not read these tags; they use A2B0 and the curves, as do programs of before 2008.
_CHAINS = frozenset({b"D2B0", b"D2B1", b"D2B2", b"D2B3", b"B2D0", b"B2D1", b"B2D2", b"B2D3"})

TAGS_MAX = 1_000  # tags of a profile that is written anew; littlecms reads no profile of more than 100

_COUNT_AT, _TABLE_AT, _ENTRY = 128, 132, 12  # bytes
_SIGNATURE = slice(36, 40)
_ID = slice(84, 100)  # the MD5 of the profile, or zeros


class _Tag(NamedTuple):
    """An entry of the tag table: its data are the bytes from `start` up to `end`."""

    name: bytes
    start: int
    end: int


def stored_profile(profile: bytes) -> bytes | None:
    """Return the profile as it will be stored, or None to drop it. The usual profile comes back as it is.

    `profile` is the whole profile, unpacked and joined.  One of more than PROFILE_MAX bytes is dropped.  The tags D2B0
    to D2B3 and B2D0 to B2D3 are removed, with the data that no other tag uses.  A profile that has them is dropped if
    its tag table is wrong, as browsers ignore it then, or has more than TAGS_MAX entries.  Every other profile stays
    byte for byte, also one that no decoder can read.  So compare the result with `profile`, and write the part of the
    container anew only if they differ.  The result passes unchanged.  The time is linear in the size of the profile.
    """
    if len(profile) > PROFILE_MAX:
        return None
    if not any(profile[at : at + 4] in _CHAINS for at in _entries(profile)):
        return profile
    tags = [_tag(profile, at) for at in _entries(profile)[:TAGS_MAX]]
    return _rebuilt(profile, [tag for tag in tags if tag.name not in _CHAINS]) if _is_whole(profile, tags) else None


def _entries(profile: bytes) -> range:
    """Return the positions of the tag table's entries."""
    count = int.from_bytes(profile[_COUNT_AT:_TABLE_AT])
    last = min(_TABLE_AT + count * _ENTRY, len(profile) - _ENTRY + 1)  # a count may promise more entries than follow
    return range(_TABLE_AT, last, _ENTRY)


def _tag(profile: bytes, at: int) -> _Tag:
    start = int.from_bytes(profile[at + 4 : at + 8])
    return _Tag(profile[at : at + 4], start, start + int.from_bytes(profile[at + 8 : at + 12]))


def _is_whole(profile: bytes, tags: Sequence[_Tag]) -> bool:
    """Tell whether these are all tags, and the size and the places of the data are true, as Chromium demands."""
    size = int.from_bytes(profile[:4])
    table_end = _TABLE_AT + len(tags) * _ENTRY
    return (
        int.from_bytes(profile[_COUNT_AT:_TABLE_AT]) == len(tags)
        and table_end <= size <= len(profile)
        and profile[_SIGNATURE] == b"acsp"
        and all(table_end <= tag.start <= tag.end - 4 <= size - 4 for tag in tags)
    )


def _rebuilt(profile: bytes, tags: Sequence[_Tag]) -> bytes:
    """Write the profile with these of its tags. Data that tags share, or that overlap, stay so."""
    data_at = _TABLE_AT + len(tags) * _ENTRY
    data = bytearray()
    table = [b""] * len(tags)
    copied_to = moved_by = 0  # the end of the last stretch of data in the old profile, and the way it goes
    for number, tag in sorted(enumerate(tags), key=lambda numbered: numbered[1].start):
        if tag.start >= copied_to:  # a new stretch, which begins at a multiple of 4
            data += bytes(-len(data) % 4)
            copied_to, moved_by = tag.start, data_at + len(data) - tag.start
        data += profile[copied_to : tag.end]
        copied_to = max(copied_to, tag.end)
        table[number] = tag.name + (tag.start + moved_by).to_bytes(4) + (tag.end - tag.start).to_bytes(4)
    data += bytes(-len(data) % 4)
    header = bytearray(profile[:_COUNT_AT])
    header[:4] = (data_at + len(data)).to_bytes(4)
    header[_ID] = bytes(16)
    return b"".join((header, len(tags).to_bytes(4), *table, data))
