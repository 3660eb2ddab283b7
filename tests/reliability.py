"""docs/reference/reliability.md: what happens at each fault; `make reliability` writes it."""

import logging
import re
from collections import Counter
from string import Template

from tests.support import fault_matrix
from tests.support.cloud import ROOT
from tests.support.fault_clouds import InMemory
from tests.support.fault_matrix import Operation, Outcome
from tests.support.fault_scene import Scene, staged

PAGE = ROOT / "docs/reference/reliability.md"

INTRODUCTION = """\
# Reliability

Networks lose requests and responses, AWS throttles, and processes die. This page lists what happens to each request
then, for every AWS call that the request makes. `make reliability` measures it and writes this page; the tests compare
the two.

## In short

- **Nothing in between.** After each fault, the images are either as before the request or the request is done.
- **Nothing wrong is served.** Every image is served, every dart hits the right image, and
  [the invariants](../explanation/transactions.md#what-the-tests-check) hold.
- **You can repeat any request.** After a 503, or after no response at all, the same request leads to the same result as
  if nothing had happened.
- **What stays behind is unseen.** At most, versions in the bucket that no image names. They are never served, and
  `make reconcile` removes exactly these.
- **No request took 15 s**, after which Lambda would end it.

$summary

*As usual* is the response that the request has without the fault. *None* means that the process died before it could
respond.

## The index

The index of tiles and vectors follows the images a moment later, so no request waits for it. The same kinds of faults
are injected at each AWS call of `index/`, once before and once after it, and the process dies before and after each
(`tests/index/test_index_faults.py`). Two calls about one image meet at each of their calls
(`tests/index/test_index_meetings.py`).

- **Afterwards, the index equals the rows**: what failed is in the queue or comes again from the stream. Reconciliation
  then finds nothing.
- **A throttled model costs time only**: of 1,000 images whose model answers four of five calls with a throttle, all are
  indexed, and none reaches the dead letters.
- **A bad picture holds up nothing**: one that cannot be decoded, or that the model refuses, is remembered as such, and
  those beside it are indexed.
- **A deleted image is in no answer**, whatever the index says: searches read the rows of what they find.

## How it is measured

No emulator shows these faults: emulators do not throttle, their transactions never meet, and they always respond. So
the tests put an injector between the shipped handlers and AWS, in botocore's `before-send` event, which comes before
every HTTP attempt. The injector passes the attempt on or not, and then returns the response of AWS, an error, nothing,
or ends the process (`tests/faults/`). AWS is the tests' AWS in memory, which `tests/store/test_replay.py` compares with
another engine; a part of the cases also runs on the emulator of `make run`. Time is simulated: a lost message takes the
3 s that botocore waits for it, and botocore's pauses are as long as they may be.

In the tables below:

- **once**: the fault hits the first HTTP attempt of that call. **For good**: it hits every attempt at that service from
  that call on (for a conflict or a cancelled transaction: every transaction).
- **answer**: the status of the response; *none* if the process died. A 503 is `application/problem+json` with
  `Retry-After`.
- **state**: of the images, *as before* the request or *done*. After a 503, a write may be *done*, if only the response
  of AWS was lost; petAPI cannot know.
- **orphans**: versions in the bucket that no image names. Reconciliation removed exactly these and nothing else.
- **again**: the status when the client repeats the request. After that, the state is *done*.

Calls are named by their number in the list above each table.
"""

HEADINGS = ("In short", "The index", "How it is measured")
KINDS = ("as usual", "503", "none")  # of answers
SECTION = re.compile(r"^## ([^\n]*)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
ROW = re.compile(
    r"^\| (?P<title>[^|]*) \| (?P<calls>[0-9, ]+) \| (?P<answer>\w+) \| [^|]* \| (?P<orphans>\d+) \|", re.MULTILINE
)


def introduction(sections: str) -> str:
    """Return what comes before the sections: it sums up their rows by fault."""
    cases, orphans = summed_up(sections)
    head = f"| fault | cases | {' | '.join(KINDS)} | orphans, at most |\n{'|---' * (len(KINDS) + 3)}|\n"
    rows = [
        f"| {title} | {count.total()} | {' | '.join(str(count[kind]) for kind in KINDS)} | {orphans[title]} |\n"
        for title, count in cases.items()
    ]
    total = sum(count.total() for count in cases.values())
    return Template(INTRODUCTION).substitute(summary=f"{total} cases, by fault:\n\n{head}{''.join(rows)}".rstrip())


def summed_up(sections: str) -> tuple[dict[str, Counter[str]], Counter[str]]:
    """Return how often each fault led to each kind of answer, and the orphans that it left at most."""
    usual = {operation.title: str(operation.answer) for operation in fault_matrix.OPERATIONS}
    cases = {fault.title: Counter[str]() for fault in fault_matrix.FAULTS}
    orphans = Counter[str]()
    for title, rows in SECTION.findall(sections):
        for row in ROW.finditer(rows):
            kind = "as usual" if row["answer"] == usual[title] else row["answer"]
            assert kind in KINDS, row[0]
            cases[row["title"]][kind] += row["calls"].count(",") + 1
            orphans[row["title"]] = max(orphans[row["title"]], int(row["orphans"]))
    return cases, orphans


def sections_of(page: str) -> str:
    """Return the part of the page that is measured: everything from the first operation on."""
    return page[page.index(f"\n## {fault_matrix.OPERATIONS[0].title}\n") :]


def section(scene: Scene, operation: Operation) -> str:
    """Return the calls of the operation and its table. Faults with the same outcome at several calls share a line."""
    calls = ", ".join(f"{number} {name}" for number, name in enumerate(fault_matrix.calls_of(scene, operation), 1))
    lines: dict[tuple[str, Outcome], list[str]] = {}
    for fault, number, outcome in fault_matrix.outcomes(scene, operation):
        lines.setdefault((fault.title, outcome), []).append(str(number))
    rows = [
        f"| {title} | {', '.join(numbers)} | {came.answer} | {came.state} | {came.orphans} | {came.again} |\n"
        for (title, came), numbers in lines.items()
    ]
    return (
        f"\n## {operation.title}\n\nCalls: {calls}.\n\n"
        "| fault | at call | answer | state | orphans, all repaired | again |\n|---|---|---|---|---|---|\n"
        + "".join(rows)
    )


def main() -> None:
    """Write the page."""
    logging.disable(logging.CRITICAL)
    with staged(InMemory()) as scene:
        sections = [section(scene, operation) for operation in fault_matrix.OPERATIONS]
    text = "".join(sections)
    PAGE.write_text(introduction(text) + text)


if __name__ == "__main__":
    main()
