"""Labels, weights, tags and names: which are accepted, which are refused, and how they are shown."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import images
from shared.api.etags import etag_of
from shared.errors import UnprocessableValue
from shared.images import UNITS, Image, Pool


@given(st.integers(1, UNITS - 1))
def test_every_weight_is_shown_and_read_back(weight: int) -> None:
    assert images.parse_weight(images.decimal(weight)) == weight
    assert images.parse_weight(repr(weight / UNITS)) == weight


@pytest.mark.parametrize("text", ["0.5", ".5", "0.50", " 0.5\t", "5e-1", "+0.5", "0.500000000", "50E-2"])
def test_a_half_may_be_written_in_many_ways(text: str) -> None:
    assert images.parse_weight(text) == UNITS // 2


@given(st.text(max_size=40) | st.from_regex(r"[-+]?[0-9]{0,12}\.?[0-9]{0,12}([eE][-+]?[0-9]{1,4})?", fullmatch=True))
def test_any_text_is_a_weight_within_the_bounds_or_refused(text: str) -> None:
    try:
        weight = images.parse_weight(text)
    except UnprocessableValue:
        pass
    else:
        assert 0 < weight < UNITS
        assert weight / UNITS == float(text)


def test_a_digit_too_many_is_not_rounded_away() -> None:
    for text in ("0.1000000001", "0.9999999999", "0.0000000009", "0.10000000000000000000001"):
        with pytest.raises(UnprocessableValue):
            images.parse_weight(text)


@given(st.text(max_size=40))
def test_any_text_is_a_label_or_refused(text: str) -> None:
    try:
        label = images.parse_label(text)
    except UnprocessableValue:
        pass
    else:
        assert images.LABEL.fullmatch(label)
        assert images.parse_label(label) == label == text.strip().lower()


@pytest.mark.parametrize("parse", [images.parse_label, images.parse_tag])
def test_two_words_are_refused_because_of_the_space(parse: Callable[[str], str]) -> None:
    with pytest.raises(UnprocessableValue, match="no spaces"):
        parse("sailing boat")


def test_the_allow_list_is_kept() -> None:
    assert images.parse_allowed_label(" Cat ", {"cat"}) == "cat"
    assert images.parse_allowed_label("emu", {"*"}) == "emu"
    with pytest.raises(UnprocessableValue, match=r"cat, dog\.$"):
        images.parse_allowed_label("emu", {"dog", "cat"})


@given(st.integers(0, 10**20))
def test_totals_are_shown_without_rounding(units: int) -> None:
    whole, _, part = images.decimal(units).partition(".")
    assert int(whole) * UNITS + int(part.ljust(9, "0")) == units
    assert not part.endswith("0")


def test_entity_tags_differ_by_version_and_weight() -> None:
    states = [Image("cat", "x.png", weight, version, 1, 1, 1, "") for weight in (1, 2) for version in ("v1", "v2")]
    assert len({etag_of(image) for image in states}) == 4


@pytest.mark.parametrize(
    ("pool", "key", "words"), [(Pool("cat"), "cat", "cat"), (Pool("cat", "calm"), "cat#calm", "cat with the tag calm")]
)
def test_a_pool_has_a_key_and_words(pool: Pool, key: str, words: str) -> None:
    assert (pool.key, Pool.of_key(key), f"{pool}") == (key, pool, words)


def test_an_image_is_in_the_pools_of_its_label_and_its_tags() -> None:
    image = Image("cat", "x.png", 1, "v1", 1, 1, 1, "", tags=("calm", "old"))
    assert [pool.key for pool in image.pools] == ["cat", "cat#calm", "cat#old"]
