"""What `make corpus` prints: how many files were taken, the sentences of the refusals, and all that is wrong."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from tools.corpus.run import Checked

NUMBER = re.compile(r"\d[\d,]*")


def lines(checked: Sequence[Checked], folder: Path, *, looked: bool, read_again: bool) -> Iterator[str]:
    """Yield the report. `looked` says whether Chromium looked at the pictures, `read_again` whether exiftool did."""
    taken = [each for each in checked if each.taken]
    yield f"{len(checked)} files of {folder}"
    yield f"{len(taken)} taken{_times(taken)}"
    yield f"{len(checked) - len(taken)} refused"
    for (status, sentence), count in sentences(checked).most_common():
        yield f"{count:6} x {status} {sentence}"
    yield from _listed("to look at", [(each.path, note) for each in checked for note in each.notes], folder)
    wrong = [(each.path, what) for each in checked for what in each.wrong]
    yield from _listed("WRONG", wrong, folder)
    if not looked:
        yield "Chromium did not look at the pictures, because there is none; CHROMIUM can name one."
    if not read_again:
        yield "exiftool did not look for private metadata, because it is not installed."
    if not wrong:
        alike = " Chromium shows each picture as it was sent, and thumbnails like it." if looked and taken else ""
        yield f"PASSED: no server error, and no taken picture is damaged.{alike}"


def sentences(checked: Sequence[Checked]) -> Counter[tuple[int, str]]:
    """Count the sentences of the refusals. Those that differ in numbers only are one."""
    return Counter(
        (each.received.status, NUMBER.sub("N", each.received.sentence)) for each in checked if not each.taken
    )


def line(checked: Checked, folder: Path) -> str:
    """Return what came of one file, on one line."""
    became = checked.received.image_id or checked.received.sentence
    return f"{checked.path.relative_to(folder)}: {checked.received.status} {became} ({checked.seconds * 1000:.0f} ms)"


def _times(taken: Sequence[Checked]) -> str:
    if not taken:
        return ""
    slowest = max(taken, key=lambda each: each.seconds)
    middle = median(each.seconds for each in taken)
    return f" (median {middle * 1000:.0f} ms, slowest {slowest.seconds * 1000:.0f} ms: {slowest.path.name})"


def _listed(title: str, found: Sequence[tuple[Path, str]], folder: Path) -> Iterator[str]:
    if found:
        yield f"{title}:"
        for path, what in found:
            yield f"    {path.relative_to(folder)}: {what}"
