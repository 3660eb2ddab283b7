"""The pictures of a folder, and reading them safely: the folder may come from a stranger."""

import errno
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from unicodedata import normalize

from petapi_client.problem import BadInput
from petapi_client.weights_csv import Row

EXTENSIONS = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp")
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


class Unreadable(Exception):
    """A file that cannot be read.  The message says why."""


def checked_folder(name: str) -> Path:
    """Return the folder of this name, or raise BadInput if it is none."""
    folder = Path(name)
    try:
        os.listdir(folder)
    except OSError as error:
        raise BadInput(f"{name} is no folder that can be read ({error.strerror}); name one.") from error
    return folder.resolve()


def pictures(folder: Path) -> list[str]:
    """Return the paths of all JPEG, PNG and WebP files below the folder, by their extensions, sorted.

    Names that begin with a dot are left out: systems hide files there, such as ._tom.jpg, which is no picture.  Links
    to folders are not followed, because they may lead in circles.  Raise BadInput for a folder that cannot be read.
    """
    found = []
    for place, folders, files in os.walk(folder, onerror=_refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        below = Path(place).relative_to(folder).as_posix()
        for name in files:
            if name.lower().endswith(EXTENSIONS) and not name.startswith("."):
                found.append(name if below == "." else f"{below}/{name}")
    return sorted(found)


def with_files(rows: Iterable[Row], found: Iterable[str], folder: Path, name: str) -> dict[str, Row]:
    """Return the rows by their files, as the folder writes these.  Raise BadInput for a row that has no file."""
    names = set(found)
    spelled = {_plain(file): file for file in sorted(names, reverse=True)}
    present: dict[str, Row] = {}
    wrong = []
    for row in rows:
        file = row.file if row.file in names else _as_written(folder, row.file, spelled.get(_plain(row.file)))
        if file is None:
            wrong.append(f"{name}, line {row.line}: there is no file {row.file}; correct or remove the row.")
        elif file in present:
            wrong.append(
                f"{name}, line {row.line}: {file} is in line {present[file].line} already; remove one of them."
            )
        else:
            present[file] = row
    if wrong:
        raise BadInput(*wrong)
    return present


def _plain(file: str) -> str:
    """Return a path without what some systems write otherwise: accents, upper case, what stands between folders."""
    return normalize("NFC", file.replace("\\", "/")).casefold()


def _as_written(folder: Path, file: str, similar: str | None) -> str | None:
    """Return how the folder writes a file that was not found under this path; None if it has none.

    `similar` is a file that was found and is spelled nearly so.  It is meant if the system takes both for one, or if
    only accents or slashes differ.
    """
    path, other = folder / file, folder / (similar or file)
    if os.path.isfile(path):
        return similar if similar and os.path.isfile(other) and os.path.samefile(path, other) else file
    if os.path.lexists(path) and not os.path.isdir(path):
        return file
    as_one = normalize("NFC", file.replace("\\", "/"))
    return similar if similar and normalize("NFC", similar) == as_one else None


def read(folder: Path, file: str, size_max: int) -> bytes:
    """Read a file below the folder.  Raise Unreadable if it is none, too large, or leads out of the folder.

    Only what is a file is read: another end of a pipe might never come.
    """
    path = folder / file
    try:
        if not path.resolve(strict=True).is_relative_to(folder):
            raise Unreadable("is a link that leads out of the folder; copy the picture into it")
        with open(path, "rb", opener=_without_waiting) as opened:
            found = os.fstat(opened.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise Unreadable("is no file; remove it")
            if found.st_size > size_max:
                raise Unreadable(f"has {found.st_size:,} bytes, but may have at most {size_max:,}; make it smaller")
            return opened.read(size_max + 1)
    except (OSError, RuntimeError) as error:
        if isinstance(error, RuntimeError) or error.errno == errno.ELOOP:  # RuntimeError of `resolve`, before 3.13
            raise Unreadable("is a link that leads in a circle; remove it") from error
        if isinstance(error, FileNotFoundError):
            raise Unreadable("is a link that leads nowhere, or was removed; look at it") from error
        raise Unreadable(f"cannot be read ({error.strerror}); look at its permissions") from error


def read_or_none(folder: Path, file: str, size_max: int) -> bytes | None:
    """Read a file that may be missing, such as weights.csv.  Raise BadInput if it is there and cannot be read."""
    if not os.path.lexists(folder / file):
        return None
    try:
        return read(folder, file, size_max)
    except Unreadable as error:
        raise BadInput(f"{file} {error}.") from error


def _refuse(error: OSError) -> None:
    raise BadInput(f"{error.filename} cannot be read ({error.strerror}); look at its permissions.") from error


def _without_waiting(path: str, _: int) -> int:
    return os.open(path, _FLAGS)
