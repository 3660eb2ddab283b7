"""Draws from several labels, and draws that leave images out: each image keeps exactly its weight."""

import random
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import combinations
from typing import Any

import pytest

import darts
import draw
import draw_many
import random_image
import remaining
from bulk_reads import Rows
from draw import Drawn
from draws import Draws
from foresight import Memory
from petapi_client.chi_square import p_value
from pools import Pools, lanes_of
from shared.errors import NotFound, Unavailable, UnprocessableValue
from shared.images import Pool
from shared.labels.store import Store
from tests.support import every_dart, left_out, memory_label
from tests.support.every_dart import Given, Missed
from tests.support.every_run import every_run, law
from tests.support.left_out import filled, weights_of
from tests.support.memory_aws import CHUNKS, IMAGES, Conflict, DynamoDB, World
from tests.support.simulation import SETTINGS, Simulation

CATS, DOGS = Pool("cat"), Pool("dog")
BOTH = (CATS, DOGS)
WEIGHTS = {"cat": [1, 2, 5, 5, 3], "dog": [4, 1, 7]}
SETS = pytest.mark.parametrize(
    "labels", [{"cat": [1, 2, 1]}, pytest.param({"cat": [3], "dog": [1, 2]}, marks=pytest.mark.slow)], ids=str
)


def rows_of(world: World) -> Rows:
    return Rows(DynamoDB(world), SETTINGS)  # type: ignore[arg-type]


def drawn(store: Store, pools: Pools, rng: random.Random, memory: Memory) -> Drawn:
    found, image_id = draw.draw(store, pools, rng, "{}/{}".format, memory)
    assert image_id == found.id
    return found


def hits(store: Store, pools: Pools, remembered: darts.Strip | None, length: int, *before: int) -> Counter[str]:
    """Return how many of all darts on a strip of this length hit each image, thrown after these."""
    found: Counter[str] = Counter()
    for dart in range(length):
        memory = every_dart.knowing(remembered, Memory(unknown=1), pools) if remembered else random_image.FORGETFUL
        try:
            found[drawn(store, pools, Given([*before, dart]), memory).id] += 1
        except Missed:
            found[every_dart.MISSED] += 1
    return found


# --- several labels ---


@pytest.mark.parametrize("is_remembered", [False, True], ids=["lanes first", "darts ahead"])
def test_each_image_of_several_labels_is_hit_by_exactly_its_weight_in_darts(world: World, is_remembered: bool) -> None:
    store = filled(world, WEIGHTS)
    strip = darts.strip_of(lanes_of(store, BOTH, consistent=True))
    found = hits(store, BOTH, strip if is_remembered else None, strip.length)
    del found[every_dart.MISSED]
    assert found == weights_of(WEIGHTS)
    assert drawn(store, BOTH, random.Random(1), Memory()).total_weight == 28


@pytest.mark.parametrize("label", ["dog", pytest.param("cat", marks=pytest.mark.slow)])
def test_a_row_counts_only_if_the_strips_of_all_labels_are_the_same(world: World, label: str) -> None:
    store = filled(world, WEIGHTS)
    remembered = darts.strip_of(lanes_of(store, BOTH, consistent=True))
    for number in range(10, 20):
        store.add(replace(memory_label.image(number, 6), label=label))
    strip = darts.strip_of(lanes_of(store, BOTH, consistent=True))
    weights = {f"{label}/{memory_label.image(number, 1).name}": 6 for number in range(10, 20)}
    for before in range(remembered.length):
        found = hits(store, BOTH, remembered, strip.length, before)
        del found[every_dart.MISSED]
        assert found == weights_of(WEIGHTS) | weights


def test_labels_with_one_tag_are_one_law_too(world: World) -> None:
    store = filled(world, WEIGHTS, tags=("red",))
    store.add(replace(memory_label.image(50, 8), label="dog"))
    red = tuple(pool._replace(tag="red") for pool in BOTH)
    strip = darts.strip_of(lanes_of(store, red, consistent=True))
    found = hits(store, red, None, strip.length)
    del found[every_dart.MISSED]
    assert found == weights_of(WEIGHTS)


@pytest.mark.parametrize("batch", [range(1), pytest.param(range(1, 12), marks=pytest.mark.slow)])
def test_several_labels_keep_the_law_whenever_lanes_and_chunks_are_read(batch: range) -> None:
    ahead = 0
    for seed in batch:
        histories = []
        for number in (seed, seed + 1000):
            scenario = Simulation(number, heavy=4, pictures=6)
            scenario.run()
            histories.append(scenario.history)
        history = every_dart.side_by_side(*histories)
        ahead += every_dart.in_turn(history, random.Random(seed), count=8, longest=500, pools=every_dart.TWINS)
    assert ahead > len(batch)


