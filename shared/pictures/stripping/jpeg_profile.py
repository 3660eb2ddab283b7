"""The colour profile of a JPEG, which may go over several segments (ICC.1, annex B.4)."""

from collections.abc import Iterator, Sequence

from shared.pictures.icc import PROFILE_MAX, stored_profile
from shared.pictures.stripping.jpeg_kinds import FRAMES
from shared.pictures.stripping.jpeg_segments import APP2, Segment

NAME = b"ICC_PROFILE\0"
HEADER = len(NAME) + 2  # bytes before a part: the name, its number from 1, and how many there are
_PART_MAX = 65_533 - HEADER  # bytes of the profile that a segment can hold
_SIGNATURE, _SIGNATURE_AT = b"acsp", 36


def with_profile(segments: Sequence[Segment]) -> list[Segment]:
    """Keep, rewrite or drop the profile in these segments, which have a frame header. Their only APP2 are parts of it.

    Chromium takes the first whole profile, and none if a part before its end is twice or has another count.  What it
    does not take is dropped.  A profile that `stored_profile` keeps as it is stays byte for byte.  One behind the frame
    header is moved before it, where all decoders look.  Bytes that are no profile have no effect, and stay as they are.
    """
    parts = [at for at, segment in enumerate(segments) if segment.marker == APP2]
    used = parts[: _whole([segments[at].payload for at in parts])]
    payloads = [segments[at].payload for at in used]
    profile = b"".join(payload[HEADER:] for payload in sorted(payloads))  # by their numbers
    if used and not profile.startswith(_SIGNATURE, _SIGNATURE_AT) and len(parts) * _PART_MAX <= PROFILE_MAX:
        return [*segments]
    stored = stored_profile(profile) if used else None
    if stored is None:
        return [segment for segment in segments if segment.marker != APP2]
    frame = next(at for at, segment in enumerate(segments) if segment.marker in FRAMES)
    if stored == profile and used[-1] < frame:
        dropped = set(parts).difference(used)
        return [segment for at, segment in enumerate(segments) if at not in dropped]
    place = min(used[0], frame)
    new = [Segment(APP2, payload) for payload in (payloads if stored == profile else _split(stored))]
    before, after = ([each for each in part if each.marker != APP2] for part in (segments[:place], segments[place:]))
    return [*before, *new, *after]


def _whole(payloads: Sequence[bytes]) -> int:
    """Return how many of these parts the first whole profile takes, or 0."""
    numbers: set[int] = set()
    for payload in payloads:
        number, count = payload[HEADER - 2 : HEADER]
        if count != payloads[0][HEADER - 1] or not 1 <= number <= count or number in numbers:
            return 0
        numbers.add(number)
        if len(numbers) == count:
            return count
    return 0


def _split(profile: bytes) -> Iterator[bytes]:
    starts = range(0, len(profile), _PART_MAX)
    for number, start in enumerate(starts, 1):
        yield NAME + bytes((number, len(starts))) + profile[start : start + _PART_MAX]
