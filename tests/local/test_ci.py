"""`.ci/docker.sh` finds the script that makes stand-ins for the images of the SAM CLI."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.support.cloud import ROOT

SCRIPT = (ROOT / ".ci/docker.sh").read_text()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a folder beside another one that has the script."""
    script = tmp_path / "neighbour/images/lambda-base-image.sh"
    script.parent.mkdir(parents=True)
    script.write_text("#!/bin/sh\necho made >made.txt\n")
    script.chmod(0o700)
    (tmp_path / "checkout").mkdir()
    return tmp_path / "checkout"


def make_images(folder: Path, **variables: str) -> bool:
    """Return whether the function ran a script in this folder, with success."""
    function = re.search(r"^make_images\(\) \{\n.*?^\}$", SCRIPT, re.MULTILINE | re.DOTALL)
    assert function
    code = f"LOG=log.txt\ninstall_docker() {{ :; }}\n{function[0]}\nmake_images"
    done = subprocess.run(["bash", "-c", code], cwd=folder, env={**os.environ, **variables}, check=False)
    return done.returncode == 0 and (folder / "made.txt").exists()


def test_a_script_near_the_checkout_is_used(checkout: Path) -> None:
    assert make_images(checkout)


def test_the_variable_names_another_script(checkout: Path, tmp_path: Path) -> None:
    named = tmp_path / "named.sh"
    named.write_text("#!/bin/sh\nexit 1\n")
    named.chmod(0o700)
    assert not make_images(checkout, SAM_IMAGES_SCRIPT=str(named))


def test_a_script_near_the_cloned_repository_is_used(checkout: Path, tmp_path: Path) -> None:
    clone = tmp_path / "far/away/from/clone"
    clone.mkdir(parents=True)
    for command in (["init", "-q"], ["remote", "add", "origin", str(checkout)]):
        subprocess.run(["git", *command], cwd=clone, check=True)
    assert make_images(clone)


def test_without_a_script_there_are_no_images(tmp_path: Path) -> None:
    lonely = tmp_path / "a/b/c/d"
    lonely.mkdir(parents=True)
    assert not make_images(lonely)


def test_ci_runs_every_tier_and_bound() -> None:
    script = (ROOT / ".ci/run").read_text()
    targets = re.findall(r"^ *make ([\w-]+)$", script, re.MULTILINE)
    assert sorted(targets) == ["bench-cold", "bench-quick", "check", "checkov", "sam-test", "test-all"]
    assert script.index("make corpus-fetch") < script.index("make test-all") < script.index("make corpus DIR=.corpus")
