"""imported.csv: what has become of each picture of a folder, so that an import that was interrupted goes on.

Each line is written before its worker takes the next picture, so a kill loses at most one line a worker.  Lines of
other labels and other addresses stand beside each other and do not count for each other.
"""

import csv
import errno
import io
import os
import re
import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Self, TypedDict

from petapi_client.cells import escaped, unescaped
from petapi_client.folder import read_or_none
from petapi_client.problem import BadInput
from petapi_client.weights import POWER


class Encoding(TypedDict):
    """How a file is encoded, as `open` and `decode` take it."""

    encoding: str
    errors: str


NAME = "imported.csv"
BYTES_MAX = 200_000_000
ENCODING: Encoding = {"encoding": "utf-8", "errors": "surrogateescape"}  # a name of a file may be no text
# Halves of characters in UTF-16 that stand for no byte of such a name: they have no bytes in UTF-8.
HALVES = re.compile("[\ud800-\udc7f\udd00-\udfff]")

BEGUN = "begun"  # the line of an import, with what its weights are divided by
STORED, EXISTING, UPDATED = "stored", "existing", "updated"
CONFLICT = "conflict"  # the picture is there with another weight or other tags
REFUSED = "refused"  # for good
FAILED = "failed"  # may succeed later
DUPLICATE = "duplicate"
THERE = (STORED, EXISTING, UPDATED, CONFLICT)  # statuses of pictures that the label has


@dataclass(frozen=True, slots=True)
class Entry:
    """A line: what has become of a file, and the weight (an exact decimal) and tags that it was to have."""

    status: str
    url: str
    label: str
    divide_by: str
    file: str = ""
    size: str = ""
    sha256: str = ""
    weight: str = ""
    tags: str = ""
    id: str = ""
    detail: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """The file and its content."""
        return self.file, self.size, self.sha256


COLUMNS = [field.name for field in fields(Entry)]


class Journal:
    """The journal of a folder.  Several threads may add to it."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._lock = folder, threading.Lock()

    def read(self, url: str, label: str) -> list[Entry]:
        """Return the lines of this address and label, the oldest first.  Raise BadInput if the file is another one.

        A line that a kill has cut short, or that is damaged, does not count.
        """
        head, *lines = self._content().decode(**ENCODING).split("\n")
        is_journal = _cells(head) == COLUMNS if lines else _line(COLUMNS).startswith(head)
        if not is_journal:
            raise BadInput(f"{NAME} in this folder is no journal of petapi; move it away: the import writes one.")
        rows = [cells for cells in map(_cells, lines[:-1]) if len(cells) == len(COLUMNS)]
        entries = [Entry(*(unescaped(_with_ends(cell)) for cell in cells)) for cells in rows]
        return [entry for entry in entries if (entry.url, entry.label) == (url, label)]

    def __enter__(self) -> Self:
        path = self._folder / NAME
        content = self._content()
        length = content.rfind(b"\n") + 1
        try:
            self._file = path.open("ab", buffering=0)  # so that nothing is left to write when it is closed
            if length < len(content):
                self._file.truncate(length)
            if not length:
                self._write(COLUMNS)
        except OSError as error:
            raise BadInput(f"{path} cannot be written ({error.strerror}); copy the folder to where you can.") from error
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, entry: Entry) -> None:
        """Append a line.  Raise BadInput if there is no room for it."""
        try:
            with self._lock:
                self._write([_without_ends(escaped(text)) for text in asdict(entry).values()])
        except OSError as error:
            raise BadInput(f"{NAME} cannot be written any more ({error.strerror}); mend that.") from error

    def _content(self) -> bytes:
        return read_or_none(self._folder, NAME, BYTES_MAX) or b""

    def _write(self, cells: list[str]) -> None:
        line = HALVES.sub("\N{REPLACEMENT CHARACTER}", _line(cells)).encode(**ENCODING)
        if self._file.write(line) != len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _line(cells: list[str]) -> str:
    written = io.StringIO(newline="")
    csv.writer(written).writerow(cells)
    return written.getvalue()


def _cells(line: str) -> list[str]:
    """Return the cells of a line, none if it is damaged.  Each line is read by itself, so damage stays in it."""
    try:
        return next(csv.reader([line.removesuffix("\r")], strict=True), [])
    except csv.Error:
        return []


def _without_ends(text: str) -> str:
    """Write line ends as a backslash and a letter, so that each entry is one line."""
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")


def _with_ends(cell: str) -> str:
    ends = {"n": "\n", "r": "\r"}
    return re.sub(r"\\(.)", lambda found: ends.get(found[1], found[1]), cell)


def last_divisor(entries: Iterable[Entry]) -> int | None:
    """Return what the last import divided its weights by; None if there was none."""
    divisors = [int(entry.divide_by) for entry in entries if POWER.fullmatch(entry.divide_by)]
    return divisors[-1] if divisors else None
