"""The notebook is what docs/client.py says, was executed whole, and shows nothing of the machine that executed it."""

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.support.cloud import ROOT
from tools.notebook.tidy import PRINTED_URL, number_cells, tidy

SOURCE, FILE = (ROOT / "docs/client.py").read_text(), ROOT / "docs/client.ipynb"
NOTEBOOK = json.loads(FILE.read_text())
PYTHON = ROOT / ".venv-notebook/bin/python"

Cell = tuple[str, str]


def cells_of(source: str) -> list[Cell]:
    """Return the kind and the text of each cell of a Python file in the percent format."""
    _, *parts = re.split(r"^# %%(.*)\n", source, flags=re.MULTILINE)
    cells = zip(parts[::2], parts[1::2], strict=True)
    return [("markdown", _uncommented(text)) if mark else ("code", text.strip("\n")) for mark, text in cells]


def _uncommented(text: str) -> str:
    return re.sub(r"^# ?", "", text, flags=re.MULTILINE).strip("\n")


def outputs() -> list[dict[str, Any]]:
    """Return the outputs of all cells."""
    return [output for cell in NOTEBOOK["cells"] for output in cell.get("outputs", ())]


def words() -> str:
    """Return the notebook without its pictures."""
    told = [{**output, "data": _texts(output.get("data", {}))} for output in outputs()]
    return json.dumps([cells_of(SOURCE), told, NOTEBOOK["metadata"]])


def _texts(data: dict[str, Any]) -> dict[str, Any]:
    return {kind: content for kind, content in data.items() if not kind.startswith("image/")}


def test_the_notebook_has_the_cells_of_its_source() -> None:
    assert [(cell["cell_type"], "".join(cell["source"])) for cell in NOTEBOOK["cells"]] == cells_of(SOURCE)


def test_every_cell_was_executed_in_order_without_an_error() -> None:
    counts = [cell["execution_count"] for cell in NOTEBOOK["cells"] if cell["cell_type"] == "code"]
    assert counts == [*range(1, len(counts) + 1)]
    assert {output["output_type"] for output in outputs()} <= {"stream", "display_data", "execute_result"}
    assert {output.get("name", "stdout") for output in outputs()} == {"stdout"}


def test_the_notebook_is_below_a_megabyte_with_its_pictures() -> None:
    pictures = [kind for output in outputs() for kind in output.get("data", {}) if kind.startswith("image/")]
    assert len(pictures) > 8
    assert FILE.stat().st_size < 1_000_000


def test_the_notebook_names_no_path_of_a_machine_and_no_other_host() -> None:
    shown = words()
    assert not re.search(r"/(home|root|tmp|work|usr|var|opt|Users|private)/|[A-Z]:\\\\|site-packages", shown)
    assert set(re.findall(r"https?://[\w.:-]+", shown)) == {PRINTED_URL, "http://127.0.0.1:1"}  # where nobody listens


def test_its_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)]+)\)", "".join(text for kind, text in cells_of(SOURCE) if kind == "markdown"))
    assert links
    assert not [link for link in links if not (FILE.parent / link).exists()]


def test_what_it_says_to_install_is_what_it_imports() -> None:
    imported = {name.partition(".")[0] for cell in cells_of(SOURCE) if cell[0] == "code" for name in _imports(cell[1])}
    (command,) = re.findall(r"^# pip install (.*)$", SOURCE, re.MULTILINE)
    brought = {"./client": {"petapi_client", "requests"}, "jupyterlab": {"IPython"}, "pillow": {"PIL"}}
    names = set().union(*(brought.get(word, {word}) for word in command.split()))
    assert imported - set(sys.stdlib_module_names) == names
    locked = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]["notebook"]
    assert {"matplotlib", "numpy", "pillow"} <= {entry for entry in locked if isinstance(entry, str)}


def _imports(code: str) -> list[str]:
    nodes = list(ast.walk(ast.parse(code)))
    plain = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    return plain + [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module]


def test_it_deletes_its_own_labels_only() -> None:
    (labels,) = re.findall(r"^BOAT, PHOTO, TILE, COPY = (.*)$", SOURCE, re.MULTILINE)
    assert all(label.startswith("notebook-") for label in ast.literal_eval(labels))
    assert SOURCE.count("clean()\n") == 2  # at the beginning and at the end


def test_ci_makes_it() -> None:
    assert re.findall(r"^make (notebook|test-all)\b", (ROOT / ".ci/run").read_text(), re.MULTILINE) == [
        "notebook",  # first, so that the tests look at what it made
        "test-all",
    ]


def test_ports_times_and_random_ids_are_not_kept() -> None:
    url = "http://127.0.0.1:12345"
    data = {"text/plain": f"'{url}/images/1'", "image/png": "abc"}
    notebook = {
        "metadata": {"kernelspec": {"name": "python3"}, "jupytext": {}},
        "cells": [
            {"id": "f00", "metadata": {"execution": {"iopub.execute_input": "2026"}}, "outputs": [{"data": data}]},
            {"id": "ba4", "metadata": {}, "outputs": [{"text": f"{url}\n"}]},
            {"id": "0ff", "metadata": {}},
        ],
    }
    number_cells(notebook)
    tidy(notebook, url)
    assert notebook == {
        "metadata": {"kernelspec": {"name": "python3"}},
        "cells": [
            {
                "id": "cell-1",
                "metadata": {},
                "outputs": [{"data": {"text/plain": f"'{PRINTED_URL}/images/1'", "image/png": "abc"}}],
            },
            {"id": "cell-2", "metadata": {}, "outputs": [{"text": f"{PRINTED_URL}\n"}]},
            {"id": "cell-3", "metadata": {}},
        ],
    }


@pytest.mark.usefixtures("slow_tier")
@pytest.mark.skipif(not PYTHON.exists(), reason="`make notebook` makes the environment")
def test_a_cell_that_fails_is_shown_and_nothing_is_written(tmp_path: Path) -> None:
    source, notebook = tmp_path / "wrong.py", tmp_path / "wrong.ipynb"
    source.write_text("# %%\n1 + 1\n\n# %%\n1 / 0\n")
    command = [PYTHON, "-m", "tools.notebook.execute", source, notebook]
    environment = {**os.environ, "PETAPI_URL": PRINTED_URL}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr
    assert "wrong.ipynb was not written" in done.stderr
    assert not notebook.exists()
