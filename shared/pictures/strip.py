"""A picture's file -> the picture alone: rewritten from an allow-list, pixels untouched.

Gone are EXIF but the orientation, GPS, XMP, IPTC, thumbnails, comments, text, private chunks and everything after the
picture's end.  The ICC profile stays.  A file with nothing to remove comes back byte for byte, and so does the
result of an earlier cleaning.
"""

from typing import Literal

from shared.pictures import strip_jpeg, strip_png, strip_webp
from shared.pictures.strip_parts import Cleaned

Kind = Literal["jpg", "png", "webp"]

_CLEANERS = {"jpg": strip_jpeg.clean, "png": strip_png.clean, "webp": strip_webp.clean}


def clean(data: bytes, kind: Kind) -> Cleaned:
    """The picture in `data` and nothing else; raises UnsupportedMediaType if the container cannot be walked."""
    return _CLEANERS[kind](data)
