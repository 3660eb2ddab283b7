"""The documentation names only files, targets, parameters, routes and libraries that exist."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.support import documents
from tests.support.cloud import ROOT, template
from tests.support.documents import PAGES, README, TRACKED, Block
from tools.template import read_template

API = ROOT / "docs/reference/api.md"
ARCHITECTURE = ROOT / "docs/explanation/architecture.md"
CONFIGURATION = ROOT / "docs/reference/configuration.md"
CONTRIBUTING = ROOT / "CONTRIBUTING.md"
OPERATE = ROOT / "docs/how-to/operate.md"

MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", MAKEFILE, re.MULTILINE))
FOLDERS = {name.partition("/")[0] for name in TRACKED if "/" in name}
OF_THE_PRESENT = [page for page in PAGES if page.name not in ("CHANGELOG.md", "decisions.md")]
MARKED = [block for page in PAGES for block in documents.blocks(page) if not block.runs]


@pytest.mark.parametrize("page", OF_THE_PRESENT, ids=documents.name_of)
def test_every_file_that_is_named_is_there(page: Path) -> None:
    for span in documents.code_spans(page):
        if re.fullmatch(r"[\w.-]+/[\w./-]*", span) and span.partition("/")[0] in FOLDERS:
            assert (ROOT / span).exists(), span
        if re.fullmatch(r"test_\w+\.py", span):
            assert len(list((ROOT / "tests").rglob(span))) == 1, span


@pytest.mark.parametrize("page", PAGES, ids=documents.name_of)
def test_every_target_that_is_named_is_there(page: Path) -> None:
    named = [found for span in documents.code_spans(page) for found in re.findall(r"\bmake ([a-z-]+)", span)]
    assert set(named) <= TARGETS


@pytest.mark.parametrize("block", MARKED, ids=str)
def test_blocks_that_do_not_run_name_what_there_is(block: Block) -> None:
    for line in block.text.replace("\\\n", " ").splitlines():
        if made := re.search(r"\bmake (?:-s )?([a-z-]+)(.*)", line):
            assert made[1] in TARGETS, line
            assert set(re.findall(r"\b([A-Z_]+)=", made[2])) <= make_variables(), line
        if given := re.search(r"--parameter-overrides (.*)", line):
            other = re.search(r"--template-file (\S+)", line)
            parameters = (read_template(ROOT / other[1]) if other else template())["Parameters"]
            assert set(re.findall(r"(\w+)=", given[1])) <= parameters.keys(), line
        for file in re.findall(r"(?<![\w/.$-])((?:[\w-]+/)+[\w-]+\.\w+)", line):
            if file.partition("/")[0] in FOLDERS:
                assert (ROOT / file).exists(), line


def make_variables() -> set[str]:
    """Return the variables that the Makefile uses, and those that `make run` is documented to take."""
    used = {
        "WRITE",
        *re.findall(r"\$\(([A-Z_]+)\)", MAKEFILE),
        *re.findall(r"^export ([A-Z_]+)", MAKEFILE, re.MULTILINE),
    }
    return used | names_in(documents.table(CONFIGURATION, "Variable"))


def names_in(rows: list[list[str]]) -> set[str]:
    """Return the names in the first column, which may have several."""
    return {name.strip("` ") for row in rows for name in row[0].split(",")}


def test_every_target_has_its_help() -> None:
    assert set(re.findall(r"^([a-z][a-z-]*):.*?  ## \S", MAKEFILE, re.MULTILINE)) == TARGETS


def test_every_template_parameter_is_documented_with_its_default() -> None:
    rows = {row[0].strip("`"): row[1] for row in documents.table(CONFIGURATION, "Parameter")}
    assert rows == {name: str(given.get("Default", "")) for name, given in template()["Parameters"].items()}


def test_every_ssm_parameter_is_documented_with_its_fallback() -> None:
    rows = {row[0].strip("`"): row[1].strip("`") for row in documents.table(CONFIGURATION, "SSM parameter")}
    parameters = [each for each in template()["Resources"].values() if each["Type"] == "AWS::SSM::Parameter"]
    assert rows.keys() == {each["Properties"]["Name"].replace("${Stage}", "<stage>") for each in parameters}
    text = (ROOT / "template.yaml").read_text()
    assert all(f"{variable}:" in text for variable in rows.values())


def test_every_output_is_documented() -> None:
    assert names_in(documents.table(CONFIGURATION, "Output")) == template()["Outputs"].keys()


def test_every_alarm_is_documented() -> None:
    alarms = {name for name, each in template()["Resources"].items() if each["Type"] == "AWS::CloudWatch::Alarm"}
    assert names_in(documents.table(OPERATE, "Alarm")) == alarms


def test_every_route_is_documented() -> None:
    paths = yaml.safe_load((ROOT / "openapi.yaml").read_text())["paths"]
    routes = {f"{method.upper()} {path}" for path in paths for method in paths[path] if method != "parameters"}
    assert {row[0].strip("`").partition("?")[0] for row in documents.table(API, "Route")} == routes
    shown = {found for row in documents.table(README, "Route") for found in re.findall(r"(/[^`?]*)[^`]*`", row[0])}
    assert paths.keys() - shown == {"/web/{version}/{name}", "/web/{version}/library/{name}"}
    assert shown <= paths.keys()


def test_every_library_is_in_the_table_of_dependencies() -> None:
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    wanted = {re.split(r"[\[<>=]", entry)[0] for group in groups.values() for entry in group if isinstance(entry, str)}
    assert {"uv", *wanted} - {name.lower() for name in names_in(documents.table(CONTRIBUTING, "Library"))} == set()


def test_the_notice_names_the_models_in_their_locked_versions() -> None:
    notice = " ".join((ROOT / "NOTICE").read_text().split())
    pinned = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]["models"]
    weights = [entry.replace("==", " ") for entry in pinned if "==" in entry]
    assert len(weights) == 2
    assert all(f"from the package {each}" in notice for each in weights)
    assert "ImageNet" in notice
    for path in re.findall(r"\b(?:tools|web)/[\w./-]*\w", notice):
        assert (ROOT / path).exists()


def test_the_table_of_folders_is_complete() -> None:
    named = {row[0].strip("`/").partition("/")[0] for row in documents.table(ARCHITECTURE, "Folder")}
    assert named == {folder for folder in FOLDERS if not folder.startswith(".")}


def test_the_table_of_folders_of_tests_is_complete() -> None:
    named = {folder.split("/")[1] for row in documents.table(CONTRIBUTING, "Folder") for folder in row[0].split(", ")}
    assert named == {name.split("/")[1] for name in TRACKED if name.startswith("tests/") and name.count("/") > 1}


@pytest.mark.parametrize("row", documents.table(ARCHITECTURE, "To change"), ids=lambda row: row[0])
def test_the_code_to_change_is_where_the_architecture_says(row: list[str]) -> None:
    _, where = row
    spans = [span.strip("`") for span in documents.CODE.findall(where)]
    files = [span for span in spans if (ROOT / span).is_file()] + ["template.yaml"]
    text = "".join((ROOT / file).read_text() for file in files)
    names = [span for span in spans if re.fullmatch(r"_?[A-Za-z][A-Za-z_]+", span)]
    assert [name for name in names if not re.search(rf"\b{name}\b", text)] == []
    assert spans or "search for" in where or "template.yaml" in where


def test_the_mutants_that_decisions_name_are_there() -> None:
    named = re.findall(r'mutant "([^"]+)"', documents.prose_of(ROOT / "docs/decisions.md"))
    mutants = (ROOT / "tests/mutants.yaml").read_text()
    assert named
    assert all(name in mutants for name in named)


def test_a_model_of_your_own_is_brought_as_the_template_asks() -> None:
    """Without EncoderLayer, a rule refuses the deploy."""
    (row,) = re.findall(r"^\| `EncoderLayer` \|.*$", documents.text_of(CONFIGURATION), re.MULTILINE)
    assert "`onnx`" in row
    page = documents.text_of(ROOT / "docs/how-to/direct-uploads.md")
    assert "`EncoderLayer`" in page.partition("\n## Choose what recognises\n")[2].partition("\n## ")[0]
