"""Strip a picture file to the picture: keep what an allow-list names, and leave the pixels as they are.

This removes EXIF except the orientation, GPS, XMP, IPTC, thumbnails, comments, text, private chunks, all bytes after
the end of the picture, and parts that browsers skip.  The ICC profile stays, but for what costs decoders too much
(icc.py).  A file with nothing to remove stays the same byte for byte, so stripping twice changes nothing.
"""

from typing import Literal, assert_never

from shared.pictures.stripping.strip_parts import Cleaned

Kind = Literal["jpg", "png", "webp"]

# The first bytes, and those from byte 8 on.
_SIGNATURES: dict[Kind, tuple[bytes, bytes]] = {
    "jpg": (b"\xff\xd8\xff", b""),
    "png": (b"\x89PNG\r\n\x1a\n", b""),
    "webp": (b"RIFF", b"WEBP"),
}


def kind_of(data: bytes) -> Kind | None:
    """Return the format that the first bytes name, or None for any other."""
    for kind, (first, later) in _SIGNATURES.items():
        if data.startswith(first) and data[8 : 8 + len(later)] == later:
            return kind
    return None


def clean(data: bytes, kind: Kind) -> Cleaned:
    """Strip `data` to the picture, or raise UnsupportedMediaType if the container is broken."""
    # A cold start waits for the module of its picture only.
    if kind == "jpg":
        from shared.pictures.stripping.strip_jpeg import clean
    elif kind == "png":
        from shared.pictures.stripping.strip_png import clean
    elif kind == "webp":
        from shared.pictures.stripping.strip_webp import clean
    else:
        assert_never(kind)
    return clean(data)
