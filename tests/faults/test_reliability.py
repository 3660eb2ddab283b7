"""docs/reference/reliability.md says what happens."""

import re

import pytest

from tests import reliability
from tests.support.cloud import ROOT
from tests.support.fault_matrix import FAULTS, OPERATIONS, Operation
from tests.support.fault_scene import Scene

RENEW = "docs/reference/reliability.md says something else: find out why, then write it again with `make reliability`"
TITLES = [operation.title for operation in OPERATIONS]


@pytest.mark.parametrize("operation", OPERATIONS, ids=TITLES)
def test_every_fault_at_every_call_comes_to_what_the_page_says(scene: Scene, operation: Operation) -> None:
    assert reliability.section(scene, operation) in reliability.PAGE.read_text(), RENEW


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