def test_one_of_the_labels_may_have_no_images(world: World) -> None:
    store = filled(world, {"dog": [5]})
    assert drawn(store, BOTH, random.Random(1), Memory()).id == next(iter(weights_of({"dog": [5]})))
    with pytest.raises(NotFound, match="no images of bird or cat;") as refusal:
        drawn(store, (Pool("bird"), CATS), random.Random(1), Memory())
    assert refusal.value.field == "label"


def test_a_warm_draw_of_several_labels_reads_all_at_once(world: World) -> None:
    store, memory, rng = filled(world, {label: [500_000_000] * 20 for label in ("cat", "dog")}), Memory(), world.rng
    for _ in range(1000):
        drawn(store, BOTH, rng, memory)
    calls: list[str] = []
    world.pause = calls.append
    for _ in range(100):
        drawn(store, BOTH, rng, memory)
    assert Counter(calls) == {"batch_get_item": 100, "query": 200}


@pytest.mark.parametrize("distinct", [True, False], ids=["distinct", "independent"])
def test_every_pair_of_two_labels_has_exactly_its_probability(world: World, distinct: bool) -> None:
    labels = {"cat": [2, 1], "dog": [1]}
    store = filled(world, labels)
    strip = darts.strip_of(lanes_of(store, BOTH, consistent=True))

    def run(rng: random.Random) -> tuple[str, ...]:
        return tuple(image_id for image_id, _ in Draws(store, strip, rng, distinct=distinct).take(2, spare=0))

    reached: Counter[Any] = Counter()
    for outcome, probability in every_run(run):
        reached[outcome] += probability  # type: ignore[assignment]
    assert reached == law(weights_of(labels), 2, distinct=distinct)


def test_equal_pictures_of_two_labels_are_two_images(world: World) -> None:
    store, rows = filled(world, {"cat": [5], "dog": [3]}), rows_of(world)
    found = draw_many.draw_many(store, rows, BOTH, 2, world.rng, distinct=True)
    assert {image.id for image, _ in found.images} == weights_of({"cat": [5], "dog": [3]}).keys()
    (cat, dog) = sorted(image.id for image, _ in found.images)
    assert draw_many.draw_one(store, rows, BOTH, {cat}, world.rng).id == dog


# --- images that are left out ---


def subsets(ids: Collection[str]) -> Iterator[tuple[str, ...]]:
    for count in range(1, len(ids)):
        yield from combinations(sorted(ids), count)


