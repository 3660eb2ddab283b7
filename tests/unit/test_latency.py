"""The model of latency: waits, the processor's quota, threads in virtual time; and what it says of a draw's waits."""

import random
import statistics
import threading
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError
from hypothesis import given
from hypothesis import strategies as st

import random_image
from foresight import Memory
from shared.parallel import beside, in_thread
from tests.support.memory_aws import BUCKET, IMAGES, S3, DynamoDB, World
from tests.support.simulation import LABEL, call, shipped_code_on
from tools.benchmarks.cold import stub
from tools.benchmarks.designs import petapi
from tools.benchmarks.latency import kept_pictures, tls
from tools.benchmarks.latency.calls import CONNECT, waiting
from tools.benchmarks.latency.cold_start import ColdStart
from tools.benchmarks.latency.model import Model
from tools.benchmarks.latency.quota import PERIOD, VCPU_MB, Quota
from tools.benchmarks.latency.virtual_time import MILLISECOND, Clock
from tools.benchmarks.latency.waiting_times import WAITS, Wait
from tools.benchmarks.latency_page import SOURCES, dollars
from tools.benchmarks.weights import weights

NO_RETRIES = Config(retries={"total_max_attempts": 1})

# --- waits ---


@given(st.floats(0.1, 1000), st.floats(1.01, 50))
def test_a_wait_has_its_median_and_its_99th_percentile(median: float, tail: float) -> None:
    wait = Wait(median, median * tail)
    assert wait.within(0.5) == pytest.approx(median)
    assert wait.within(0.99) == pytest.approx(median * tail)
    assert wait.within(0.1) < wait.within(0.2) < median < wait.within(0.9)


def test_drawn_waits_have_them_too() -> None:
    rng, wait = random.Random(1), Wait(26, 100)
    found = [wait.drawn(rng) for _ in range(20_000)]
    assert statistics.median(found) == pytest.approx(26, rel=0.02)
    assert statistics.quantiles(found, n=100)[98] == pytest.approx(100, rel=0.05)


def test_every_wait_of_the_model_has_a_source() -> None:
    assert Counter(operation for operations in SOURCES for operation in operations) == Counter(WAITS.keys())


# --- the quota ---


@given(st.integers(128, 2 * VCPU_MB), st.integers(0, 10 * PERIOD), st.lists(st.integers(0, 3 * PERIOD), max_size=5))
def test_no_period_has_more_than_its_quota_and_the_processor_is_never_idle(
    memory: int, begin: int, works: list[int]
) -> None:
    quota, now = Quota(memory), begin
    for work in works:
        now = quota.end(now, work)
    assert now == computed(quota.of_period, begin, sum(works))


def computed(of_period: int, begin: int, work: int) -> int:
    """Return when this much work ends: what the first period leaves of it fills whole periods, and a part of one."""
    until = begin - begin % PERIOD + PERIOD
    rest = work - min(of_period, until - begin)
    if rest <= 0:
        return begin + work
    periods = (rest - 1) // of_period
    return until + periods * PERIOD + rest - periods * of_period


