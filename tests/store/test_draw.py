"""Draws have probability exactly weight / total; and what a draw does while the label changes."""

import json
import logging
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

import darts
import random_image
import shared.labels.retries
import shared.labels.store
from foresight import Memory
from petapi_client.chi_square import p_value
from pools import of_pool
from shared import images
from shared.labels import chunks
from shared.labels.store import Store
from tests.support import invariants
from tests.support.memory_aws import CHUNKS, IMAGES, S3, DynamoDB, World
from tests.support.memory_label import POOL, drawn, image, seen, stored
from tests.support.pictures import tiny
from tests.support.simulation import LABEL, SETTINGS, call


def runs(length: int, outcome: Callable[[int], object]) -> Iterator[tuple[object, int]]:
    """Yield (outcome, number of darts) for each run of darts with equal outcome: all darts, without throwing each.

    A dart further right lands further right, so all darts between two of one image hit that image.
    """
    start = 0
    while start < length:
        here, low, high = outcome(start), start, length - 1
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if outcome(middle) == here else (low, middle - 1)
        yield here, low + 1 - start
        start = low + 1


def thirty(world: World) -> tuple[Store, dict[str, int]]:
    """Store 30 images of 0.000001 to 0.999, some of them deleted and uploaded again."""
    weights = [1000 * round(999_000 ** (i / 29)) for i in range(30)]
    assert (weights[0], weights[-1]) == (1000, 999_000_000)
    store = stored(world, weights)
    for number in world.rng.sample(range(30), 12):
        store.remove(LABEL, image(number, 1).name)
        if number % 2:
            store.add(image(number, weights[number]))
    entries, _, _ = seen(world)
    return store, {entry.name: entry.weight for entry in entries}


def test_each_image_is_hit_by_exactly_its_weight_in_darts(world: World) -> None:
    _, weights = thirty(world)
    _, lanes, found = seen(world)
    strip = darts.strip_of(of_pool(POOL, lanes))

    def outcome(dart: int) -> object:
        (_, number), offset = darts.locate(strip, dart)
        return number, darts.image_at(found[number], offset)

    hits: Counter[str] = Counter()
    total = 0
    for (_, name), count in runs(strip.length, outcome):  # type: ignore[misc]
        total += count
        hits[name] += count
    del hits[None]  # type: ignore[arg-type]
    assert hits == weights
    assert total == strip.length <= 4 * sum(weights.values())


def test_20000_draws_follow_the_weights(world: World) -> None:
    store, weights = thirty(world)
    rng, total = random.Random(20_000), sum(weights.values())
    memory = Memory()
    found = [drawn(store, rng, memory) for _ in range(20_000)]
    assert {one.total_weight for one in found} == {total}
    assert all(one.weight == weights[one.name] for one in found)
    expected = {name: 20_000 * weight / total for name, weight in weights.items()}
    assert p_value(Counter(one.name for one in found), expected) > 0.001


def test_the_chi_square_test_would_notice_uniform_draws(world: World) -> None:
    _, weights = thirty(world)
    rng, total = random.Random(1), sum(weights.values())
    uniform = Counter(rng.choice(list(weights)) for _ in range(20_000))
    assert p_value(uniform, {name: 20_000 * weight / total for name, weight in weights.items()}) < 1e-9


def test_the_worst_case_is_drawn_without_giving_up(world: World) -> None:
    store = stored(world, [540_000_000] * 68)
    calls: Counter[str] = Counter()
    world.pause = lambda call: calls.update([call])
    rng = random.Random(68)
    found = Counter(drawn(store, rng, random_image.FORGETFUL).name for _ in range(4000))
    assert len(found) == 68
    assert calls["batch_get_item"] / 4000 < 4
    assert p_value(found, dict.fromkeys(found, 4000 / 68)) > 0.001


