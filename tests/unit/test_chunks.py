"""The arithmetic of places, chunks and lanes."""

import random

from hypothesis import given
from hypothesis import strategies as st

from shared.labels import chunks
from shared.labels.chunks import Lane

PLACES = st.integers(0, 10**8)

CLASSES = range(1, 31)  # bit lengths of the weights 1 .. 10^9 - 1


def test_chunks_hold_1_1_2_4_8_and_then_16() -> None:
    assert [chunks.first_place(i + 1) - chunks.first_place(i) for i in range(8)] == [1, 1, 2, 4, 8, 16, 16, 16]
    assert [chunks.chunk_of(place) for place in (0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32)] == [
        0,
        1,
        2,
        2,
        3,
        3,
        4,
        4,
        5,
        5,
        6,
    ]


@given(PLACES)
def test_a_place_is_within_its_chunk(place: int) -> None:
    index = chunks.chunk_of(place)
    assert chunks.first_place(index) <= place < chunks.first_place(index + 1)
    assert chunks.first_place(index + 1) - chunks.first_place(index) <= chunks.CHUNK_MAX


@given(PLACES)
def test_the_capacity_is_at_most_twice_the_volume(volume: int) -> None:
    assert volume <= chunks.capacity(volume) <= max(1, 2 * (volume - 1)) or volume == chunks.capacity(volume) == 0
    if volume:
        assert chunks.capacity(volume) == chunks.first_place(chunks.chunk_of(volume - 1) + 1)


@given(st.integers(1, 10**9 - 1))
def test_weights_of_a_class_are_within_a_factor_of_two(weight: int) -> None:
    weight_class = chunks.class_of(weight)
    assert weight_class in CLASSES
    assert 2 ** (weight_class - 1) <= weight < 2**weight_class


@given(st.integers(0, 98), st.sampled_from(CLASSES), st.integers(0, 10**9 - 1))
def test_a_chunk_number_encodes_lane_class_and_index(lane: int, weight_class: int, index: int) -> None:
    number = chunks.chunk_number(lane, weight_class, index)
    assert number >= chunks.FIRST_CHUNK_NUMBER
    assert (chunks.lane_of(number), chunks.index_of(number)) == (lane, index)
    assert number < chunks.chunk_number(lane, weight_class + 1, 0) < chunks.chunk_number(lane + 1, 1, 0)


@given(st.lists(st.integers(0, 9), min_size=chunks.LANES, max_size=chunks.LANES), st.randoms(use_true_random=False))
def test_the_fullest_lane_is_never_chosen_over_another(volumes: list[int], rng: random.Random) -> None:
    lanes = {i: Lane(i, 0, {5: volume}) for i, volume in enumerate(volumes)}
    chosen = chunks.choose_lane(lanes, 5, rng)
    assert sum(volume >= chosen.volume(5) for volume in volumes) >= 2


def test_every_lane_of_a_new_label_is_chosen_sometimes() -> None:
    rng = random.Random(1)
    assert {chunks.choose_lane({}, 5, rng).number for _ in range(100)} == set(range(chunks.LANES))
