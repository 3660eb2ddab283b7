"""Metrics are members of log lines, as CloudWatch's embedded metric format has them, and cost no call of AWS."""

import json
import logging
import random
import time
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

import random_image
from shared import aws, logs, metrics
from shared.labels import retries
from tests.support import pictures
from tests.support.hosts import Api, Handlers, json_of
from tests.support.log_lines import extracted, fields_of


def line(caplog: pytest.LogCaptureFixture) -> dict[str, Any]:
    """Return the fields of the last line, as JSON."""
    found: dict[str, Any] = json.loads(json.dumps(fields_of(caplog.records[-1])))
    return found


@pytest.fixture
def api(moto_aws: None, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Api:
    monkeypatch.setenv("STACK_NAME", "pets")
    caplog.set_level(logging.INFO)
    return Api(Handlers(), "cat")


def test_a_draw_counts_itself_its_darts_and_its_bytes(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    assert api.upload(pictures.png(1)).status == 201
    assert extracted(line(caplog))["Uploads", "pets", "stored"] == 1
    drawn = api.host.request("GET", "/random?label=cat")
    found = extracted(line(caplog))
    darts = found.pop(("Darts", "pets"))
    assert darts >= 1
    assert found == {("Draws", "pets"): 1, ("BytesOut", "pets"): len(drawn.body)}
    several = api.host.request("GET", "/random.json?label=cat&count=5")
    assert extracted(line(caplog))["Draws", "pets"] == len(json_of(several)["images"]) == 5
    assert extracted(line(caplog))["Darts", "pets"] >= 5


def test_the_darts_of_a_draw_are_those_of_the_law(
    api: Api, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An image of weight 0.6 has a place of 2^30 units: darts miss it with the rest of the place."""
    monkeypatch.setattr(random_image, "RNG", random.Random(1))
    api.upload(pictures.png(1), "0.6")
    count = 20
    for _ in range(count):
        api.host.request("GET", "/random?label=cat&format=json")
    found = [extracted(fields_of(record)) for record in caplog.records[-count:]]
    draws = sum(each["Draws", "pets"] for each in found)
    darts = sum(each["Darts", "pets"] for each in found)
    assert draws == count
    assert 1 < darts / draws < 4


def test_a_head_sends_no_bytes_and_a_refusal_counts_its_reason(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    api.upload(pictures.png(1))
    assert api.host.request("HEAD", "/random?label=cat").status == 200
    assert extracted(line(caplog))["BytesOut", "pets"] == 0
    api.host.request("GET", "/random?label=unknown")
    found = extracted(line(caplog))
    assert found["Refusals", "pets", "NotFound"] == 1
    assert ("Draws", "pets") not in found


def test_the_line_of_a_request_has_fields(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    api.host.request("GET", "/random?label=unknown")
    found = line(caplog)
    assert (found["request"], found["method"], found["resource"]) == ("a-request", "GET", "/random")
    assert (found["status"], found["why"].split()[0]) == (404, "NotFound")
    assert found["milliseconds"] >= 0


def test_attempts_that_lost_a_race_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "SLEEP", lambda _: None)
    outcomes = iter([True, True, False])

    def attempt(_: bool) -> str:
        if next(outcomes):
            raise retries.LostRace
        return "done"

    with metrics.measured() as found:
        assert retries.retried(attempt) == "done"
    assert found == {"LostRaces": 2}


def test_metrics_make_no_call_of_aws(api: Api) -> None:
    api.upload(pictures.png(1))
    called: list[str] = []
    for client in (aws.dynamodb(), aws.s3(), aws.ssm()):
        client.meta.events.register("before-send", lambda request, **_: called.append(request.url))
    assert api.host.request("GET", "/random?label=cat").status == 200
    assert called
    services = {url.split("/")[2].split(".")[-4 if "s3." in url else 0] for url in called}
    assert not services & {"logs", "monitoring"}
    assert set(vars(aws)) & {"logs", "cloudwatch"} == set()
    assert boto3.DEFAULT_SESSION is None


def test_a_line_costs_microseconds(caplog: pytest.LogCaptureFixture) -> None:
    """It takes about 4 here. A slow machine still takes less than the thousandth part of a draw's time at AWS."""
    measured = {"Draws": 1, "Darts": 2, "BytesOut": 300_000}
    times = []
    for _ in range(5):
        began = time.process_time()
        for _ in range(1000):
            metrics.members(measured)
        times.append((time.process_time() - began) / 1000)
    assert min(times) < 100e-6


def test_lines_of_a_block_have_its_fields_and_later_ones_do_not(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    logs.note(request="nobody's")
    with logs.about(upload="u"):
        logs.note(request="r", empty="")
        logs.logger.warning("inside")
        with logs.about(request="inner"):
            logs.logger.warning("further inside")
    logs.logger.warning("outside")
    inside, further, outside = map(fields_of, caplog.records)
    assert inside == {"upload": "u", "request": "r"}
    assert further == {"upload": "u", "request": "inner"}
    assert outside == {}


def test_nothing_is_counted_outside_a_call() -> None:
    metrics.count("Draws")
    metrics.count_by("Refusals", "NotFound")
    with metrics.measured() as found:
        pass
    assert (found, metrics.members(found)) == ({}, {})


def test_a_call_without_a_name_of_its_stack_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """During a deploy, a function may have its new code but not its new variables."""
    monkeypatch.delenv("STACK_NAME", raising=False)
    assert extracted(metrics.members({"Draws": 1})) == {("Draws", "petapi"): 1}
    assert SimpleNamespace(**metrics.members({"Draws": 1})).Stack == "petapi"
