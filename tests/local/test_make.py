"""The Makefile: `make help`, and what the first `make run` says and does."""

import os
import re
import signal
import subprocess
import sys
import venv
from functools import partial
from importlib import metadata
from pathlib import Path

import pytest

from tests.support.cloud import ROOT
from tools.install import INTERRUPTED, MEGABYTES, TIMES, announcement

MAKEFILE = (ROOT / "Makefile").read_text()
ELSEWHERE = {"sam", "clients", "checkov", "notebook"}  # are installed in environments of their own
TARGETS = {name for names in re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE) for name in names.split()}


def listed(*targets: str) -> dict[str, str]:
    """Return the targets that `make` lists, with their texts."""
    done = subprocess.run(["make", *targets], cwd=ROOT, capture_output=True, text=True, check=True)
    return dict(re.findall(r"^  ([a-z-]+) +(.+)$", done.stdout, re.MULTILINE))


def test_help_lists_every_target_with_a_text() -> None:
    assert listed("help").keys() == TARGETS


def test_make_by_itself_is_help() -> None:
    assert listed() == listed("help")


def test_every_target_that_people_call_is_phony() -> None:
    named = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
    assert named == TARGETS


def test_the_help_stands_in_groups_and_fits_into_a_terminal() -> None:
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert len(re.findall(r"^\S", done.stdout, re.MULTILINE)) >= 4
    assert max(map(len, done.stdout.splitlines())) <= 120


def make(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run make on a new environment."""
    environment = {**os.environ, **variables}
    return subprocess.run(["make", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_a_python_without_ensurepip_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    """As Debian has it without the package python3-venv: the module cannot be imported."""
    missing, environment = tmp_path / "missing", tmp_path / "venv"
    missing.mkdir()
    (missing / "ensurepip.py").write_text("raise ModuleNotFoundError(name='ensurepip')\n")
    options = (f"VENV={environment}", f"PYTHON={sys.executable}", f"{environment}/bin/pip")

    refused = make(*options, PYTHONPATH=str(missing))

    assert refused.returncode
    sentence, _ = refused.stderr.splitlines()  # and make's own line
    assert "cannot create virtual environments" in sentence
    assert sentence.endswith("apt install python3-venv")
    assert not environment.exists()


@pytest.mark.usefixtures("slow_tier")
def test_a_half_made_environment_is_completed_at_the_next_try(tmp_path: Path) -> None:
    environment = tmp_path / "venv"
    venv.create(environment, with_pip=False)

    done = make(f"VENV={environment}", f"PYTHON={sys.executable}", f"{environment}/bin/pip")

    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("Creating the virtual environment")
    assert (environment / "bin/pip").exists()


@pytest.mark.parametrize("lock", MEGABYTES)
def test_the_announcement_counts_the_packages_of_the_lock(lock: str) -> None:
    path = Path("requirements") / f"{lock}.txt"
    names = set(re.findall(r"^([\w.-]+)(?:\[.*\])?==", (ROOT / path).read_text(), re.MULTILINE))

    said = announcement(ROOT / path, ".venv")

    assert f"{len(names)} packages" in said
    assert f"{MEGABYTES[lock]} MB" in said
    assert f"up to {TIMES[lock]}" in said


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs a file whose reader waits")
def test_ctrl_c_during_an_installation_says_how_to_continue(tmp_path: Path) -> None:
    lock = tmp_path / "run.txt"
    lock.touch()
    waiting = tmp_path / "waiting.txt"
    os.mkfifo(waiting)  # pip opens it and waits until somebody writes to it
    command = [sys.executable, "-m", "tools.install", lock, "-r", waiting]
    # A script starts a job in the background with SIGINT ignored, and the job's children inherit that.
    heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    start = partial(subprocess.Popen, cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True)
    with start(command, preexec_fn=heed) as installing:
        writer = os.open(waiting, os.O_WRONLY)  # returns as soon as pip has opened it
        os.killpg(installing.pid, signal.SIGINT)  # as a terminal does, to make's children, too
        said = installing.stderr.read() if installing.stderr else ""
        os.close(writer)

    assert installing.returncode == INTERRUPTED
    assert "Traceback" not in said
    assert said.endswith("The installation was interrupted. Run the same command again to continue.\n")


@pytest.mark.parametrize("name", ["run", "models"])
def test_an_installation_that_fails_says_what_can_be_done_without(name: str, tmp_path: Path) -> None:
    lock = tmp_path / f"{name}.txt"
    lock.write_text(f"nothing==1 --hash=sha256:{'0' * 64}\n")
    command = [sys.executable, "-m", "tools.install", str(lock), "--no-index"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode
    assert ("make run ENCODER=none" in done.stderr) == (name == "models")


@pytest.mark.parametrize("lock", sorted(MEGABYTES.keys() - ELSEWHERE))
def test_the_announced_megabytes_are_those_of_the_installed_packages(lock: str) -> None:
    names = set(re.findall(r"^([\w.-]+)(?:\[.*\])?==", (ROOT / f"requirements/{lock}.txt").read_text(), re.MULTILINE))
    installed = [dist for dist in map(_distribution, names) if dist]
    bytes_ = sum(file.size or 0 for dist in installed for file in dist.files or ())

    assert len(installed) > len(names) - 5  # some are for other systems
    assert 0.75 < MEGABYTES[lock] * 1e6 / bytes_ < 1.25


def _distribution(name: str) -> metadata.Distribution | None:
    try:
        return metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return None
