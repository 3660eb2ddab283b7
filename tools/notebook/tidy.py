"""What a notebook keeps of an execution: nothing that is another thing at each."""

from typing import Any

PRINTED_URL = "http://127.0.0.1:3000"  # the address of `make run`
KEPT = ("kernelspec", "language_info")  # of the notebook's metadata; the rest says how the file was made


def number_cells(notebook: Any) -> None:
    """Give each cell its number as its id, in place of a random text."""
    for number, cell in enumerate(notebook["cells"], start=1):
        cell["id"] = f"cell-{number}"


def tidy(notebook: Any, url: str) -> None:
    """Remove the times of an execution, and print the address of `make run` in place of `url`."""
    notebook["metadata"] = {name: notebook["metadata"][name] for name in KEPT if name in notebook["metadata"]}
    for cell in notebook["cells"]:
        cell["metadata"] = {}
        for output in cell.get("outputs", ()):
            _print_url(output, url)


def _print_url(output: Any, url: str) -> None:
    if "text" in output:
        output["text"] = output["text"].replace(url, PRINTED_URL)
    for kind, content in output.get("data", {}).items():
        if kind.startswith("text/"):
            output["data"][kind] = content.replace(url, PRINTED_URL)
