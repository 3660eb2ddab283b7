"""Strip a picture file to the picture: keep what an allow-list names, and leave the pixels as they are.

This removes EXIF except the orientation, GPS, XMP, IPTC, thumbnails, comments, text, private chunks, all bytes after
the end of the picture, and parts that browsers skip.  The ICC profile stays, but for what costs decoders too much
(icc.py).  A file with nothing to remove stays the same byte for byte, so stripping twice changes nothing.
"""

from typing import Literal

from shared.pictures import strip_jpeg, strip_png, strip_webp
from shared.pictures.strip_parts import Cleaned

Kind = Literal["jpg", "png", "webp"]

_CLEANERS = {"jpg": strip_jpeg.clean, "png": strip_png.clean, "webp": strip_webp.clean}


def clean(data: bytes, kind: Kind) -> Cleaned:
    """Strip `data` to the picture, or raise UnsupportedMediaType if the container is broken."""
    return _CLEANERS[kind](data)
