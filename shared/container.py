"""A picture's file -> the picture alone: rewritten from an allow-list, pixels untouched.

Gone are EXIF but the orientation, GPS, XMP, IPTC, thumbnails, comments, text, private chunks and everything after the
picture's end.  The ICC profile stays.  A file with nothing to remove comes back byte for byte, and so does the
result of an earlier cleaning.
"""

from typing import Literal

from shared import container_jpeg, container_png, container_webp
from shared.container_parts import Cleaned

Kind = Literal["jpg", "png", "webp"]

_CLEANERS = {"jpg": container_jpeg.clean, "png": container_png.clean, "webp": container_webp.clean}


def clean(data: bytes, kind: Kind) -> Cleaned:
    """The picture in `data` and nothing else; raises UnsupportedMediaType if the container cannot be walked."""
    return _CLEANERS[kind](data)
