"""Strip a picture file to the picture: keep what an allow-list names, and leave the pixels as they are.

This removes EXIF except the orientation, GPS, XMP, IPTC, thumbnails, comments, text, private chunks, all bytes after
the end of the picture, and parts that browsers skip.  The ICC profile stays, but for what costs decoders too much
(icc.py).  A file with nothing to remove stays the same byte for byte, so stripping twice changes nothing.
"""

import re
from typing import Literal

from shared.pictures.stripping.strip_parts import Cleaned

Kind = Literal["jpg", "png", "webp"]

_SIGNATURES: dict[Kind, re.Pattern[bytes]] = {
    "jpg": re.compile(rb"\xff\xd8\xff"),
    "png": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "webp": re.compile(rb"RIFF....WEBP", re.DOTALL),
}


def kind_of(data: bytes) -> Kind | None:
    """Return the format that the first bytes name, or None for any other."""
    return next((kind for kind, signature in _SIGNATURES.items() if signature.match(data)), None)


def clean(data: bytes, kind: Kind) -> Cleaned:
    """Strip `data` to the picture, or raise UnsupportedMediaType if the container is broken."""
    # A cold start waits for the module of its picture only.
    if kind == "jpg":
        from shared.pictures.stripping.strip_jpeg import clean
    elif kind == "png":
        from shared.pictures.stripping.strip_png import clean
    else:
        from shared.pictures.stripping.strip_webp import clean
    return clean(data)