def test_a_function_of_half_a_processor_stands_still_for_half_a_period() -> None:
    quota = Quota(VCPU_MB / 2)
    assert quota.end(0, PERIOD // 4) == PERIOD // 4
    assert quota.end(PERIOD // 2, PERIOD // 2) == PERIOD + PERIOD // 4
    assert Quota(3 * VCPU_MB).end(0, 5 * PERIOD) == 5 * PERIOD  # Python has no use for more than one


# --- virtual time ---


class Work:
    """Processor time that threads say they used."""

    def __init__(self) -> None:
        self._of_thread: Counter[int] = Counter()

    def do(self, milliseconds: int) -> None:
        self._of_thread[threading.get_ident()] += milliseconds * MILLISECOND

    def used(self) -> int:
        return self._of_thread[threading.get_ident()]


def taken(act: Callable[[Clock, Work], object], memory: float = VCPU_MB) -> float:
    """Return the milliseconds that this takes. The names of operations are their milliseconds."""
    work = Work()
    clock = Clock(float, in_thread, work.used)
    clock.start(Quota(memory), 0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("shared.parallel.RUN", clock.begin)
        act(clock, work)
    return clock.stop() / MILLISECOND


def test_waits_beside_each_other_are_the_longest_and_others_the_sum() -> None:
    def act(clock: Clock, _: Work) -> None:
        clock.wait("5")
        with beside(partial(clock.wait, "30")), beside(partial(clock.wait, "40")):
            clock.wait("7")
            clock.wait("8")
        clock.wait("2")

    assert taken(act) == 5 + 40 + 2


def test_work_of_threads_is_done_by_one_processor_and_only_when_their_wait_is_over() -> None:
    def task(clock: Clock, work: Work) -> int:
        work.do(3)
        clock.wait("10")
        work.do(4)
        return 1

    def act(clock: Clock, work: Work) -> None:
        with beside(partial(task, clock, work)) as result:
            work.do(1)  # the task's 3 come after it
            clock.wait("10")  # until 11: before the task, which waits until 14
            work.do(6)  # until 17, then the task's 4
            assert result() == 1

    assert taken(act) == 21


def test_a_result_and_an_exception_of_a_task_arrive() -> None:
    def fail(clock: Clock) -> None:
        clock.wait("3")
        raise ValueError("no")

    def act(clock: Clock, _: Work) -> None:
        with beside(partial(fail, clock)) as result:
            with pytest.raises(ValueError, match="no"):
                result()
            with pytest.raises(ValueError, match="no"):
                result()

    assert taken(act) == 3


def test_work_beyond_the_quota_waits_for_the_next_period() -> None:
    def act(clock: Clock, work: Work) -> None:
        work.do(8)
        clock.wait("1")
        work.do(8)  # 2 until 11, then 6 in the next period

    assert taken(act, VCPU_MB / 2) == 26


def test_a_cold_start_imports_with_a_whole_processor() -> None:
    model, start = Model(), ColdStart(100 * MILLISECOND, (), 40 * MILLISECOND)
    assert model.cold(start, Quota(VCPU_MB), 1) == 140
    assert model.cold(start, Quota(VCPU_MB, slowness=2), 1) == 280
    assert model.cold(start, Quota(VCPU_MB / 2), 1) == pytest.approx(
        165, abs=5
    )  # 10 ms of each period, from any moment on
    called = ColdStart(start.imports, ((0, CONNECT), (0, "Query")), start.rest)
    assert 141 < model.cold(called, Quota(VCPU_MB), 1) < model.cold(called, Quota(VCPU_MB / 2), 1)


def test_requests_of_a_number_meet_the_same_waits() -> None:
    model = Model(used=lambda: 0)

    def times(*operations: str) -> list[float]:
        def act() -> None:
            for operation in operations:
                model.clock.wait(operation)

        return [model.warm(act, Quota(VCPU_MB), number) for number in range(50)]

    query, twice, both = times("Query"), times("Query", "Query"), times("Query", "GetObject")
    assert query == times("Query")
    assert len({*query}) == 50
    assert all(two > one for one, two in zip(query, twice, strict=True))
    of_object = times("GetObject")
    assert both == pytest.approx([one + other for one, other in zip(query, of_object, strict=True)])


# --- calls of botocore ---


def test_calls_over_https_wait_by_the_clock(tmp_path: Path) -> None:
    own, public = tls.certificate(tmp_path)
    lasting = {CONNECT: 3.0, "Query": 5.0, "GetItem": 70.0}
    clock = Clock(lasting.__getitem__, in_thread, used=lambda: 0)
    session = boto3.Session("key", "secret", region_name="us-east-1")
    with stub() as engine, tls.https(engine, own) as address, waiting(clock.wait):
        client = session.client("dynamodb", endpoint_url=address, verify=str(public), config=NO_RETRIES)
        query = partial(client.query, TableName="table", KeyConditionExpression="label = :label")
        times = []
        for act in (query, query, partial(client.get_item, TableName="table", Key={"label": {"S": "cat"}})):
            clock.start(Quota(VCPU_MB), 0)
            act()
            times.append(clock.stop() / MILLISECOND)
    assert times == [8, 5, 70]
    with pytest.raises(EndpointConnectionError):
        client.query(TableName="table", KeyConditionExpression="label = :label")  # and nothing waits by the clock now


# --- what it says of the waits of a draw ---


@pytest.fixture(scope="module")
def label() -> World:
    """Return a world with a label of 200 images that have pictures."""
    state = petapi.State()
    for name, weight in weights("uniform", 200, random.Random(1)).items():
        state.add(name, weight)
        state.world.objects[f"{LABEL}/{name}"] = {"v": b"picture"}
    return state.world


def draws(world: World, form: str, memory: Memory, model: Model) -> list[float]:
    """Return the milliseconds of draws without the processor's; each call of AWS waits in the model."""
    world.pause = lambda name: model.clock.wait("".join(map(str.title, name.split("_"))))
    query = {"label": [LABEL], "format": [form]}
    draw = partial(call, random_image, "GET", "/random", "/random", query=query)
    with shipped_code_on(world, run=model.clock.begin, memory=memory), model.in_use():
        times = [model.warm(draw, Quota(VCPU_MB), number) for number in range(1_000)]
    world.pause = lambda name: None
    return times[500:]  # the container knows the chunks by then


def reads(world: World, model: Model) -> list[float]:
    """Return the milliseconds of reading an image's row, and then its picture."""
    dynamodb, s3, (_, name) = DynamoDB(world), S3(world), next(iter(world.tables[IMAGES]))

    def read() -> None:
        dynamodb.get_item(TableName=IMAGES, Key={"label": {"S": LABEL}, "s3key": {"S": name}}, ConsistentRead=False)
        s3.get_object(Bucket=BUCKET, Key=f"{LABEL}/{name}")

    world.pause = lambda name: model.clock.wait("".join(map(str.title, name.split("_"))))
    times = [model.warm(read, Quota(VCPU_MB), number) for number in range(500, 1_000)]
    world.pause = lambda name: None
    return times


def test_a_warm_draw_waits_no_longer_than_reading_a_row_and_its_picture(label: World) -> None:
    def model() -> Model:
        return Model(used=lambda: 0)

    raw = statistics.median(reads(label, model()))
    assert statistics.median(draws(label, "image", Memory(), model())) < raw
    assert statistics.median(draws(label, "redirect", Memory(), model())) < raw / 3
    one_dart_at_a_time = statistics.median(draws(label, "image", random_image.FORGETFUL, model()))
    assert one_dart_at_a_time > raw  # so the model can tell


# --- kept pictures ---


def test_kept_values_are_those_that_were_used_last() -> None:
    kept = kept_pictures.Kept(100)
    for name in "ab":
        kept.put(name, name.upper(), 50)
    assert kept.get("a") == "A"
    kept.put("c", "C", 50)
    assert [kept.get(name) for name in "abc"] == ["A", None, "C"]


def test_every_later_draw_of_a_picture_that_is_kept_is_a_hit() -> None:
    assert kept_pictures.hit_ratio("equal", 1, 1_000, 100) == 0.99
    assert kept_pictures.hit_ratio("equal", 1_000, kept_pictures.BYTES_MAX + 1, 100) == 0
    assert kept_pictures.hit_ratio("equal", 100, 1_000, 10_000) == pytest.approx(0.99, abs=0.001)


def test_a_million_requests_of_a_second_with_a_gigabyte_cost_what_lambda_charges() -> None:
    assert dollars(1000, 1024) == pytest.approx(16.6667)
    assert dollars(30, 512) == pytest.approx(16.6667 * 0.03 / 2)
