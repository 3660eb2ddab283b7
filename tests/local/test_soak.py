"""`make soak` in small; and that it notices what it is there to notice."""

import itertools
import os
import shutil
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from shared import settings
from shared.images import UNITS
from tests.support.hosts import Api, Running
from tests.support.local_service import Answer, LocalService
from tools.benchmarks import soak, soak_clients
from tools.benchmarks.soak_checks import PROC, _resident, check_label, memory
from tools.benchmarks.soak_clients import Busy, Outcome, Record
from tools.benchmarks.soak_targets import OnStore, OverHttp

LABEL = "soaked"


class Emulator:
    """The tables and the bucket of `make run`, to be broken behind its back."""

    def __init__(self, service: LocalService) -> None:
        aws, at = service.aws(), service.aws_endpoint
        self.dynamodb, self.s3 = aws.client("dynamodb", endpoint_url=at), aws.client("s3", endpoint_url=at)
        self.names = settings.SettingsCache(lambda: aws.client("ssm", endpoint_url=at), "production").read()

    def add_to_total(self, change: int) -> None:
        """Add this to the total of a lane that has images."""
        self.dynamodb.update_item(
            TableName=self.names.chunk_info_table,
            Key={"label": {"S": LABEL}, "chunkNumber": {"N": "0"}},
            UpdateExpression="ADD totalWeight :change",
            ExpressionAttributeValues={":change": {"N": str(change)}},
        )


@pytest.fixture(scope="module")
def soaked(slow_tier: None, running: LocalService) -> Outcome:
    """Return the outcome of a soak of three seconds that was found exact."""
    api = Api(Running(running), LABEL)
    outcome = soak_clients.soak(OverHttp(api), 3, clients=4, gauge=lambda: memory(running.pid))
    soak.check(running, api, outcome.record.weights)
    return outcome


@pytest.fixture
def emulator(slow_tier: None, running: LocalService) -> Emulator:
    return Emulator(running)


def check(running: LocalService, soaked: Outcome, changed: Mapping[str, int] | None = None) -> None:
    soak.check(running, Api(Running(running), LABEL), {**soaked.record.weights, **(changed or {})})


@pytest.fixture
def no_blame_by_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    """Allow more chance: tests run more often than soaks, and fair draws fail once in 10**9 runs then."""
    monkeypatch.setattr(soak, "P_MIN", 1e-9)


@pytest.mark.usefixtures("no_blame_by_chance")
def test_a_short_soak_writes_draws_and_prints_figures(soaked: Outcome, capsys: pytest.CaptureFixture[str]) -> None:
    soak.print_figures("a short one", soaked)

    assert soaked.record.writes.keys() <= {"uploads", "new weights", "deletes"}
    assert soaked.record.weights.keys() >= soaked.steady.keys()
    assert soaked.record.draws.total() > 0
    assert not [wrong for wrong in soak.complaints(soaked, soak.Rate(0, 0)) if "memory" not in wrong]
    assert f"{soaked.record.writes.total()} writes" in capsys.readouterr().out


def test_another_total_of_a_lane_is_noticed(running: LocalService, soaked: Outcome, emulator: Emulator) -> None:
    emulator.add_to_total(1)
    with pytest.raises(AssertionError, match="a total is wrong"):
        check(running, soaked)
    emulator.add_to_total(-1)
    check(running, soaked)


def test_a_lost_row_is_noticed(running: LocalService, soaked: Outcome, emulator: Emulator) -> None:
    table, key = emulator.names.image_chunks_table, {"label": {"S": LABEL}, "s3key": {"S": min(soaked.record.weights)}}
    row = emulator.dynamodb.get_item(TableName=table, Key=key)["Item"]

    emulator.dynamodb.delete_item(TableName=table, Key=key)
    with pytest.raises(AssertionError, match="chunks do not hold exactly the images"):
        check(running, soaked)
    emulator.dynamodb.put_item(TableName=table, Item=row)
    check(running, soaked)


def test_an_acknowledged_image_that_is_not_there_is_noticed(running: LocalService, soaked: Outcome) -> None:
    with pytest.raises(AssertionError, match="not those acknowledged"):
        check(running, soaked, {f"{0:032x}.png": 1})


def test_an_acknowledged_weight_that_was_lost_is_noticed(running: LocalService, soaked: Outcome) -> None:
    with pytest.raises(AssertionError, match="not those acknowledged"):
        check(running, soaked, {min(soaked.record.weights): 1})


def test_a_version_without_an_image_is_noticed(running: LocalService, soaked: Outcome, emulator: Emulator) -> None:
    place: dict[str, Any] = {"Bucket": emulator.names.bucket, "Key": f"{LABEL}/{min(soaked.record.weights)}"}

    version = emulator.s3.put_object(**place, Body=b"another")["VersionId"]
    with pytest.raises(AssertionError, match="a version that no image names"):
        check(running, soaked)
    emulator.s3.delete_object(**place, VersionId=version)
    check(running, soaked)


