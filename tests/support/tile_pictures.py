"""Tiles as the index makes them: of crops of the sample photographs, and of the cells of a picture."""

import random
from collections.abc import Iterator
from functools import cache

from PIL import Image

import views
from shared.tiles import SIDE
from tests.support import sample_pictures


@cache
def crops(count: int, seed: int = 1) -> list[bytes]:
    """Return tiles of so many squares of 64 to 300 pixels in the 24 photographs, each photograph in turn."""
    chance = random.Random(seed)
    photographs = [picture for _, picture in sample_pictures.photographs()]
    return [views.tile_of(_square(photographs[number % len(photographs)], chance)) for number in range(count)]


def cells(picture: Image.Image) -> Iterator[bytes]:
    """Yield the tiles of the squares of SIDE pixels that an RGB picture consists of, line by line."""
    for top in range(0, picture.height, SIDE):
        for left in range(0, picture.width, SIDE):
            yield views.tile_of(picture.crop((left, top, left + SIDE, top + SIDE)))


def _square(picture: Image.Image, chance: random.Random) -> Image.Image:
    side = chance.randint(64, 300)
    left, top = chance.randint(0, picture.width - side), chance.randint(0, picture.height - side)
    return picture.crop((left, top, left + side, top + side))
