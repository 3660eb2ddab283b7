"""The pages of the documentation: their blocks of commands, links and words, and a shell that runs the commands.

A block of commands begins with ```sh.  What follows on that line marks it: `aws` needs an account, `slow` takes
minutes, and neither is run; `search` needs the models of lite0 and `mosaic` the tiles of two dozen photographs, and
each is run by a test of its own.  A number such as
`409` announces that a request ends with this error status.
"""

import os
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
PAGES = (
    README,
    *(
        ROOT / name
        for name in ("CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "costs/README.md", "client/README.md")
    ),
    *sorted((ROOT / "docs").rglob("*.md")),
)
MARKS = frozenset({"aws", "slow", "search", "mosaic"})
TRACKED = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
PRINTED_URL = "http://127.0.0.1:3000"
TIMEOUT = 900  # seconds; the commands of a page take a few, and a page that hangs ends

FENCE = re.compile(r"^(?P<indent> *)```(?P<info>[^\n]*)\n(?P<text>.*?)^ *```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]+`")
LINK = re.compile(r"(?<!\\)\]\((?P<target>[^)\s]+)\)")
HEADING = re.compile(r"^#+ (?P<title>.*)$", re.MULTILINE)
HEADING_BELOW = re.compile(r"^##+ ", re.MULTILINE)
TELLS = re.compile(r"((?:`\$?[A-Z_]+`(?:, | and ))*`\$?[A-Z_]+`) (?:is|are|has|have) ")  # "`TOKEN` is a token", say
PATH = f"{sys.prefix}/bin:{os.environ['PATH']}"  # where the programs are
STATUSES = re.compile(r"[45][0-9]{2}")
STATUS = re.compile(r"^request: (?P<status>[0-9]{3}) (?P<method>[A-Z]+) (?P<url>\S+)$", re.MULTILINE)

# Programs that come before those of the system while commands run: curl also says on its standard error what became of
# each request; make installs nothing, because the tests' own environment has everything, and petapi is the one in it.
PROGRAMS = {
    "curl": r"-sS --write-out '%{stderr}request: %{response_code} %{method} %{url_effective}\n'",
    "make": '-o "$VENV/run.installed" -o "$VENV/client.installed" -o "$VENV/bin/pip" -o "$VENV/bin/python"',
    "petapi": "",
}


@dataclass(frozen=True, slots=True)
class Block:
    """Commands of a page, as they are printed, how the block is marked, and the error statuses that it announces."""

    page: Path
    line: int
    marks: frozenset[str]
    text: str
    statuses: tuple[int, ...] = ()

    @property
    def runs(self) -> bool:
        """Whether the commands need neither an account nor minutes."""
        return not self.marks

    def __str__(self) -> str:
        return f"{name_of(self.page)}:{self.line}"


@dataclass(frozen=True, slots=True)
class Request:
    """A request that the commands made, and the status of its response."""

    status: int
    method: str
    url: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the commands of a page ended, what they printed, and the requests that they made."""

    code: int
    printed: str
    errors: str
    requests: tuple[Request, ...]

    @property
    def refused(self) -> list[int]:
        """Return the error statuses, in the order of the requests."""
        return [request.status for request in self.requests if request.status >= 400]


@cache
def text_of(page: Path) -> str:
    """Return the text of a page."""
    return page.read_text(encoding="utf-8")


def name_of(page: Path) -> str:
    """Return the page's path in the repository."""
    return str(page.relative_to(ROOT))


def prose_of(page: Path) -> str:
    """Return the text without blocks of code, on one line."""
    return " ".join(FENCE.sub("", text_of(page)).split())


def blocks(page: Path) -> list[Block]:
    """Return the blocks of commands, in order; AssertionError if one has an unknown mark."""
    found = []
    for match in FENCE.finditer(text_of(page)):
        language, *marks = match["info"].split() or [""]
        if language == "sh":
            line = text_of(page).count("\n", 0, match.start()) + 1
            statuses = tuple(int(mark) for mark in marks if STATUSES.fullmatch(mark))
            kinds = frozenset(mark for mark in marks if not STATUSES.fullmatch(mark))
            assert kinds <= MARKS, f"{page.name}:{line} is marked {marks}"
            found.append(Block(page, line, kinds, textwrap.dedent(match["text"]), statuses))
    return found


def announced(commands: Iterable[Block]) -> list[int]:
    """Return the error statuses that the blocks announce."""
    return [status for block in commands for status in block.statuses]


def run(commands: Iterable[Block], url: str, folder: Path, variables: Mapping[str, str] | None = None) -> Outcome:
    """Run the commands with bash, one after the other, against the service at `url`.

    They run in `folder`, which looks like the top of the repository, so that the files that they write stay there.
    """
    _furnish(folder)
    script = "set -eu\n" + "\n".join(block.text for block in commands).replace(PRINTED_URL, url)
    environment = {
        **os.environ,
        "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
        "PORT": url.rpartition(":")[2],
        "PETAPI_URL": url,
        "VENV": sys.prefix,
        **(variables or {}),
    }
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT,
    )
    requests = tuple(Request(int(m["status"]), m["method"], m["url"]) for m in STATUS.finditer(done.stderr))
    return Outcome(done.returncode, done.stdout, done.stderr, requests)


def told(block: Block) -> set[str]:
    """Return the variables of which the page says what they are, up to the end of the block's section."""
    text = text_of(block.page)
    start = sum(map(len, text.splitlines(keepends=True)[: block.line]))
    ends = HEADING_BELOW.search(text, start)
    before = " ".join(FENCE.sub("", text[: ends.start() if ends else len(text)]).split())
    return {name for names in TELLS.findall(before) for name in re.findall(r"[A-Z_]+", names)}


def links(page: Path) -> Iterator[str]:
    """Yield the targets of the page's links, outside of code."""
    for match in LINK.finditer(CODE.sub("", FENCE.sub("", text_of(page)))):
        yield match["target"]


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub gives the headings of a page."""
    titles = [match["title"] for match in HEADING.finditer(FENCE.sub("", text_of(page)))]
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def code_spans(page: Path) -> list[str]:
    """Return what stands in backticks, outside of blocks."""
    return [span.strip("`") for span in CODE.findall(FENCE.sub("", text_of(page)))]


def table(page: Path, first_heading: str) -> list[list[str]]:
    """Return the rows of the table whose first column has this heading, without the heading."""
    lines = text_of(page).splitlines()
    heading = re.compile(rf"\| +{re.escape(first_heading)} +\|")
    (start,) = [i for i, line in enumerate(lines) if heading.match(line)]
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def _furnish(folder: Path) -> None:
    """Link what the repository has into the folder, and put the PROGRAMS there."""
    folder.mkdir(exist_ok=True)
    for source in ROOT.iterdir():
        if not source.name.startswith(".") and not (folder / source.name).exists():
            (folder / source.name).symlink_to(source)
    (folder / "bin").mkdir(exist_ok=True)
    for name, arguments in PROGRAMS.items():
        program = folder / "bin" / name
        program.write_text(f"#!/bin/sh\nexec '{shutil.which(name, path=PATH)}' {arguments} \"$@\"\n")
        program.chmod(0o755)
