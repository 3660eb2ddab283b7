"""`python -m tools.notebook.execute SOURCE NOTEBOOK`: make a notebook of a Python file, with the outputs of its cells.

It runs in the virtual environment of `make notebook`. The cells use the petAPI that PETAPI_URL names.
"""

import os
import sys
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from tools.notebook.tidy import number_cells, tidy

CELL_MAX = 900  # seconds until a hanging cell is ended
QUIET = ["--log-level=ERROR"]  # without the warning that the cells go unencrypted to the process that executes them


def main(source: Path, notebook: Path) -> None:
    """Execute the cells in the folder of the source, and write the notebook when all have succeeded."""
    made = jupytext.read(source)
    number_cells(made)
    resources = {"metadata": {"path": str(source.parent)}}
    try:
        NotebookClient(
            made, timeout=CELL_MAX, resources=resources, extra_arguments=QUIET, coalesce_streams=True
        ).execute()
    except CellExecutionError as error:
        sys.exit(f"{error}\n{notebook.name} was not written, because this cell of {source.name} failed.")
    tidy(made, os.environ["PETAPI_URL"])
    notebook.write_text(nbformat.writes(made) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
