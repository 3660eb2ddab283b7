"""Draws of several images, independent or distinct: their law and their cost."""

import random
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

import darts
import draw_many
import draws
import gaps
from bulk_reads import Rows
from gaps import ReadChunk
from petapi_client.chi_square import p_value
from pools import of_pool
from shared.errors import NotFound, Unavailable, UnprocessableValue
from shared.images import UNITS
from shared.labels import batch_get, chunks
from shared.labels.store import Store
from tests.support.every_run import every_run, law
from tests.support.memory_aws import CHUNKS, IMAGES, DynamoDB, World
from tests.support.memory_label import POOL, image, seen, stored
from tests.support.simulation import LABEL, SETTINGS

Pick = Callable[..., list[str]]


def drawn(world: World, count: int, rng: random.Random, *, distinct: bool) -> draw_many.DrawnImages:
    client = DynamoDB(world)
    store, rows = Store(client, SETTINGS), Rows(client, SETTINGS)  # type: ignore[arg-type]
    return draw_many.draw_many(store, rows, (POOL,), count, rng, distinct=distinct)


def names(found: draw_many.DrawnImages) -> tuple[str, ...]:
    return tuple(image.name for image, _ in found.images)


# --- without statistics ---


@pytest.mark.parametrize("whole", [True, False], ids=["read whole", "read by darts"])
@pytest.mark.parametrize("distinct", [True, False], ids=["distinct", "independent"])
@pytest.mark.parametrize(
    "weights", [[3, 1], *(pytest.param(each, marks=pytest.mark.slow) for each in ([1, 2, 1], [1, 1, 2]))], ids=str
)
def test_every_pair_of_every_run_has_exactly_its_probability(
    world: World, weights: list[int], distinct: bool, whole: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Go through all possible random numbers, so that nothing is left to chance."""
    if not whole:
        monkeypatch.setattr(draws.darts, "each_chunk", lambda strip: (((POOL, i), i) for i in range(1000)))
    stored(world, weights)
    entries, lanes, _ = seen(world)
    store = Store(DynamoDB(world), SETTINGS)  # type: ignore[arg-type]

    def run(rng: random.Random) -> tuple[str, ...]:
        strip = darts.strip_of(of_pool(POOL, lanes))
        drawn = draws.Draws(store, strip, rng, distinct=distinct).take(2, spare=0)  # so that the runs can be counted
        return tuple(image_id.removeprefix(f"{LABEL}/") for image_id, _ in drawn)

    reached: Counter[tuple[str, ...]] = Counter()
    for outcome, probability in every_run(run):
        reached[outcome] += probability  # type: ignore[assignment]
    assert reached == law({entry.name: entry.weight for entry in entries}, 2, distinct=distinct)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=40), st.integers(0, 2**32), st.data())
def test_on_the_remainder_each_image_is_hit_by_exactly_its_weight_in_darts(
    weights: list[int], seed: int, data: st.DataObject
) -> None:
    world = World(random.Random(seed))
    stored(world, weights)
    entries, lanes, found = seen(world)
    strip = darts.strip_of(of_pool(POOL, lanes))
    read = data.draw(st.sets(st.sampled_from(sorted(found))))
    read_chunks = [
        ReadChunk(start, chunks.strip_length(number), found.get(number, {}))
        for (_, number), start in darts.each_chunk(strip)
        if number in read
    ]
    excluded = (
        data.draw(st.sets(st.sampled_from(sorted(name for chunk in read_chunks for name in chunk.weights))))
        if read_chunks
        else ()
    )
    remainder = gaps.without_gaps(strip.length, read_chunks, excluded)
    hits: Counter[str | None] = Counter()
    for dart in range(remainder.length):
        (_, number), offset = darts.locate(strip, gaps.to_strip(remainder, dart))
        name = darts.image_at(found.get(number, {}), offset)
        assert name or number not in read, "a dart missed within a chunk that was read"
        hits[name] += 1
    del hits[None]
    assert hits == {entry.name: entry.weight for entry in entries if entry.name not in excluded}


@given(st.lists(st.integers(1, 2**29), min_size=1, max_size=80), st.integers(0, 2**32))
def test_the_chunks_of_a_strip_are_all_chunks_side_by_side(weights: list[int], seed: int) -> None:
    world = World(random.Random(seed))
    stored(world, weights)
    _, lanes, found = seen(world)
    strip = darts.strip_of(of_pool(POOL, lanes))
    listed = [(number, start) for (_, number), start in darts.each_chunk(strip)]
    assert {number for number, _ in listed} == found.keys()
    ends = [start + chunks.strip_length(number) for number, start in listed]
    assert ends == [start for _, start in listed[1:]] + [strip.length]


# --- with statistics ---

SKEWED = [1000, 9000, 40_000, 150_000, 300_000, 500_000]


@pytest.mark.parametrize("whole", [True, False], ids=["read whole", "read by darts"])
@pytest.mark.parametrize("distinct", [True, False], ids=["distinct", "independent"])
def test_ordered_triples_follow_the_law(
    world: World, distinct: bool, whole: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draw_many, "SPARE_DARTS", 6 if whole else 0)  # six chunks: more than four darts
    stored(world, SKEWED)
    entries, _, _ = seen(world)
    weights = {entry.name: entry.weight for entry in entries}
    rng = random.Random(3)
    times = 8000
    found = [drawn(world, 3, rng, distinct=distinct) for _ in range(times)]
    expected = {answer: float(times * p) for answer, p in law(weights, 3, distinct=distinct).items()}
    observed = Counter(names(one) for one in found)
    assert p_value({str(k): n for k, n in observed.items()}, {str(k): n for k, n in expected.items()}) > 0.001
    for one in found[:500]:
        left = one.total_weight
        for shown, probability in one.images:
            assert (shown.weight, probability) == (weights[shown.name], weights[shown.name] / left)
            left -= shown.weight if distinct else 0


def test_the_triples_test_would_notice_a_wrong_way_to_draw_distinct_images(world: World) -> None:
    """Starting all over when an image repeats has another law than drawing from those that are left."""
    weights = dict(enumerate(SKEWED))
    rng = random.Random(3)
    times = 8000
    wrong: Counter[str] = Counter()
    while wrong.total() < times:
        answer = tuple(rng.choices(list(weights), SKEWED, k=3))
        if len(set(answer)) == 3:
            wrong[str(answer)] += 1
    right = law({str(name): weight for name, weight in weights.items()}, 3, distinct=True)
    expected = {str(tuple(map(int, answer))): float(times * p) for answer, p in right.items()}
    assert p_value(wrong, expected) < 1e-9


# --- at the edges ---


def test_a_label_with_more_chunks_than_one_call_takes_is_read_in_two(world: World) -> None:
    stored(world, [1 << number % 30 for number in range(110)])
    _, _, found = seen(world)
    assert batch_get.KEYS_MAX < len(found) <= 110 * 3 // 2
    assert len(set(names(drawn(world, 100, world.rng, distinct=True)))) == 100
    assert calls(world, 100, distinct=True, times=1) == 4


@pytest.mark.parametrize("weights", [[1], [UNITS - 1] * 7, [UNITS - 1, *[1] * 50], [1 << i for i in range(29)]])
def test_all_images_of_a_label_come_once_and_the_last_with_certainty(world: World, weights: list[int]) -> None:
    stored(world, weights)
    for _ in range(20):
        found = drawn(world, len(weights), world.rng, distinct=True)
        assert len(set(names(found))) == len(weights)
        assert found.images[-1][1] == 1
        assert found.total_weight == sum(weights)


def test_too_many_distinct_images_are_a_422_with_the_number_of_images(world: World) -> None:
    stored(world, [5] * 7)
    with pytest.raises(UnprocessableValue, match="at most 7, the number of images") as refusal:
        drawn(world, 8, world.rng, distinct=True)
    assert refusal.value.field == "count"
    assert len(drawn(world, 8, world.rng, distinct=False).images) == 8


def test_a_label_without_images_is_404(world: World) -> None:
    with pytest.raises(NotFound):
        drawn(world, 1, world.rng, distinct=False)


def test_a_label_that_seems_to_have_too_few_images_is_read_again_consistently(world: World) -> None:
    stored(world, [5])
    world.previous[CHUNKS] = {key: None for key in world.tables[CHUNKS] if key[1] in "0123"}
    world.stale = 1.0
    assert len(drawn(world, 1, world.rng, distinct=True).images) == 1


@pytest.mark.parametrize("distinct", [True, False], ids=["distinct", "independent"])
def test_the_others_keep_their_probabilities_if_an_image_was_deleted(world: World, distinct: bool) -> None:
    stored(world, [1000, 3000, 5000, 9000])
    del world.tables[IMAGES][(LABEL, image(3, 1).name)]  # half the weight
    weights = {image(number, 1).name: weight for number, weight in enumerate([1000, 3000, 5000])}
    rng = random.Random(5)
    times = 3000
    observed: Counter[str] = Counter()
    for _ in range(times):
        found = drawn(world, 2, rng, distinct=distinct)
        observed[str(names(found))] += 1
        gone = found.total_weight == 9000  # if it was drawn at all, its weight is not in the total
        assert found.images[0][1] == weights[found.images[0][0].name] / (9000 if gone else 18_000)
    expected = {str(answer): float(times * p) for answer, p in law(weights, 2, distinct=distinct).items()}
    assert p_value(observed, expected) > 0.001


def test_the_response_is_503_if_each_drawn_image_was_deleted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    stored(world, [5] * 40)
    world.tables[IMAGES].clear()
    monkeypatch.setattr(draw_many, "SPARE_DARTS", 0)
    with pytest.raises(Unavailable, match="deleted meanwhile"):
        drawn(world, 3, world.rng, distinct=True)


def test_lanes_that_count_missing_images_are_a_503(world: World) -> None:
    lane = {"label": {"S": LABEL}, "chunkNumber": {"N": "0"}, "totalWeight": {"N": "5"}, "chunkVolume3": {"N": "1"}}
    world.tables[CHUNKS][(LABEL, "0")] = lane
    for distinct in (True, False):
        with pytest.raises(Unavailable):
            drawn(world, 1, world.rng, distinct=distinct)


def test_a_stale_total_below_the_drawn_weights_is_read_again(world: World) -> None:
    stored(world, [400_000_000, 500_000_000])
    lanes = {key: item for key, item in world.tables[CHUNKS].items() if key[1] in "0123"}
    old = {key: {**item, "totalWeight": {"N": "1000"}} for key, item in lanes.items()}

    def read(table: str, key: tuple[str, str], *, consistent: bool) -> object:
        return old[key] if key in old and not consistent else world.tables[table].get(key)

    world.read = read  # type: ignore[method-assign, assignment]
    found = drawn(world, 2, world.rng, distinct=True)
    assert (found.total_weight, found.images[-1][1]) == (900_000_000, 1)


# --- the cost ---


def calls(world: World, count: int, *, distinct: bool, times: int = 60) -> float:
    """Return the mean number of AWS calls of a draw of `count` images."""
    made = 0

    def pause(_: str) -> None:
        nonlocal made
        made += 1

    world.pause = pause
    for _ in range(times):
        drawn(world, count, world.rng, distinct=distinct)
    return made / times


@pytest.mark.parametrize("images", [100, 300, 1000, 3000])
@pytest.mark.parametrize("kind", ["equal", "uniform"])
def test_a_hundred_distinct_images_take_at_most_four_round_trips(world: World, images: int, kind: str) -> None:
    """Read the lanes, the chunks (in two calls or fewer, on average) and the rows."""
    rng = random.Random(images)
    stored(world, [UNITS // 2 if kind == "equal" else rng.randrange(1, UNITS) for _ in range(images)])
    assert calls(world, 100, distinct=True) <= 4


def test_an_image_with_nearly_all_the_weight_does_not_delay_the_others(world: World) -> None:
    stored(world, [UNITS - 1, *[20] * 50])
    assert calls(world, 2, distinct=True) <= 5
