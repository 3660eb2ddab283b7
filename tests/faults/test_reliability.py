"""docs/reference/reliability.md is right about every fault at every call."""

import re
from collections.abc import Collection

import pytest

from tests import reliability
from tests.support.cloud import ROOT
from tests.support.fault_matrix import FAULTS, OPERATIONS, Operation
from tests.support.fault_scene import Scene
from tests.support.simulation import silent

RENEW = "docs/reference/reliability.md says something else: find out why, then write it again with `make reliability`"
TITLES = [operation.title for operation in OPERATIONS]


SAMPLE = {"Upload a new picture"}
ON_THE_EMULATOR = {"Upload it again", "Draw a picture"}


def of(titles: Collection[str]) -> pytest.MarkDecorator:
    """Run the test for the operations of these titles."""
    chosen = [operation for operation in OPERATIONS if operation.title in titles]
    return pytest.mark.parametrize("operation", chosen, ids=[operation.title for operation in chosen])


def check(scene: Scene, operation: Operation) -> None:
    """Inject every fault at every call of the operation, and compare what comes of it with the page."""
    with silent():
        found = reliability.section(scene, operation)
    assert found in reliability.PAGE.read_text(), RENEW


@of(SAMPLE)
def test_every_fault_at_every_call_comes_to_what_the_page_says(scene: Scene, operation: Operation) -> None:
    check(scene, operation)


@pytest.mark.usefixtures("slow_tier")
@of({*TITLES} - SAMPLE)
def test_so_does_every_fault_of_the_other_operations(scene: Scene, operation: Operation) -> None:
    check(scene, operation)


@of(ON_THE_EMULATOR)
def test_so_does_every_fault_on_the_emulator(emulated: Scene, operation: Operation) -> None:
    """The AWS in memory has of DynamoDB, S3 and HTTP what petAPI uses; the emulator is another's work."""
    check(emulated, operation)


def test_the_page_has_these_sections_and_no_others() -> None:
    page = reliability.PAGE.read_text()
    sections = reliability.sections_of(page)
    assert page == reliability.introduction(sections) + sections, RENEW
    assert re.findall("^## (.*)$", page, re.M) == [*reliability.HEADINGS, *TITLES], RENEW
    assert all(f"| {fault.title} |" in page for fault in FAULTS), RENEW


def test_no_answer_of_the_page_is_a_failure_or_unexplained() -> None:
    sections = reliability.sections_of(reliability.PAGE.read_text())
    rows = [line.split(" | ") for line in sections.splitlines() if line.count(" | ") == 5]
    answers = {row[2] for row in rows} - {"answer"}
    assert answers == {"none", "200", "201", "204", "409", "503"}
    assert "docs/reference/reliability.md" in (ROOT / "README.md").read_text()
