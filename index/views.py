"""What is made of a picture's pixels, which are decoded once: a JPEG for the encoder, and the tile.

This module imports Pillow. Import it only where a picture is decoded, so that other calls start without it.
"""

from typing import NamedTuple

from PIL import Image

from shared.pictures import decoding, scaling
from shared.tiles import SIDE
from shared.vectors import encoder


class Views(NamedTuple):
    """A picture for the encoder, as JPEG, and as the bytes of a tile."""

    jpeg: bytes
    tile: bytes


def views_of(content: bytes) -> Views:
    """Decode a stored picture within the budget, and return both. Raise CannotBeShown if that fails."""
    picture = scaling.on_white(decoding.small(content, encoder.SIDE))
    return Views(scaling.encoded(picture, "jpg"), tile_of(picture))


def tile_of(picture: Image.Image) -> bytes:
    """Return the centre square of an RGB picture at 32 x 32 pixels, as rows of RGB."""
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    square = picture.crop((left, top, left + side, top + side))
    return square.resize((SIDE, SIDE), Image.Resampling.LANCZOS).tobytes()
