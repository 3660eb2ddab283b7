"""weights.csv: which weight, tags and file name each picture of a folder has (RFC 4180).

The columns are `file`, `filename`, `weight` and `tags`, and only the first is required.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from posixpath import normpath

from petapi_client import weights
from petapi_client.cells import escaped, unescaped
from petapi_client.problem import BadInput
from petapi_client.values import Image

NAME = "weights.csv"
COLUMNS = ("file", "filename", "weight", "tags")
BYTES_MAX = 50_000_000  # half a million rows
ABSOLUTE = re.compile(r"/|\\\\|[A-Za-z]:[/\\]")  # in a file system of any kind
UTF8_BOM, UTF16_BOMS = b"\xef\xbb\xbf", (b"\xff\xfe", b"\xfe\xff")

# The rules of the API, so that a row that it would refuse is refused before anything is sent.
TAG = re.compile(r"[a-z][a-z0-9-]{0,31}")
TAGS_MAX = 5
FILENAME = re.compile(r"[^/\\\x00-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]{0,255}")


@dataclass(frozen=True, slots=True)
class Row:
    """What a row says of a file; None where it says nothing.  `line` is the last line of the row in the CSV file."""

    line: int
    file: str
    filename: str | None = None
    weight: Fraction | None = None
    tags: tuple[str, ...] | None = None


def parse(content: bytes, name: str = NAME) -> list[Row]:
    """Parse the CSV file.  Raise BadInput with a sentence for each row that cannot be used."""
    reader = csv.reader(io.StringIO(_text(content, name), newline=""), strict=True)
    rows, wrong = [], []
    try:
        columns = _columns(next(reader, []), name)
        for cells in reader:
            if not any(cells):
                continue
            try:
                rows.append(_row(cells, columns, reader.line_num))
            except ValueError as error:
                wrong.append(f"{name}, line {reader.line_num}: {error}.")
    except csv.Error as error:
        raise BadInput(f"{name}, line {reader.line_num} is no CSV ({error}); save the file as CSV again.") from error
    wrong += _repeated(rows, name)
    if wrong:
        raise BadInput(*wrong)
    return rows


def text_of(images: Iterable[Image]) -> str:
    """Write the rows of images whose files have their names."""
    written = io.StringIO(newline="")
    writer = csv.writer(written)
    writer.writerow(COLUMNS)
    for image in images:
        weight = weights.text_of(image.weight)
        writer.writerow((image.name, escaped(image.filename), weight, " ".join(image.tags)))
    return written.getvalue()


def parse_tags(text: str) -> tuple[str, ...]:
    """Parse tags that spaces or commas separate.  Raise ValueError with the rule that they break."""
    tags = tuple(sorted({tag.lower() for tag in re.split(r"[\s,]+", text) if tag}))
    for tag in tags:
        if not TAG.fullmatch(tag):
            raise ValueError(
                f"tag {tag} must begin with a letter and have at most 32 letters, digits and hyphens, such as fluffy"
            )
    if len(tags) > TAGS_MAX:
        raise ValueError(f"{len(tags)} tags are too many; an image may have {TAGS_MAX}")
    return tags


def _text(content: bytes, name: str) -> str:
    """Decode the file: UTF-8, or UTF-16 as some spreadsheets save it, with or without a byte order mark."""
    encoding = "utf-16" if content[:2] in UTF16_BOMS else "utf-8"
    try:
        return content.removeprefix(UTF8_BOM).decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BadInput(f"{name}, line {line} is not in UTF-8; save the file as CSV in UTF-8.") from error


def _columns(cells: list[str], name: str) -> list[str]:
    columns = [cell.strip().lower() for cell in cells]
    if "file" not in columns:
        separated = " with commas between the columns" if re.search("file[;\t]|[;\t]file", "".join(columns)) else ""
        raise BadInput(f"{name} must begin with the line {','.join(COLUMNS)}{separated}; only file is required.")
    for column in columns:
        if column not in COLUMNS:
            raise BadInput(f"{name} has the unknown column {column or '(empty)'}; it may have {', '.join(COLUMNS)}.")
        if columns.count(column) > 1:
            raise BadInput(f"{name} has the column {column} twice; remove one.")
    return columns


def _row(cells: list[str], columns: list[str], line: int) -> Row:
    if len(cells) != len(columns):
        raise ValueError(
            f"there are {len(cells)} cells for {len(columns)} columns; put a text that has a comma into double quotes"
        )
    given = dict(zip(columns, cells, strict=True))
    weight = given.get("weight", "").strip()
    return Row(
        line,
        _file(unescaped(given["file"])),
        _filename(unescaped(given["filename"])) if "filename" in given else None,
        weights.parse_weight(weight) if weight else None,
        parse_tags(given["tags"]) if "tags" in given else None,
    )


def _file(text: str) -> str:
    """Return the path below the folder in its plainest form."""
    if not text.strip():
        raise ValueError("file is empty; name the file of the row")
    path = normpath(text)
    if ABSOLUTE.match(text) or ".." in re.split(r"[/\\]", text) or "\0" in text or path == ".":
        raise ValueError(f"file {text} leads out of the folder; name a file in it, such as cats/tom.jpg")
    return path


def _filename(text: str) -> str:
    if not FILENAME.fullmatch(text):
        raise ValueError(
            f"filename {text[:80]} may have at most 255 characters, and no /, no \\, no control characters and none "
            "that turn the direction of text"
        )
    return text


def _repeated(rows: Iterable[Row], name: str) -> Iterator[str]:
    lines: dict[str, int] = {}
    for row in rows:
        if row.file in lines:
            yield f"{name}, line {row.line}: {row.file} is in line {lines[row.file]} already; remove one of the rows."
        lines.setdefault(row.file, row.line)
