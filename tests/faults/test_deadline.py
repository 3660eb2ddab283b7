"""A request ends before Lambda would end it, however long its AWS calls take."""

import os
import socket
import time
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

from shared import aws, deadline, settings
from shared.errors import Unavailable
from shared.settings import read_settings
from tests.support import cloud, fault_injection, fault_matrix
from tests.support.fault_injection import Attempt, Clock
from tests.support.fault_matrix import OPERATIONS, Operation
from tests.support.fault_scene import EVERYTHING, LABEL, TIMEOUT, Scene, documented, forget
from tests.support.hosts import Api, Handlers, json_of
from tests.support.local_service import LocalService
from tests.support.pictures import tiny

TITLES = [operation.title for operation in OPERATIONS]


def third_answers(_: Attempt, call: int, number: int) -> bool:
    return number < 3


@pytest.mark.parametrize("happening", [fault_injection.silent, fault_injection.lost])
@pytest.mark.parametrize("operation", OPERATIONS, ids=TITLES)
def test_calls_that_each_answer_in_the_end_do_not_add_up(
    scene: Scene, operation: Operation, happening: fault_injection.Happening
) -> None:
    scene.reset()
    read_settings()
    begun = scene.clock.now
    scene.injector.arm(happening, third_answers)
    answer = fault_matrix.request(scene, operation)
    scene.injector.disarm()
    assert scene.clock.now - begun < TIMEOUT
    documented(answer, good=operation.answer)
    orphans = scene.check()
    scene.check_answers()
    assert scene.reconcile().versions_removed == orphans


def test_without_a_deadline_they_would_add_up(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.reset()
    monkeypatch.setattr(deadline, "TIMEOUT", float("inf"))
    begun = scene.clock.now
    scene.injector.arm(fault_injection.silent, lambda attempt, call, number: attempt.service != "ssm" and number < 3)
    assert fault_matrix.request(scene, OPERATIONS[0]).status == 201
    scene.injector.disarm()
    assert scene.clock.now - begun > TIMEOUT


def test_nothing_is_sent_after_the_deadline(scene: Scene) -> None:
    scene.reset()
    scene.injector.arm(slow, lambda attempt, *_: attempt.operation == "PutObject")
    answer = scene.upload(9)
    assert [name for _, name in scene.injector.disarm()] == ["GetParameters", "Query", "PutObject"]  # two at a time
    documented(answer, good=503)
    assert "too slow" in json_of(answer)["detail"]
    assert (scene.check(), scene.reconcile().versions_removed) == (1, 1)


def slow(attempt: Attempt) -> AWSResponse:
    """Answer when it is too late for another call."""
    answer = attempt.done()
    attempt.clock.now += 9
    return answer


@pytest.mark.parametrize("operation", [OPERATIONS[1], OPERATIONS[3]], ids=[TITLES[1], TITLES[3]])
def test_what_was_done_is_answered_though_no_time_is_left_to_take_a_version_away(
    scene: Scene, operation: Operation, caplog: pytest.LogCaptureFixture
) -> None:
    scene.reset()
    scene.injector.arm(slow, lambda attempt, *_: attempt.operation == "TransactWriteItems")
    assert fault_matrix.request(scene, operation).status == operation.answer
    scene.injector.disarm()
    assert "was not removed" in caplog.text
    assert (scene.check(), scene.reconcile().versions_removed) == (1, 1)


def test_lambda_tells_how_much_time_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(deadline, "CLOCK", clock)
    with deadline.of(SimpleNamespace(get_remaining_time_in_millis=lambda: 9_000)):
        clock.now = 9 - deadline.LAST_ATTEMPT
        deadline.check()
        clock.now += 0.01
        with pytest.raises(Unavailable):
            deadline.check()
    deadline.check()  # outside a request, as in `make reconcile`, there is no hurry


def test_the_deadline_is_that_of_the_template_and_leaves_time_for_the_last_attempt() -> None:
    assert cloud.template()["Globals"]["Function"]["Timeout"] == deadline.TIMEOUT == TIMEOUT
    config: Any = aws.CONFIG
    assert (config.connect_timeout, config.read_timeout) == (
        fault_injection.CONNECT_TIMEOUT,
        fault_injection.READ_TIMEOUT,
    )
    assert (
        deadline.LAST_ATTEMPT
        >= fault_injection.CONNECT_TIMEOUT + fault_injection.READ_TIMEOUT + fault_injection.BACK_OFF_MAX
    )


@pytest.mark.usefixtures("slow_tier")
def test_a_server_that_accepts_and_never_answers_is_not_waited_for(
    running: LocalService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Needs the real clock: sockets wait by no other."""
    for name, value in running.aws_variables().items():
        monkeypatch.setenv(name, value)
    forget(*EVERYTHING)
    clock = Clock()
    cache = settings.SettingsCache(aws.ssm, "production", clock=clock)
    cache.read()
    clock.now += settings.LIFETIME + 1
    forget(*EVERYTHING)
    monkeypatch.setattr(settings, "_cache", lambda: cache)
    with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:
        monkeypatch.setitem(os.environ, "AWS_ENDPOINT_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        monkeypatch.setitem(os.environ, "PUBLIC_WRITES", "true")
        begun = time.monotonic()
        answer = Api(Handlers(), LABEL).upload(tiny(1))
        took = time.monotonic() - begun
    monkeypatch.undo()
    forget(*EVERYTHING)
    documented(answer, good=503)
    assert 4 < took < TIMEOUT