def test_a_lost_picture_is_noticed(running: LocalService, soaked: Outcome, emulator: Emulator) -> None:
    api = Api(Running(running), "soaked-too")
    name = OverHttp(api).upload(1, UNITS // 2, again=False)
    soak.check(running, api, {name: UNITS // 2})
    place: dict[str, Any] = {"Bucket": emulator.names.bucket, "Key": f"soaked-too/{name}"}

    emulator.s3.delete_object(**place, VersionId=emulator.s3.head_object(**place)["VersionId"])
    with pytest.raises(AssertionError, match="an image without its picture"):
        soak.check(running, api, {name: UNITS // 2})


def outcome(draws: Counter[str], gauged: tuple[int, int] = (100, 110)) -> Outcome:
    steady = {f"{number}": number * UNITS // 40 for number in range(1, 33)}
    return Outcome(Record(writes=Counter(uploads=3_000), draws=draws), steady, 60.0, gauged)


def test_fair_draws_raise_no_complaint_and_uniform_ones_do() -> None:
    fair = Counter({str(number): 20 * number for number in range(1, 33)})
    uniform = Counter({str(number): 330 for number in range(1, 33)})

    assert list(soak.complaints(outcome(fair), soak.STORE_MIN)) == []
    assert "do not follow the weights" in " ".join(soak.complaints(outcome(uniform), soak.STORE_MIN))


def test_memory_that_grows_and_a_slow_service_are_noticed() -> None:
    fair = Counter({str(number): 18 * number for number in range(1, 33)})  # 9,504 draws

    slow, grown = soak.complaints(outcome(fair, (100, 111)), soak.STORE_MIN)

    assert slow == "too slow: at least 50 writes/s and 167 draws/s are expected"
    assert grown == "memory grew by 11.0%, more than 10%"


class Answers:
    """A host whose answers are given; the last one for ever."""

    def __init__(self, *answers: Answer) -> None:
        self.left = list(answers)

    def request(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        return self.left.pop(0) if len(self.left) > 1 else self.left[0]


@pytest.mark.parametrize("answer", [Answer(500, {}, b""), Answer(502, {}, b""), Answer(503, {}, b"")])
def test_an_outage_that_does_not_say_when_to_retry_ends_the_soak(answer: Answer) -> None:
    with pytest.raises(AssertionError, match=f"{answer.status} instead of"):
        soak_clients.soak(OverHttp(Api(Answers(answer), LABEL)), 1)


def test_what_was_answered_503_may_have_been_done() -> None:
    busy, done = Answer(503, {"retry-after": "2"}, b""), Answer(200, {}, b"")
    pets = OverHttp(Api(Answers(busy, done, done), LABEL))

    with pytest.raises(Busy) as refused:
        pets.upload(1, 1, again=False)
    assert refused.value.seconds == 2
    assert pets.upload(1, 1, again=True)
    with pytest.raises(AssertionError, match="200 instead of"):
        pets.upload(1, 1, again=False)


@pytest.mark.usefixtures("slow_tier")
def test_a_failing_client_ends_the_soak_at_once(running: LocalService, monkeypatch: pytest.MonkeyPatch) -> None:
    draw, turns = OverHttp.draw, itertools.count()

    def fails_later(pets: OverHttp, turn: int) -> str:
        assert next(turns) < 10, "another picture"
        return draw(pets, turn)

    monkeypatch.setattr(OverHttp, "draw", fails_later)
    with pytest.raises(AssertionError, match="another picture"):
        soak_clients.soak(OverHttp(Api(Running(running), "failing")), 600, clients=2)


def test_the_store_alone_is_soaked_on_the_emulator_too(emulator: Emulator) -> None:
    pets = OnStore(emulator.dynamodb, emulator.names, "stored")
    found = soak_clients.soak(pets, 2, clients=4)
    check_label(emulator.dynamodb, emulator.names, "stored", found.record.weights)
    assert found.record.draws


@pytest.mark.skipif(not (os.environ.get("DYNOXIDE") or shutil.which("dynoxide")), reason="DYNOXIDE names no program")
@pytest.mark.usefixtures("no_blame_by_chance")
def test_the_store_is_exact_on_dynoxide(capsys: pytest.CaptureFixture[str]) -> None:
    wrong = list(soak.on_store(3, clients=8))

    assert not [complaint for complaint in wrong if "slow" not in complaint]
    assert "lost races tried again" in capsys.readouterr().out


def test_without_dynoxide_that_part_is_left_out_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DYNOXIDE", raising=False)
    monkeypatch.setenv("PATH", "")

    assert list(soak.on_store(60)) == []
    assert capsys.readouterr().out.count("\n") == 1


@pytest.mark.skipif(not PROC.exists(), reason="reads Linux's /proc")
def test_the_processes_of_functions_count_as_memory(running: LocalService, soaked: Outcome) -> None:
    assert memory(running.pid) > _resident(running.pid) > 0
