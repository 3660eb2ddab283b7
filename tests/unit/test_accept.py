"""The Accept header: how much a client likes each type, and so whether it gets JSON, WebP or JPEG."""

import pytest

import random_image
from shared.api.accept import prefers_json, quality
from shared.thumbnail import best_extension
from tests.support.accept_table import TABLE

JSON, JPEG, WEBP = "application/json", "image/jpeg", "image/webp"


@pytest.mark.parametrize("accept", TABLE)
def test_each_type_has_the_quality_that_the_header_gives_it(accept: str) -> None:
    assert tuple(quality(accept, media_type) for media_type in (JSON, JPEG, WEBP)) == TABLE[accept][:3]


@pytest.mark.parametrize("accept", TABLE)
def test_a_draw_is_json_if_the_header_likes_json_as_much_as_each_picture(accept: str) -> None:
    assert prefers_json(accept, to=random_image.MEDIA_TYPES) == TABLE[accept][3]


@pytest.mark.parametrize("accept", TABLE)
def test_a_thumbnail_is_of_the_type_that_the_header_likes_best(accept: str) -> None:
    assert best_extension(accept) == TABLE[accept][4]
