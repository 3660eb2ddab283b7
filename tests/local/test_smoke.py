"""The smoke test of a deployed petAPI, tried against `make run` and against services that are wrong."""

import os
import re
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from petapi_client import PetApi, Problem, Unreachable
from petapi_client.transport import Transport
from tests.support.cloud import ROOT
from tests.support.hosts import new_label
from tests.support.local_service import LocalService
from tools import smoke


class Recorded:
    """The pauses and the requests of a run, in their order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.events: list[Any] = []
        send: Callable[..., Any] = Transport._send

        def note(transport: Transport, *arguments: Any, **more: Any) -> Any:
            self.events.append("request")
            return send(transport, *arguments, **more)

        monkeypatch.setattr(Transport, "_send", note)

    def pause(self, seconds: float) -> None:
        self.events.append(seconds)


def test_a_service_that_works_passes_at_ten_requests_a_second_and_keeps_nothing(
    running: LocalService, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded, label = Recorded(monkeypatch), new_label()
    api = PetApi(running.url)
    lines = list(smoke.Smoke(api, label, pause=recorded.pause).run())
    assert [line.split()[0] for line in lines] == ["uploaded", "500", "read", "deleted"]
    assert list(api.images(label)) == []
    requests = [place for place, event in enumerate(recorded.events) if event == "request"]
    pauses = [event for event in recorded.events if event != "request"]
    assert 16 <= len(pauses) <= 40  # in less than two minutes, also if each takes a second
    assert len(requests) - 1 <= len(pauses)  # the last is the list above
    assert set(pauses) == {smoke.PAUSE}
    assert smoke.PAUSE >= 1 / 10


def test_draws_that_do_not_follow_the_weights_fail_and_the_pictures_are_deleted(
    running: LocalService, monkeypatch: pytest.MonkeyPatch
) -> None:
    api, label = PetApi(running.url), new_label()
    monkeypatch.setattr(api, "random_many", lambda *_, **__: [api.random(label)] * smoke.BATCH)
    with pytest.raises(smoke.NotAsExpected, match="do not follow the weights"):
        list(smoke.Smoke(api, label, pause=lambda _: None).run())
    assert list(api.images(label)) == []


def test_a_service_that_never_knows_the_pictures_fails(running: LocalService, monkeypatch: pytest.MonkeyPatch) -> None:
    api, label = PetApi(running.url), new_label()
    monkeypatch.setattr(api, "random_many", lambda *_, **__: [])
    with pytest.raises(smoke.NotAsExpected, match="do not state the probabilities"):
        list(smoke.Smoke(api, label, pause=lambda _: None).run())


def test_an_image_that_outlives_its_delete_fails(running: LocalService, monkeypatch: pytest.MonkeyPatch) -> None:
    api, label = PetApi(running.url), new_label()
    monkeypatch.setattr(api, "delete", lambda _: None)
    with pytest.raises(smoke.NotAsExpected, match="still there"):
        list(smoke.Smoke(api, label, pause=lambda _: None).run())


def test_an_address_is_needed_and_one_that_does_not_answer_fails(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert smoke.main("", None, "cat") == 2
    assert "make smoke URL=" in capsys.readouterr().err

    def refuse(self: smoke.Smoke) -> Any:
        raise Unreachable(0, "no answer")

    monkeypatch.setattr(smoke.Smoke, "run", refuse)
    assert smoke.main("http://127.0.0.1:9", None, "cat") == 1
    assert "http://127.0.0.1:9 failed: no answer" in capsys.readouterr().err


def test_the_workflow_signs_in_without_a_key_asks_nobody_and_tries_what_it_deployed() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/deploy.yml").read_text())
    assert workflow["permissions"] == {"contents": "read", "id-token": "write"}
    steps = workflow["jobs"]["deploy"]["steps"]
    (sign_in,) = [step["with"] for step in steps if step.get("uses", "").startswith("aws-actions/configure-aws")]
    assert set(sign_in) == {"role-to-assume", "aws-region"}  # and no access key
    commands = [step["run"] for step in steps if "run" in step]
    assert [command.split()[:2] for command in commands] == [
        ["make", "deploy-check"],
        ["make", "sam"],
        [".venv-sam/bin/sam", "validate"],
        [".venv-sam/bin/sam", "build"],
        [".venv-sam/bin/sam", "deploy"],
        ["make", "smoke"],
    ]
    assert "CONFIG_ENV=ci" in commands[0]
    assert "--config-env ci" in commands[4]
    assert "${{" not in "".join(commands)  # what is set elsewhere comes by the environment, and is no shell code
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert {"deploy-check", "sam", "smoke"} <= set(targets)


def test_each_picture_is_one_that_nobody_has() -> None:
    assert len({smoke.picture() for _ in range(20)}) == 20


def test_a_picture_that_cannot_be_deleted_keeps_no_other_one(
    running: LocalService, monkeypatch: pytest.MonkeyPatch
) -> None:
    api, label = PetApi(running.url), new_label()
    delete, asked = api.delete, []

    def fail_once(image: str) -> None:
        asked.append(image)
        if len(asked) == 1:
            raise Problem(500, "It went wrong.")
        delete(image)

    monkeypatch.setattr(api, "delete", fail_once)
    with pytest.raises(Problem, match=r"It went wrong\."):
        list(smoke.Smoke(api, label, pause=lambda _: None).run())
    assert [image.id for image in api.images(label)] == asked[:1]


@pytest.mark.parametrize(
    ("url", "token"), [("pets.example.com", None), ("https://pets.example.com/?a=b", None), ("http://a.example", "x")]
)
def test_an_address_that_cannot_be_used_is_refused_in_a_sentence(
    url: str, token: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert smoke.main(url, token, "cat") == 2
    said = capsys.readouterr().err
    assert url in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(("given", "label"), [("", "cat"), ("bird", "bird")])
def test_the_workflow_may_name_a_label_that_the_service_takes(given: str, label: str) -> None:
    """Labels need not have cat. A variable of the repository that is not set is an empty text."""
    workflow = yaml.safe_load((ROOT / ".github/workflows/deploy.yml").read_text())
    assert workflow["jobs"]["deploy"]["steps"][-1]["env"]["LABEL"] == "${{ vars.LABEL }}"
    command = ["make", "--dry-run", "--always-make", "smoke", "URL=https://a.example"]
    printed = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "LABEL": given}, capture_output=True, text=True, check=True
    )
    assert f"LABEL='{label}'" in printed.stdout
