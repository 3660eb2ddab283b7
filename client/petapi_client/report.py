"""What has become of an import, and what the user reads of it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from petapi_client import journal
from petapi_client.journal import CONFLICT, DUPLICATE, EXISTING, FAILED, REFUSED, STORED, UPDATED
from petapi_client.problem import one_line

GOOD = (STORED, EXISTING, UPDATED)
BAD = (CONFLICT, REFUSED, FAILED)
WORDS = {STORED: "stored", EXISTING: "were there already", UPDATED: "brought up to date"}
LISTED_MAX = 20  # files that are listed one by one


@dataclass(slots=True)
class Report:
    """Outcomes of the pictures.

    `before` counts those that earlier runs have imported, `left` those that this run has not come to.  `ended_by` is
    what stopped it.
    """

    counts: Counter[str] = field(default_factory=Counter)
    before: int = 0
    left: int = 0
    wrong: list[tuple[str, str]] = field(default_factory=list)  # files, and why they failed
    repeated: list[tuple[str, str]] = field(default_factory=list)  # files, and whose picture they are
    changed: list[tuple[str, str]] = field(default_factory=list)  # files that had other bytes in an earlier run
    interrupted: bool = False
    ended_by: Exception | None = None

    def add(self, file: str, outcome: tuple[str, str, str]) -> None:
        """Note what has become of a file: its status, the image's id, and a sentence."""
        status, _, sentence = outcome
        self.counts[status] += 1
        if status == DUPLICATE:
            self.repeated.append((file, sentence))
        elif status in BAD:
            self.wrong.append((file, sentence))

    @property
    def imported(self) -> int:
        """How many pictures this run has imported."""
        return sum(self.counts[status] for status in GOOD)

    def summary(self) -> str:
        """Return how many pictures have come how far, in one sentence."""
        counted = [f"{self.counts[status]} {WORDS[status]}" for status in GOOD if self.counts[status]]
        others = {"imported before": self.before, "failed": len(self.wrong), "the same as others": len(self.repeated)}
        counted += [f"{count} {what}" for what, count in others.items() if count]
        return f"{', '.join(counted) or ('Nothing is imported' if self.left else 'Nothing to do')}."

    def complaints(self) -> Iterator[str]:
        """Yield a line for each file that the user should look at, and one for the rest if there are many."""
        listed = [*self.wrong, *self.repeated, *self.changed]
        yield from (one_line(f"{file}: {sentence}") for file, sentence in listed[:LISTED_MAX])
        if len(listed) > LISTED_MAX:
            yield f"(and {len(listed) - LISTED_MAX:,} more; {journal.NAME} has them all)"
