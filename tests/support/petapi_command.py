"""The command `petapi`, in a process of its own or in the test's."""

import json
import resource
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from petapi_client.commands import main
from tests.support.local_service import ANSWER_MAX, LocalService


@dataclass(frozen=True, slots=True)
class Ran:
    """How the command ended: its exit code, what it printed, and what it complained about."""

    code: int
    out: str
    err: str


def petapi(capsys: pytest.CaptureFixture[str], *arguments: str | Path, url: str = "") -> Ran:
    """Run the command in this process."""
    capsys.readouterr()
    try:
        code = main([*map(str, arguments), *(["--url", url] if url else [])])
    except SystemExit as end:  # of argparse
        code = int(end.code or 0)
    said = capsys.readouterr()
    return Ran(code, said.out, said.err)


def start(*arguments: str | Path, file_max: int = 0) -> "subprocess.Popen[str]":
    """Start the command as a process, perhaps on a disk that has room for files of so many bytes only."""
    return subprocess.Popen(
        [sys.executable, "-m", "petapi_client", *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=partial(_begin, file_max),
    )


def _begin(file_max: int) -> None:
    """Let the process heed SIGINT as in a terminal: a shell's background job ignores it, and passes that on."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if file_max:
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_max, file_max))


def ended(process: "subprocess.Popen[str]") -> Ran:
    """Wait for the command to end."""
    out, err = process.communicate(timeout=ANSWER_MAX)
    return Ran(process.returncode, out, err)


def images_of(service: LocalService, label: str) -> list[dict[str, Any]]:
    """Return all images of a label as the API lists them, with exact numbers."""
    return [image for page in _pages(service, f"/images?label={label}&limit=100") for image in page["images"]]


def law_of(service: LocalService, label: str) -> dict[str, Fraction]:
    """Return the exact probability of each image by `/labels/{label}`, after checking the stated ones against it."""
    pages = _pages(service, f"/labels/{label}?limit=100")
    (total,) = {page["totalWeight"] for page in pages}
    images = [image for page in pages for image in page["images"]]
    assert sum(Fraction(image["weight"]) for image in images) == Fraction(total)
    law = {image["id"]: Fraction(image["weight"]) / Fraction(total) for image in images}
    assert all(float(image["probability"]) == float(law[image["id"]]) for image in images)
    return law


def write_csv(folder: Path, rows: Sequence[str]) -> Path:
    """Write weights.csv with these lines."""
    path = folder / "weights.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def _pages(service: LocalService, path: str) -> list[Any]:
    pages: list[Any] = []
    cursor = ""
    while not pages or cursor:
        answer = service.get(path + (f"&cursor={cursor}" if cursor else ""))
        if answer.status == 404:
            return []
        pages.append(json.loads(answer.body, parse_float=Decimal))
        cursor = pages[-1].get("cursor", "")
    return pages