@given(st.lists(st.integers(1, 40), min_size=1, max_size=60), st.integers(0, 2**32))
def test_every_dart_thrown_once_hits_each_image_weight_times(weights: list[int], seed: int) -> None:
    world = World(random.Random(seed))
    store = stored(world, weights)
    rng = random.Random(seed)
    for number in rng.sample(range(len(weights)), len(weights) // 3):
        store.remove(LABEL, image(number, 1).name)
    entries, lanes, found = seen(world)
    invariants.check(entries, lanes, found)
    assert invariants.throw_every_dart(lanes, found) == {entry.name: entry.weight for entry in entries}


@pytest.mark.parametrize("sizes", [[2], [0], [1, 0, 0, 2], [4]], ids=str)
def test_lanes_that_come_in_several_pages_keep_the_law_exact(world: World, sizes: list[int]) -> None:
    weights = [number % 7 + 1 for number in range(40)]
    store = stored(world, weights)
    entries, lanes, found = seen(world)
    assert len(lanes) == 4
    world.page_sizes = list(sizes)
    read = store.lanes(POOL)
    assert not world.page_sizes
    assert read == lanes
    assert invariants.throw_every_dart(read, found) == {entry.name: entry.weight for entry in entries}
    world.page_sizes = list(sizes)
    assert drawn(store, random.Random(1)).total_weight == sum(weights)


def test_the_strip_of_an_empty_label_has_length_zero() -> None:
    assert darts.strip_of({}).length == darts.strip_of({(POOL, 0): chunks.Lane(0, 0, {5: 0})}).length == 0


# --- while the label changes ---


def get_random() -> tuple[int, dict[str, str], bytes]:
    answer = call(random_image, "GET", "/random", "/random", query={"label": [LABEL]})
    return answer["statusCode"], answer["headers"], answer["body"].encode()


def with_objects(world: World, weights: list[int], kept: set[int]) -> Store:
    """Return a store of images of which only those in `kept` have an object."""
    store = Store(DynamoDB(world), SETTINGS)  # type: ignore[arg-type]
    for number, weight in enumerate(weights):
        store.add(image(number, weight))
        if number in kept:
            S3(world).put_object(Key=image(number, weight).id, Body=tiny(number))
    return store


@pytest.mark.parametrize("code", ["NoSuchKey", "AccessDenied"])
def test_an_image_whose_object_is_missing_is_replaced_by_another_draw(
    world: World, code: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with_objects(world, [500_000_000] * 2, {1})
    shipped = S3.get_object

    def get_object(self: S3, **arguments: str) -> object:
        if arguments["Key"] == image(0, 1).id:
            raise ClientError({"Error": {"Code": code, "Message": ""}}, "GetObject")
        return shipped(self, **arguments)

    monkeypatch.setattr(S3, "get_object", get_object)
    answers = [get_random() for _ in range(40)]
    statuses = Counter(status for status, _, _ in answers)
    assert statuses[200] >= 30  # 15 of 16 requests do not draw the lost image four times in a row
    assert set(statuses) <= {200, 503}
    assert {headers["Image-Id"] for status, headers, _ in answers if status == 200} == {image(1, 1).id}
    assert "was deleted meanwhile" in caplog.text


def test_the_response_is_503_if_the_object_of_each_drawn_image_is_missing(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    with_objects(world, [500_000_000] * 3, set())
    status, headers, body = get_random()
    assert status == 503
    assert headers["Retry-After"] == "1"
    assert "retry" in json.loads(body)["detail"]
    assert len([record for record in caplog.records if record.levelno == logging.WARNING]) == 4


def test_a_label_that_seems_empty_is_read_again_consistently(world: World) -> None:
    with_objects(world, [500_000_000], {0})
    for key in world.tables[CHUNKS]:
        world.previous[CHUNKS][key] = None
    world.stale = 1.0
    reads: list[bool] = []
    shipped = World.read

    def read(self: World, table: str, key: tuple[str, str], *, consistent: bool) -> object:
        reads.append(consistent)
        return shipped(self, table, key, consistent=consistent or int(key[1]) >= chunks.FIRST_CHUNK_NUMBER)

    world.read = read.__get__(world)  # type: ignore[method-assign]
    assert get_random()[0] == 200
    assert reads[:2] == [False, True]


def test_a_probability_above_one_is_never_returned(world: World) -> None:
    store = stored(world, [400_000_000])
    store.edit(LABEL, image(0, 1).name, lambda image: replace(image, weight=500_000_000))  # the same class
    (lane_key,) = [key for key in world.tables[CHUNKS] if int(key[1]) < chunks.FIRST_CHUNK_NUMBER]
    lane = world.previous[CHUNKS][lane_key]
    assert lane
    assert lane["totalWeight"] == {"N": "400000000"}

    def read(table: str, key: tuple[str, str], *, consistent: bool) -> object:
        return lane if key == lane_key and not consistent else world.tables[table].get(key)

    world.read = read  # type: ignore[method-assign, assignment]
    found = drawn(store, random.Random(3))  # the old total is below the weight: lanes are read again
    assert (found.weight, found.total_weight, found.probability) == (500_000_000, 500_000_000, 1)


def other_moment(world: World, heavy: list[int], is_read_before: Callable[[int], bool]) -> Store:
    """Return a store of two images, of which one has first the one and then the other weight, of the same class.

    An eventually consistent read of the lanes or chunks for which `is_read_before` holds is that of the first weight.
    """
    store = stored(world, [heavy[0], 100_000_000])
    before = {key: item for key, item in world.tables[CHUNKS].items() if is_read_before(int(key[1]))}
    store.edit(LABEL, image(0, 1).name, lambda image: replace(image, weight=heavy[1]))

    def read(table: str, key: tuple[str, str], *, consistent: bool) -> object:
        is_before = table == CHUNKS and key in before and not consistent
        return before[key] if is_before else world.tables[table].get(key)

    world.read = read  # type: ignore[method-assign, assignment]
    return store


def is_lane(number: int) -> bool:
    return number < chunks.FIRST_CHUNK_NUMBER


def is_chunk(number: int) -> bool:
    return not is_lane(number)


@pytest.mark.parametrize(
    ("heavy", "is_read_before"),
    [([270_000_000, 530_000_000], is_lane), ([530_000_000, 270_000_000], is_chunk)],
    ids=["an old total", "an old weight"],
)
def test_an_image_that_is_heavier_than_the_total_that_was_read_is_not_drawn_too_rarely(
    world: World, heavy: list[int], is_read_before: Callable[[int], bool]
) -> None:
    store = other_moment(world, heavy, is_read_before)
    rng, weights = random.Random(1), {image(0, 1).name: 530_000_000, image(1, 1).name: 100_000_000}
    found = [drawn(store, rng) for _ in range(500)]
    expected = {name: 500 * weight / 630_000_000 for name, weight in weights.items()}
    assert p_value(Counter(one.name for one in found), expected) > 0.001
    now = heavy[1], heavy[1] + 100_000_000
    assert {(one.weight, one.total_weight) for one in found if one.name == image(0, 1).name} == {now}


def test_an_image_that_is_heavier_than_the_total_that_was_read_costs_one_more_read(world: World) -> None:
    store = other_moment(world, [270_000_000, 530_000_000], is_lane)
    calls: list[str] = []
    world.pause = calls.append
    for seed in range(100):
        calls.clear()
        if drawn(store, random.Random(seed)).name == image(0, 1).name:
            break
    assert calls == ["query", "batch_get_item", "transact_get_items"]


def test_an_image_that_is_heavier_than_the_total_and_gone_is_not_drawn(world: World) -> None:
    store = other_moment(world, [530_000_000, 270_000_000], is_chunk)
    store.remove(LABEL, image(0, 1).name)
    assert {drawn(store, random.Random(seed)).name for seed in range(20)} == {image(1, 1).name}


def test_a_lane_that_counts_missing_images_is_a_503(world: World) -> None:
    lane = {"label": {"S": LABEL}, "chunkNumber": {"N": "0"}, "totalWeight": {"N": "5"}, "chunkVolume3": {"N": "1"}}
    world.tables[CHUNKS][(LABEL, "0")] = lane
    assert get_random()[0] == 503


@pytest.mark.parametrize("form", ["image", "json", "redirect"])
def test_a_deleted_image_is_replaced_by_another_draw_in_every_form(world: World, form: str) -> None:
    with_objects(world, [500_000_000] * 2, {1})
    del world.tables[IMAGES][(LABEL, image(0, 1).name)]
    query = {"label": [LABEL], "format": [form]}
    answers = [call(random_image, "GET", "/random", "/random", query=query) for _ in range(40)]
    shown = {answer["headers"]["Image-Id"] for answer in answers if answer["statusCode"] < 400}
    assert shown == {image(1, 1).id}


def test_the_response_has_the_drawn_weight_even_if_it_was_changed_since(world: World) -> None:
    with_objects(world, [500_000_000], {0})
    world.tables[IMAGES][(LABEL, image(0, 1).name)]["weight"] = {"N": "400000000"}
    answer = call(random_image, "GET", "/random", "/random", query={"label": [LABEL], "format": ["json"]})
    shown = json.loads(answer["body"])
    assert (shown["weight"], shown["totalWeight"], shown["probability"]) == (0.5, 0.5, 1)
    assert answer["headers"]["Image-Weight"] == "0.5"


def test_draws_in_production_cannot_be_predicted() -> None:
    assert {type(module.RNG) for module in (random_image, shared.labels.store, shared.labels.retries)} == {
        random.SystemRandom
    }


def test_probability_is_the_nearest_double() -> None:
    assert images.probability(1, 3) == 1 / 3
    assert images.probability(10**9 - 1, 10**17) == (10**9 - 1) / 10**17


def test_it_is_an_error_in_the_log_if_s3_denies_each_drawn_picture(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A wrong policy or key looks as if every image were gone: the alarm sees the 503, and the log says why."""
    with_objects(world, [500_000_000] * 2, {0, 1})
    codes = iter(["AccessDenied"] * 99)

    def get_object(self: S3, **_: str) -> object:
        raise ClientError({"Error": {"Code": next(codes), "Message": ""}}, "GetObject")

    monkeypatch.setattr(S3, "get_object", get_object)
    status, _, _ = get_random()
    assert status == 503
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == [
        "S3 denied each drawn picture: look at the bucket's policy, its key and this function's role"
    ]
    caplog.clear()
    codes = iter(["NoSuchKey"] * 99)
    assert get_random()[0] == 503
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
