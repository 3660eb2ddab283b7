"""The Makefile: `make help`, and what the first `make run` says and does."""

import re
import subprocess

from tests.support.cloud import ROOT

MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = {name for names in re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE) for name in names.split()}


def listed(*targets: str) -> dict[str, str]:
    """The targets that `make` lists, with their texts."""
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
