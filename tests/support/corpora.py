"""The sample pictures of packages that `make corpus-fetch` brings, and the names that version 0.1 gave them."""

import re
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from tools.corpus.fetch import FOLDER, packages

ROOT = Path(__file__).resolve().parents[2]
FETCHED = ROOT / FOLDER
SIGNATURE = re.compile(rb"\xff\xd8|\x89PNG\r\n\x1a\n|RIFF....WEBP", re.DOTALL)
DIGITS = 16  # hexadecimal digits of a hash that the lists have
REFUSED = "refused"


def fetched() -> bool:
    """Return whether the sample pictures of all packages are here."""
    return all((FETCHED / package.folder).is_dir() for package in packages())


def files_like_pictures() -> dict[str, Path]:
    """Return the files that begin like a JPEG, PNG or WebP, by the first digits of their SHA-256."""
    files: dict[str, Path] = {}
    for package in packages():
        for path in sorted((FETCHED / package.folder).rglob("*")):
            if path.is_file() and SIGNATURE.match(content := path.read_bytes()):
                files.setdefault(sha256(content).hexdigest()[:DIGITS], path)
    return files


def digits(name: str) -> str:
    """Return the first digits of an image's name with its extension; `refused` stays as it is."""
    stem, point, extension = name.partition(".")
    return stem[:DIGITS] + point + extension


def names_of(version: str) -> Mapping[str, str]:
    """Return what the version did with each file: the first digits of its hash -> those of the name, or `refused`."""
    return _pairs(version, "names.txt")


def changed_since(version: str) -> Mapping[str, str]:
    """Return the files that have another name today: the first digits of their hash -> the fault that they have."""
    return _pairs(version, "changed.txt")


def _pairs(version: str, name: str) -> dict[str, str]:
    lines = (ROOT / "tests/data" / version / name).read_text(encoding="utf-8").splitlines()
    return dict(line.split(" ", 1) for line in lines)
