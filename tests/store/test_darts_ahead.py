"""Darts that are thrown before the lanes are read: each image keeps exactly its weight, whatever is remembered."""

import random
from collections import Counter
from dataclasses import replace

import pytest

import darts
import draw
import random_image
from foresight import Memory
from petapi_client.chi_square import p_value
from shared.errors import Unavailable
from shared.labels import chunks
from tests.support import every_dart, memory_label
from tests.support.memory_aws import World
from tests.support.memory_label import POOL, drawn, stored
from tests.support.simulation import LABEL, Simulation


@pytest.mark.parametrize("batch", [range(4), pytest.param(range(4, 100), marks=pytest.mark.slow)])
def test_each_image_is_hit_by_its_weight_in_darts_whenever_lanes_and_chunks_are_read(batch: range) -> None:
    ahead = 0
    for seed in batch:
        scenario = Simulation(seed, heavy=4, pictures=8)
        scenario.run()
        ahead += every_dart.in_turn(scenario.history, random.Random(seed), count=10, longest=400)
    assert ahead > len(batch)


# --- rows ---


def invented(world: World, rng: random.Random) -> Memory:
    """Return a memory of the label's strip, and of chunks that have some of its images, others, and other weights."""
    entries, lanes, found = memory_label.seen(world)
    memory = every_dart.knowing(darts.strip_of(lanes))
    names = [entry.name for entry in entries] + [memory_label.image(number, 1).name for number in range(900, 920)]
    for number in found:
        if rng.random() < 0.8:
            some = rng.sample(names, rng.randrange(4))
            top = 2 ** chunks.class_of_chunk(number)
            memory.keep_chunk(POOL, number, {name: rng.randrange(top // 2, top) for name in some})
    return memory


def test_draws_with_invented_memories_are_those_without_dart_for_dart(world: World) -> None:
    weights = [rng_weight * 1000 for rng_weight in (1, 3, 9, 27, 81, 243, 729, 500, 250, 999) * 6]
    store = stored(world, weights)
    used = 0
    for seed in range(600):
        memory = invented(world, random.Random(seed))
        used += memory.row(POOL, strip_of(world), random.Random(seed)).expected is not None
        wanted = drawn(store, random.Random(seed), random_image.FORGETFUL)
        assert drawn(store, random.Random(seed), memory) == wanted
    assert used > 300


def strip_of(world: World) -> darts.Strip:
    return darts.strip_of(memory_label.seen(world)[1])


def test_a_warm_draw_waits_once_and_reads_no_chunk_twice(world: World) -> None:
    store, memory, rng = stored(world, [500_000_000] * 40), Memory(), random.Random(1)
    for _ in range(1000):  # now it has read every chunk
        drawn(store, rng, memory)
    calls: list[str] = []
    world.pause = calls.append
    for _ in range(100):
        drawn(store, rng, memory)
    assert calls == ["batch_get_item", "query"] * 100


def test_only_the_picture_of_the_image_that_was_hit_is_shown() -> None:
    every_dart.check_picture()


@pytest.mark.parametrize("outcome", ["nothing", "an error"])
def test_a_picture_that_could_not_be_fetched_ahead_is_fetched_again(world: World, outcome: str) -> None:
    store, memory, outcomes = stored(world, [536_870_911]), Memory(), []
    drawn(store, random.Random(1), memory)  # so that it knows the chunk, and hits with every dart

    def fetch(name: str) -> str | None:
        outcomes.append(name)
        if len(outcomes) > 1:
            return "picture"
        if outcome == "nothing":
            return None
        raise Unavailable("S3 is busy")

    _, picture = draw.draw(store, POOL, random.Random(2), fetch, memory)
    assert (picture, len(outcomes)) == ("picture", 2)


# --- reads that fail ---


@pytest.mark.parametrize("is_remembered", [False, True])
def test_a_dart_on_a_chunk_that_cannot_be_read_fails_the_draw(is_remembered: bool) -> None:
    every_dart.check_failed_reads(is_remembered=is_remembered)


def test_a_row_is_judged_in_order_when_a_chunk_cannot_be_read() -> None:
    every_dart.check_order()


# --- under writes ---


@pytest.mark.parametrize("count", [5_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_draws_under_concurrent_writes_follow_the_weights(world: World, count: int) -> None:
    """Of 20 images that nobody touches, while 40 others come and go and change their weights at every call."""
    store, memory = stored(world, [number * 10_000_000 for number in range(1, 21)]), Memory()
    still = {memory_label.image(number, 1).name: (number + 1) * 10_000_000 for number in range(20)}
    writers, others = random.Random(7), dict.fromkeys(range(100, 140), False)

    def write(call: str) -> None:
        if writers.random() > 0.2:
            return
        pause, world.pause = world.pause, lambda call: None
        number = writers.choice(list(others))
        if not others[number]:
            store.add(memory_label.image(number, writers.randrange(1, 10**9)))
        elif writers.random() < 0.5:
            store.remove(LABEL, memory_label.image(number, 1).name)
        else:
            weight = writers.randrange(1, 10**9)
            store.edit(LABEL, memory_label.image(number, 1).name, lambda image: replace(image, weight=weight))
            others[number] = False
        others[number] = not others[number]
        world.pause = pause

    world.pause = write
    rng = random.Random(count)
    names = Counter(drawn(store, rng, memory).name for _ in range(count))
    hits = Counter({name: number for name, number in names.items() if name in still})
    total = sum(hits.values())
    assert total > count / 10
    assert p_value(hits, {name: total * weight / sum(still.values()) for name, weight in still.items()}) > 1e-9
