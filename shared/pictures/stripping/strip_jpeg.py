"""Strip a JPEG to the picture (ITU-T T.81; JFIF 1.02; ICC.1 annex B.4; Exif 2.32; Adobe technical note 5116)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shared.errors import UnprocessableValue
from shared.pictures.stripping import jpeg_profile
from shared.pictures.stripping.jpeg_kinds import FRAMES, Frame, read_frame
from shared.pictures.stripping.jpeg_segments import (
    APP0,
    APP1,
    APP2,
    APP14,
    DECODING,
    EOI,
    SOI,
    SOS,
    Segment,
    read_segments,
)
from shared.pictures.stripping.jpeg_tables import without_idle_tables
from shared.pictures.stripping.strip_parts import Broken, Cleaned, orientation_only

# A decoder goes over the whole picture for each scan of a progressive file, so a small file with thousands of scans
# takes minutes.  Encoders write about 10.
MAX_SCANS = 99  # scans: Chromium gives up at the hundredth
BOUNDED_SCANS = 20  # scans of three colours: of 67 million pixels, so many take a decoder a second
MAX_SCAN_PIXELS = BOUNDED_SCANS * 2**26  # scans times pixels


def clean(data: bytes) -> Cleaned:
    """Strip a JPEG; see strip.clean.

    Bytes between segments, and segments that decoders skip or that have no effect on the picture, are dropped.
    """
    if not data.startswith(SOI):
        raise Broken("it does not begin with a start marker")
    segments = list(read_segments(data))
    frame = _only_frame(segments)
    header, scanned = _in_two(segments, frame)
    scans = sum(segment.marker == SOS for segment in scanned)
    _check_work(frame, scans)
    kept = without_idle_tables([*jpeg_profile.with_profile(_described(header)), *scanned])
    parts = [SOI, *(part for segment in kept for part in segment.parts), EOI]
    is_same = kept == segments and sum(map(len, parts)) == len(data)  # so nothing stands between them, either
    content = data if is_same else b"".join(parts)
    return Cleaned(content, frame.width, frame.height, is_bounded=scans * _cost(frame) <= BOUNDED_SCANS * 3)


def _cost(frame: Frame) -> int:
    """Return the work of a scan in that of one colour. Four inks are converted, which takes about one more."""
    return frame.colours + (frame.colours == 4)


def _only_frame(segments: Sequence[Segment]) -> Frame:
    """Read the frame header. It must be the only one, and come before the first scan."""
    frames = [segment for segment in segments if segment.marker in FRAMES]
    scans = [segment for segment in segments if segment.marker == SOS]
    if len(frames) != 1 or not scans or segments.index(frames[0]) > segments.index(scans[0]):
        raise Broken("it must have one frame header, and scans after it")
    return read_frame(*frames[0][:2])


def _in_two(segments: Sequence[Segment], frame: Frame) -> tuple[Sequence[Segment], list[Segment]]:
    """Return the segments before the first scan, and from there the scans that are shown, with their tables.

    Decoders skip all that comes behind the last scan.  Between scans they read tables only.
    """
    scans = [at for at, segment in enumerate(segments) if segment.marker == SOS]
    last = scans[0] if frame.is_whole_after(segments[scans[0]].payload) else scans[-1]
    shown = segments[scans[0] : last + 1]
    return segments[: scans[0]], [segment for segment in shown if segment.marker in DECODING]


def _check_work(frame: Frame, scans: int) -> None:
    if scans > MAX_SCANS:
        raise UnprocessableValue(
            f"img has {scans:,} scans, but a JPEG may have at most {MAX_SCANS}; save it again with fewer and retry.",
            field="img",
        )
    if scans > BOUNDED_SCANS and scans * frame.width * frame.height > MAX_SCAN_PIXELS:
        raise UnprocessableValue(
            f"img has {scans} scans of {frame.width} x {frame.height} pixels, but scans times pixels may be at most "
            f"{MAX_SCAN_PIXELS:,}; save it again with fewer scans, or make it smaller, and retry.",
            field="img",
        )


def _described(header: Sequence[Segment]) -> list[Segment]:
    """Reduce what applications wrote before the first scan to what browsers use of it."""
    kept: list[Segment] = []
    decided: set[int] = set()
    for segment in header:
        known = _APPLICATIONS.get(segment.marker)
        if segment.marker in DECODING:
            kept.append(segment)
        elif known and known.is_named(segment.payload) and segment.marker not in decided:
            decided.update({segment.marker} if known.is_first_only else ())
            content = known.reduced(segment.payload)
            kept.extend([Segment(segment.marker, content)] if content else [])
    return kept


@dataclass(frozen=True, slots=True)
class _Application:
    """A segment that browsers use, by its name and the fewest bytes that it must have.

    `reduced` returns the bytes to keep, or None to drop it.  If `is_first_only`, browsers take the first such segment
    and no other, also if it says nothing.
    """

    name: bytes
    least: int
    reduced: Callable[[bytes], bytes | None]
    is_first_only: bool = False

    def is_named(self, payload: bytes) -> bool:
        return payload.startswith(self.name) and len(payload) >= self.least


def _jfif(payload: bytes) -> bytes:
    """Return the density without the thumbnail that follows it."""
    return payload[:12] + bytes(2)


def _exif(payload: bytes) -> bytes | None:
    """Return the orientation. The byte after the name is ignored; it should be 0."""
    tiff = orientation_only(payload[6:])
    return b"Exif\0\0" + tiff if tiff else None


def _icc(payload: bytes) -> bytes:
    return payload


def _adobe(payload: bytes) -> bytes:
    """Return the colour transform, without which decoders misread CMYK and RGB pictures. The last one counts."""
    return payload[:12]


_APPLICATIONS = {
    APP0: _Application(b"JFIF\0", 14, _jfif, is_first_only=True),
    APP1: _Application(b"Exif\0", 7, _exif, is_first_only=True),
    APP2: _Application(jpeg_profile.NAME, jpeg_profile.HEADER + 1, _icc),
    APP14: _Application(b"Adobe", 12, _adobe),
}
