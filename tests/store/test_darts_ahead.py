"""Darts that are thrown before the lanes are read: each image keeps exactly its weight, whatever is remembered."""

import random
import threading
from collections import Counter
from dataclasses import replace
from typing import Any
from unittest import mock

import pytest

import darts
import draw
import random_image
from foresight import Memory
from petapi_client.chi_square import p_value
from pools import of_pool
from shared import parallel
from shared.errors import Unavailable
from shared.labels import chunks
from tests.support import every_dart, memory_label
from tests.support.memory_aws import World
from tests.support.memory_label import POOL, drawn, stored
from tests.support.simulation import LABEL, Simulation, call, shipped_code_on


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
    memory = every_dart.knowing(darts.strip_of(of_pool(POOL, lanes)))
    names = [entry.name for entry in entries] + [memory_label.image(number, 1).name for number in range(900, 920)]
    for number in found:
        if rng.random() < 0.8:
            some = rng.sample(names, rng.randrange(4))
            top = 2 ** chunks.class_of_chunk(number)
            memory.keep_chunk((POOL, number), {name: rng.randrange(top // 2, top) for name in some})
    return memory


def test_draws_with_invented_memories_are_those_without_dart_for_dart(world: World) -> None:
    weights = [rng_weight * 1000 for rng_weight in (1, 3, 9, 27, 81, 243, 729, 500, 250, 999) * 6]
    store = stored(world, weights)
    used = 0
    for seed in range(600):
        memory = invented(world, random.Random(seed))
        used += memory.row(strip_of(world), random.Random(seed)).expected is not None
        wanted = drawn(store, random.Random(seed), random_image.FORGETFUL)
        assert drawn(store, random.Random(seed), memory) == wanted
    assert used > 300


def strip_of(world: World) -> darts.Strip:
    return darts.strip_of(of_pool(POOL, memory_label.seen(world)[1]))


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


def test_an_image_that_is_heavier_than_the_total_is_hit_by_its_weight_in_darts() -> None:
    every_dart.check_total()


@pytest.mark.parametrize("outcome", ["nothing", "an error"])
def test_a_picture_that_could_not_be_fetched_ahead_is_fetched_again(world: World, outcome: str) -> None:
    store, memory, outcomes = stored(world, [536_870_911]), Memory(), []
    drawn(store, random.Random(1), memory)  # so that it knows the chunk, and hits with every dart

    def fetch(label: str, name: str) -> str | None:
        outcomes.append(name)
        if len(outcomes) > 1:
            return "picture"
        if outcome == "nothing":
            return None
        raise Unavailable("S3 is busy")

    _, picture = draw.draw(store, (POOL,), random.Random(2), fetch, memory)
    assert (picture, len(outcomes)) == ("picture", 2)


@pytest.mark.parametrize("options", [{"seed": ["a"]}, {"session": ["me"], "position": ["0"]}], ids=str)
def test_with_a_seed_or_a_session_the_lanes_come_first_also_in_a_container_that_knows_them(
    world: World, options: dict[str, list[str]]
) -> None:
    stored(world, [500_000_000] * 4)
    calls: list[str] = []

    def draw_json(**more: list[str]) -> None:
        query = {"label": [LABEL], "format": ["json"], **more}
        assert call(random_image, "GET", "/random", "/random", query=query)["statusCode"] == 200

    for _ in range(20):
        draw_json()
    world.pause = calls.append
    draw_json()
    assert calls.index("query") > calls.index("batch_get_item"), "the container does not know the label"
    calls.clear()
    draw_json(**options)
    assert calls[0] == "query"


def test_the_next_row_does_not_wait_for_a_picture_that_was_expected_in_vain(world: World) -> None:
    """The label has changed, so the first row counts for nothing; its picture comes very slowly."""
    store, begun, go_on = stored(world, [500_000_000] * 2), threading.Event(), threading.Event()
    memory = every_dart.knowing(strip_of(world))
    for number, weights in memory_label.seen(world)[2].items():
        memory.keep_chunk((POOL, number), weights)
    store.add(memory_label.image(2, 500_000_000))

    def fetch(label: str, name: str) -> str:
        if not begun.is_set():
            begun.set()
            in_time.append(go_on.wait(5))
        return name

    def chunk_read(calls: str) -> None:
        if calls == "batch_get_item" and begun.is_set():
            after.append(calls)
            if len(after) == 2:  # that of the refused row, and of the next
                go_on.set()

    after: list[str] = []
    in_time: list[bool] = []
    world.pause = chunk_read
    with mock.patch.object(parallel, "RUN", parallel.in_thread):
        found, picture = draw.draw(store, (POOL,), random.Random(1), fetch, memory)
    assert found.name == picture
    assert in_time == [True]


# --- reads that fail ---


@pytest.mark.parametrize("is_remembered", [False, True])
def test_a_dart_on_a_chunk_that_cannot_be_read_fails_the_draw(is_remembered: bool) -> None:
    every_dart.check_failed_reads(is_remembered=is_remembered)


def test_a_row_is_judged_in_order_when_a_chunk_cannot_be_read() -> None:
    every_dart.check_order()


class ThrottledOnce(every_dart.Reads):
    """Reads of which only the first finds chunks that are throttled."""

    def batch_get_item(self, **request: Any) -> Any:
        answer = super().batch_get_item(**request)
        self._unread = set()
        return answer


def test_a_chunk_that_could_not_be_read_is_read_once_more_for_all_its_darts() -> None:
    moment, (busy, _) = every_dart.of_one_chunk_each(2)
    reads = ThrottledOnce(moment, moment, unread={busy})
    with shipped_code_on(reads.world):
        name = every_dart.hit(reads, every_dart.knowing(every_dart.strip_at(moment)), 5, 6, 7, 8)
    assert (name, reads.calls) == (every_dart.name_of(1), {"query": 1, "batch_get_item": 2})


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
