"""The plan of an import: which pictures go with which weight, file name and tags, before anything is sent."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from hashlib import sha256
from pathlib import Path, PurePosixPath

from petapi_client import folder, weights, weights_csv
from petapi_client.problem import BadInput
from petapi_client.values import Image
from petapi_client.weights_csv import FILENAME, TAGS_MAX, Row

DEFAULT_WEIGHT = Decimal("0.5")  # the API's


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture to import.  A weight or tags of None are not asked for: the API's defaults, and no change."""

    file: str
    size: int
    sha256: str
    filename: str
    weight: Decimal | None
    tags: tuple[str, ...] | None

    @property
    def key(self) -> tuple[str, str, str]:
        """What the journal knows it by."""
        return self.file, str(self.size), self.sha256

    def differs_from(self, image: Image) -> str:
        """Return in words how the stored image differs from what is wanted, empty if it does not."""
        if self.weight is not None and self.weight != image.weight:
            return f"the weight {weights.text_of(image.weight)}, not {weights.text_of(self.weight)}"
        if self.tags is not None and self.tags != image.tags:
            return f"the tags {', '.join(image.tags) or '(none)'}, not {', '.join(self.tags) or '(none)'}"
        return ""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What rows and options say of each file, before weights are scaled.  `rows` are in the order of the CSV."""

    source: str
    rows: Mapping[str, Row]
    unlisted: tuple[str, ...]
    tags: tuple[str, ...]

    @property
    def files(self) -> tuple[str, ...]:
        """All files, those of the rows first."""
        return (*self.rows, *self.unlisted)

    @property
    def weights(self) -> list[Fraction]:
        """All weights that are given."""
        return [row.weight for row in self.rows.values() if row.weight is not None]

    def tags_of(self, file: str) -> tuple[str, ...] | None:
        """Return the tags of a file: those of its row, and those that all get."""
        row = self.rows.get(file)
        if row is None or row.tags is None:
            return self.tags or None
        return tuple(sorted({*row.tags, *self.tags}))

    def filename_of(self, file: str) -> str:
        """Return the name that the image gets: that of its row, or else the file's own if it can be one."""
        row = self.rows.get(file)
        if row and row.filename is not None:
            return row.filename
        own = PurePosixPath(file).name
        return own if FILENAME.fullmatch(own) else ""


def wishes(place: Path, source: Path | None, tags: tuple[str, ...]) -> Wishes:
    """Read the folder and its CSV file.  Raise BadInput for whatever is wrong in them."""
    name, content = _csv(place, source)
    found = folder.pictures(place)
    rows = folder.with_files(weights_csv.parse(content, name), found, place, name) if content is not None else {}
    read = Wishes(name, rows, tuple(file for file in found if file not in rows), tags)
    if not read.files:
        raise BadInput(f"{place} has no JPEG, PNG or WebP; name a folder that has pictures.")
    many = [file for file in read.files if len(read.tags_of(file) or ()) > TAGS_MAX]
    if many:
        raise BadInput(f"{many[0]} would have more than {TAGS_MAX} tags; give fewer in {name} or --tags.")
    return read


def scaled(read: Wishes, divisor: int, *, rounding: bool) -> tuple[dict[str, Decimal], Fraction]:
    """Divide the weights by the divisor.  Return those of the API, and the largest relative error of rounding.

    Raise BadInput for each weight that is then not below 1, or has more than 9 decimals.
    """
    found: dict[str, Decimal] = {}
    error, wrong, smallest = Fraction(0), [], weights.smallest_divisor(read.weights)
    for file, row in read.rows.items():
        if row.weight is None:
            continue
        units = weights.units_of(row.weight, divisor)
        try:
            whole = _whole(units, smallest, rounding=rounding)
        except ValueError as reason:
            wrong.append(f"{read.source}, line {row.line}: the weight divided by {divisor} {reason}.")
            continue
        error = max(error, abs(whole - units) / units)
        found[file] = weights.weight_of(whole)
    if wrong:
        raise BadInput(*wrong)
    return found, error


def hashed(place: Path, file: str, size_max: int) -> tuple[int, str]:
    """Return the size and the SHA-256 of a file.  Raise Unreadable."""
    content = folder.read(place, file, size_max)
    return len(content), sha256(content).hexdigest()


def first_of_each(pictures: Iterable[Picture]) -> tuple[list[Picture], list[tuple[Picture, Picture]]]:
    """Return the pictures without those whose bytes came before, and these, each with the one that came before."""
    first: dict[str, Picture] = {}
    repeated = []
    for picture in pictures:
        if picture.sha256 in first:
            repeated.append((picture, first[picture.sha256]))
        first.setdefault(picture.sha256, picture)
    return list(first.values()), repeated


def _csv(place: Path, source: Path | None) -> tuple[str, bytes | None]:
    """Return the name and the content of the CSV file.  One that was named must be there."""
    if source is None:
        return weights_csv.NAME, folder.read_or_none(place, weights_csv.NAME, weights_csv.BYTES_MAX)
    path = Path(os.path.realpath(source))
    content = folder.read_or_none(path.parent, path.name, weights_csv.BYTES_MAX)
    if content is None:
        raise BadInput(f"There is no file {source}; name the CSV file as it is called from here.")
    return source.name, content


def _whole(units: Fraction, smallest: int, *, rounding: bool) -> int:
    if units >= weights.UNITS:
        raise ValueError(f"is not below 1; say --divide-by {smallest}")
    if rounding:
        return weights.rounded(units)
    if units.denominator != 1:
        raise ValueError("has more than 9 decimals; --round rounds it, or write it with fewer digits")
    return int(units)
