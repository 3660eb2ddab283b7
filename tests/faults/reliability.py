"""docs/reference/reliability.md: what each fault comes to; `make reliability` writes it anew."""

import logging
import tempfile
from pathlib import Path

import matrix
from cloud import ROOT
from local_service import LocalService
from matrix import Operation, Outcome
from scene import Scene, staged

PAGE = ROOT / "docs/reference/reliability.md"

INTRODUCTION = """\
# What faults come to

Networks lose requests and answers, AWS throttles, processes die. This page lists what becomes of each request then, for
every AWS call that the request makes. `make reliability` measures it and writes the page; the tests compare the two.

No emulator shows these faults: they do not throttle, their transactions never meet, and they always answer. So the
shipped handlers run on the emulator of `make run`, with the tests' injector in botocore's `before-send` event, which
stands before every HTTP attempt: it sends the attempt or not, then gives AWS's answer, an error, nothing, or ends the
process (`tests/faults/`). Time is the tests', too: what is lost takes the 3 s that botocore waits for it, and
botocore's pauses are as long as they may be. No request took 15 s, after which Lambda would end it.

- **Once**: the fault meets the first HTTP attempt of that call. **For good**: every attempt at that service from that
  call on (a conflict or a cancelled transaction: every transaction).
- **Answer**: what the client got; *none* if the process died. A 503 is `application/problem+json` with `Retry-After`.
- **State**: of the images, either *as before* the request or *done*; never anything in between. A 503 after a lost
  answer may be *done*: nobody can know.
- **Orphans**: versions in the bucket that no image names, which are never served; reconciliation removed exactly these
  and nothing else.
- **Again**: the answer when the client then asks again, after which the state is *done*.

After each fault every image was served, every dart that can be thrown hit the right image, and the counts, totals and
chunks of docs/explanation/draws.md agreed. Calls are named by their number in the list above the table.
"""


def section(scene: Scene, operation: Operation) -> str:
    """The operation's calls and its table; faults that came to the same at several calls share a line."""
    calls = ", ".join(f"{number} {name}" for number, name in enumerate(matrix.calls_of(scene, operation), 1))
    lines: dict[tuple[str, Outcome], list[str]] = {}
    for fault, number, outcome in matrix.outcomes(scene, operation):
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
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalService(Path(folder) / "data") as service,
        staged(service) as scene,
    ):
        sections = [section(scene, operation) for operation in matrix.OPERATIONS]
    PAGE.write_text(INTRODUCTION + "".join(sections))


if __name__ == "__main__":
    main()