@SETS
@pytest.mark.parametrize("whole", [True, False], ids=["read whole", "read by darts"])
def test_every_run_of_every_exclusion_has_exactly_its_probability(
    world: World, labels: dict[str, list[int]], whole: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Go through all possible random numbers, so that nothing is left to chance."""
    store, rows, weights = filled(world, labels), rows_of(world), weights_of(labels)
    pools = tuple(Pool(label) for label in sorted(labels))
    if not whole:
        monkeypatch.setattr(darts, "each_chunk", lambda strip: (((CATS, i), i) for i in range(1000)))
    for excluded in subsets(weights):
        left = sum(weight for image_id, weight in weights.items() if image_id not in excluded)
        reached: Counter[str] = Counter()
        for found, probability in every_run(lambda rng: draw_many.draw_one(store, rows, pools, excluded, rng)):  # noqa: B023
            assert (found.weight, found.total_weight) == (weights[found.id], left)
            reached[found.id] += probability  # type: ignore[assignment]
        assert reached == {name: Fraction(weights[name], left) for name in weights if name not in excluded}


@pytest.mark.parametrize("distinct", [True, False], ids=["distinct", "independent"])
def test_every_pair_of_those_that_are_left_has_exactly_its_probability(world: World, distinct: bool) -> None:
    labels = {"cat": [2, 1, 3]}
    store, weights = filled(world, labels), weights_of(labels)
    gone = max(weights)
    strip = darts.strip_of(lanes_of(store, (CATS,), consistent=True))

    def run(rng: random.Random) -> tuple[str, ...]:
        draws = Draws(store, strip, rng, distinct=distinct, excluded={gone})
        return tuple(image_id for image_id, _ in draws.take(2, spare=0))

    reached: Counter[Any] = Counter()
    for outcome, probability in every_run(run):
        reached[outcome] += probability  # type: ignore[assignment]
    assert reached == law({name: weight for name, weight in weights.items() if name != gone}, 2, distinct=distinct)


def test_an_image_that_weighs_nearly_all_is_cut_out_after_one_round(world: World) -> None:
    labels = {"cat": [999_999_999, *[1] * 200]}
    store, weights, calls = filled(world, labels), weights_of(labels), list[str]()
    heavy = next(iter(weights))
    world.pause = calls.append
    for seed in range(20):
        calls.clear()
        found = draw_many.draw_one(store, rows_of(world), (CATS,), {heavy}, random.Random(seed))
        assert (found.weight, found.total_weight) == (1, 200)
        assert calls[:2] == ["batch_get_item", "query"]
        assert 3 <= len(calls) <= 8


def test_the_rows_are_read_beside_the_lanes_and_their_chunks_with_those_of_the_darts(world: World) -> None:
    labels = {"cat": [536_870_911] * 40}
    store, weights, calls = filled(world, labels), weights_of(labels), list[str]()
    world.pause = calls.append
    for seed in range(20):
        draw_many.draw_one(store, rows_of(world), (CATS,), list(weights)[:20], random.Random(seed))
    assert calls[:3] == ["batch_get_item", "query", "batch_get_item"]
    assert 60 <= len(calls) < 80, "half of the first rounds hit"


def test_ids_that_do_not_exist_are_ignored_also_by_a_tag(world: World) -> None:
    store = filled(world, {"cat": [5, 3]})
    store.add(replace(memory_label.image(9, 4), label="cat", tags=("red",)))
    none = "cat/" + memory_label.image(77, 1).name
    cat, *_ = weights_of({"cat": [5, 3]})
    rows = rows_of(world)
    assert draw_many.draw_one(store, rows, (CATS,), {none}, world.rng).total_weight == 12
    assert draw_many.draw_one(store, rows, (CATS,), {none, cat}, world.rng).total_weight == 7
    # An image that is not in the pool of the tag takes nothing from its total.
    assert draw_many.draw_one(store, rows, (Pool("cat", "red"),), {none, cat}, world.rng).total_weight == 4


def test_nothing_left_is_404_and_too_few_are_422(world: World) -> None:
    labels = {"cat": [5, 3], "dog": [2]}
    store, rows, ids = filled(world, labels), rows_of(world), list(weights_of(labels))
    with pytest.raises(NotFound, match="exclude names all images of cat or dog") as refusal:
        draw_many.draw_one(store, rows, BOTH, ids, world.rng)
    assert refusal.value.field == "exclude"
    with pytest.raises(NotFound) as refusal:
        draw_many.draw_many(store, rows, BOTH, 2, world.rng, distinct=False, excluded=ids)
    assert refusal.value.field == "exclude"
    with pytest.raises(UnprocessableValue, match="at most 2, the number of images of cat or dog that exclude leaves"):
        draw_many.draw_many(store, rows, BOTH, 3, world.rng, distinct=True, excluded=ids[:1])
    found = draw_many.draw_many(store, rows, BOTH, 2, world.rng, distinct=True, excluded=ids[:1])
    assert {image.id for image, _ in found.images} == set(ids[1:])
    assert [probability for _, probability in found.images][1] == 1
    with pytest.raises(NotFound) as refusal:
        draw_many.draw_one(store, rows, (Pool("bird"),), ["bird/" + memory_label.image(1, 1).name], world.rng)
    assert refusal.value.field == "label"


@pytest.mark.parametrize("said", left_out.SAID, ids=str)
def test_what_a_row_says_never_changes_the_law(said: list[tuple[int, int]]) -> None:
    left_out.check_law(said)


@pytest.mark.parametrize("distinct", [True, False], ids=["distinct", "independent"])
def test_what_was_drawn_stays_if_the_total_was_read_too_small(world: World, distinct: bool) -> None:
    labels = {"cat": [5, 3, 6]}
    store, weights = filled(world, labels), weights_of(labels)
    gone = max(weights)
    firsts: Counter[str] = Counter()
    for seed in range(2000):
        rows, rng = left_out.Invented(world, [(10, left_out.FIRST)]), random.Random(seed)
        found = draw_many.draw_many(store, rows, (CATS,), 2, rng, distinct=distinct, excluded={gone})
        assert found.total_weight in (4, 8)
        assert all(0 < probability <= 1 for _, probability in found.images)
        firsts[found.images[0][0].id] += 1
    assert p_value(firsts, {name: 250 * weight for name, weight in weights.items() if name != gone}) > 0.001


def test_what_was_stored_a_moment_ago_is_left_out_too(world: World) -> None:
    """The row of the image is not to be seen yet, and its lane counts it."""
    labels = {"cat": [5, 3]}
    store, ids = filled(world, labels), list(weights_of(labels))
    unseen = {key: None for key in world.tables[IMAGES] if key[1] == ids[0].removeprefix("cat/")}
    world.previous[IMAGES], world.previous[CHUNKS] = unseen, {}
    world.stale = 1.0
    assert {draw_many.draw_one(store, rows_of(world), (CATS,), {ids[0]}, world.rng).id for _ in range(20)} == {ids[1]}


@pytest.mark.parametrize("distinct", [None, True, False])
def test_images_that_are_deleted_between_two_reads_are_no_reason_for_404(world: World, distinct: bool | None) -> None:
    """Two images are left out.  One is deleted between rows and lanes, and the other at the next chance."""
    labels = {"cat": [5, 3, 4]}
    store, (kept, *doomed) = filled(world, labels), list(weights_of(labels))
    left, excluded = list(doomed), set(doomed)

    def remove_one(call: str) -> None:
        if call == "query" and left:
            world.pause = lambda call: None
            assert store.remove(*left.pop().split("/"))
            world.pause = remove_one

    world.pause = remove_one
    rows = rows_of(world)
    if distinct is None:
        assert draw_many.draw_one(store, rows, (CATS,), excluded, world.rng).id == kept
    else:
        found = draw_many.draw_many(store, rows, (CATS,), 1, world.rng, distinct=distinct, excluded=excluded)
        assert [image.id for image, _ in found.images] == [kept]


def test_a_refusal_waits_for_a_moment_without_a_writer(world: World) -> None:
    store, ids, conflicts = filled(world, {"cat": [5]}), list(weights_of({"cat": [5]})), iter(range(3))

    def meet(call: str) -> None:
        if call == "transact_get_items" and next(conflicts, None) is not None:
            raise Conflict

    world.pause = meet
    with pytest.raises(NotFound):
        draw_many.draw_one(store, rows_of(world), (CATS,), ids, world.rng)
    assert next(conflicts, None) is None


def test_lanes_that_seem_to_lack_images_are_read_at_one_moment_for_all_labels(world: World) -> None:
    labels = {"cat": [5], "dog": [3]}
    store = filled(world, labels)
    world.previous[CHUNKS] = {key: None for key in world.tables[CHUNKS] if key[1] in "0123"}
    world.previous[IMAGES] = {}
    world.stale = 1.0
    found = draw_many.draw_many(store, rows_of(world), BOTH, 2, world.rng, distinct=True)
    assert ({image.id for image, _ in found.images}, found.total_weight) == (weights_of(labels).keys(), 8)


@pytest.mark.parametrize(("weights", "is_cut"), [([8, 1, 1], True), ([1] * 60, False)], ids=["heavy", "light"])
def test_only_the_chunks_of_heavy_images_are_read_before_the_darts(
    world: World, weights: list[int], is_cut: bool
) -> None:
    ids = list(weights_of({"cat": weights}))
    left = remaining.read(filled(world, {"cat": weights}), rows_of(world), (CATS,), ids[:1], 1, again=False)
    assert (len(left.to_cut), left.count) == (int(is_cut), len(weights) - 1)


def test_a_row_that_was_deleted_a_moment_ago_is_no_reason_for_404(world: World) -> None:
    """The row is still to be seen, and the lanes count the image no more."""
    labels = {"cat": [5, 3]}
    store, ids = filled(world, labels), list(weights_of(labels))
    before = {key: item for key, item in world.tables[IMAGES].items() if key[1] == ids[0].removeprefix("cat/")}
    assert store.remove(*ids[0].split("/"))
    world.previous[IMAGES], world.previous[CHUNKS] = before, {}
    world.stale = 1.0
    found = draw_many.draw_one(store, rows_of(world), (CATS,), {ids[0]}, world.rng)
    assert (found.id, found.total_weight) == (ids[1], 3)


def test_chunks_that_lack_what_the_lanes_count_are_503(world: World) -> None:
    store, ids = filled(world, {"cat": [5, 3]}), list(weights_of({"cat": [5, 3]}))
    for key in [key for key in world.tables[CHUNKS] if int(key[1]) > 100]:
        del world.tables[CHUNKS][key]
    with pytest.raises(Unavailable):
        draw_many.draw_one(store, rows_of(world), (CATS,), {ids[0]}, world.rng)
