"""The documentation hangs together: links, the index, the README's length, and the files that GitHub reads."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support import documents
from tests.support.cloud import ROOT
from tests.support.documents import PAGES, README


@pytest.mark.parametrize("page", PAGES, ids=documents.name_of)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in documents.links(page):
        if re.match(r"(https?|mailto):", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        if anchor:
            assert anchor in documents.anchors(file), target


def test_every_page_is_in_the_index() -> None:
    index = ROOT / "docs/index.md"
    linked = {(index.parent / target.partition("#")[0]).resolve() for target in documents.links(index)}
    assert linked >= set(PAGES) - {index}


def test_the_readme_has_at_most_150_lines() -> None:
    assert documents.text_of(README).count("\n") <= 150


def test_anchors_are_those_of_github() -> None:
    assert "to-change-x-look-at-y" in documents.anchors(ROOT / "docs/explanation/architecture.md")
    assert "upgrade-from-01" in documents.anchors(ROOT / "docs/how-to/deploy.md")


@pytest.mark.parametrize("page", [README, ROOT / "docs/explanation/architecture.md"], ids=documents.name_of)
def test_names_in_diagrams_are_quoted_where_mermaid_would_read_a_shape(page: Path) -> None:
    (diagram,) = re.findall(r"```mermaid\n(.*?)```", documents.text_of(page), re.DOTALL)
    assert re.findall(r"\[[^\"\]]*[/\\\\(){}][^\"\]]*\]", diagram.replace('[("', '["').replace('")]', '"]')) == []


def test_every_decision_has_a_date_a_reason_and_a_consequence() -> None:
    _, *decisions = re.split(r"^### ", documents.text_of(ROOT / "docs/decisions.md"), flags=re.MULTILINE)
    fields = [re.findall(r"^- \*\*(\w+)\*\*: ", decision, re.MULTILINE) for decision in decisions]
    assert len(decisions) > 50
    assert all(each == ["Date", "Decision", "Why", "Consequence"] for each in fields)


def test_the_changelog_keeps_its_form() -> None:
    changelog = documents.text_of(ROOT / "CHANGELOG.md")
    unreleased, *released = re.findall(r"^## \[(.*)$", changelog, re.MULTILINE)
    assert unreleased == "Unreleased]"
    assert all(re.fullmatch(r"\d+\.\d+\.\d+\] - \d{4}-\d{2}-\d{2}", version) for version in released)
    kinds = {"Before you upgrade", "Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert set(re.findall(r"^### (.*)$", changelog, re.MULTILINE)) <= kinds
    newest = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert released[0].startswith(f"{newest}]")


def test_ci_runs_what_everybody_can_run() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())
    steps = workflow["jobs"]["run"]["steps"]
    assert [step["run"] for step in steps if "run" in step] == [".ci/run"]


@pytest.mark.parametrize("form", ["bug", "feature"])
def test_issue_forms_ask_something(form: str) -> None:
    document = yaml.safe_load((ROOT / f".github/ISSUE_TEMPLATE/{form}.yml").read_text())
    fields = [field for field in document["body"] if field["type"] != "markdown"]
    assert {"name", "description", "body"} <= document.keys()
    assert len({field["id"] for field in fields}) == len(fields) > 1
    assert all(field["attributes"]["label"] for field in fields)


def test_hooks_use_the_ruff_of_make_check() -> None:
    hooks: list[Mapping[str, Any]] = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    assert [hook["entry"].split()[0] for hook in hooks] == [".venv/bin/ruff"] * 2
    assert "$(BIN)/ruff" in (ROOT / "Makefile").read_text()


def test_every_sample_has_its_source() -> None:
    note = (ROOT / "web/samples/SOURCES.md").read_text()
    assert len(list((ROOT / "web/samples").glob("*.jpg"))) == 24
    assert "24 photographs" in note
    assert "unrestricted use" in note
