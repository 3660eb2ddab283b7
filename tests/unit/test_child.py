"""The child interpreter that decodes a picture: its limits, its failures, and that nothing of it is left."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from shared import deadline
from shared.errors import Unavailable, UnsupportedMediaType
from shared.pictures import budget, child, decoding
from shared.pictures.budget import CannotBeShown, Inconsistent, TooMuchMemory, TooMuchTime
from shared.pictures.showing.shown import shown
from shared.pictures.stripping import strip
from shared.pictures.stripping.strip_jpeg import MAX_SCANS
from shared.pictures.task import Task
from tests.support import pictures
from tests.support.heaviest import animated_webp
from tests.support.heavy_pictures import groups_webp, lossless_webp, progressive_jpeg

LOSSLESS = pictures.webp(lossless=True)
WHOLE = Task(256, 24, 16, 1)


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    """Assert that no descriptor and no child process, dead or alive, is left."""
    before = open_files(), children()
    yield
    assert (open_files(), children()) == before


def open_files() -> int:
    return len(os.listdir("/dev/fd"))


def children() -> set[int]:
    """Return the child processes of this one, also those that have ended and for which nobody has waited."""
    done = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,comm="], check=True, capture_output=True, text=True)
    found = [line.split(maxsplit=2) for line in done.stdout.splitlines()]
    return {int(pid) for pid, parent, name in found if int(parent) == os.getpid() and name != "ps"}


def program(monkeypatch: pytest.MonkeyPatch, does: str) -> None:
    """Let the child say that it is ready, and do this then."""
    ready = f"import os, signal, sys, time; os.write(1, {child.READY!r}); "
    monkeypatch.setattr(child, "MAIN", ready + does)


@pytest.mark.parametrize("data", [LOSSLESS, pictures.animated_webp(), pictures.webp(mode="RGBA")])
def test_a_child_shows_what_this_process_shows(data: bytes) -> None:
    found, wanted = child.decode(data, Task(16)), shown(data, 16)
    assert (found.mode, found.width, found.height) == (wanted.mode, *wanted.size)
    assert found.content == wanted.tobytes()


def test_a_child_imports_from_where_its_parent_does(tmp_path: Path) -> None:
    """Start a parent without the virtual environment's paths, in another folder, as under Lambda."""
    (tmp_path / "picture").write_bytes(LOSSLESS)
    code = (
        f"import sys; sys.path[:] = {sys.path!r}; from shared.pictures import child; "
        "from shared.pictures.task import Task; "
        "print(child.decode(open('picture', 'rb').read(), Task(9)).width)"
    )
    command = [sys.executable, "-I", "-S", "-c", code]
    assert subprocess.run(command, cwd=tmp_path, env={}, check=True, capture_output=True).stdout == b"9\n"


def test_a_child_has_no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    seen = tmp_path / "variables"
    program(monkeypatch, f"open({str(seen)!r}, 'w').write(' '.join(os.environ))")
    with pytest.raises(CannotBeShown):
        child.decode(LOSSLESS, WHOLE)
    assert set(seen.read_text().split()) - {"LC_CTYPE"} == {"LD_LIBRARY_PATH"}  # Python itself may set LC_CTYPE


@pytest.mark.parametrize(
    ("task", "failure"),
    [(Task(256, 24, 17, 1), Inconsistent), (Task(256, 24, 16, 2), Inconsistent), (WHOLE, CannotBeShown)],
)
def test_the_childs_refusal_arrives(task: Task, failure: type[CannotBeShown]) -> None:
    data = LOSSLESS[: len(LOSSLESS) // 2] if failure is CannotBeShown else LOSSLESS
    with pytest.raises(CannotBeShown) as caught:
        child.decode(data, task)
    assert type(caught.value) is failure


def test_work_beyond_the_seconds_is_ended() -> None:
    with pytest.raises(TooMuchTime, match=r"more than 0\.2 seconds of computing"):
        child.decode(lossless_webp(4_096, 4_096), Task(256, seconds=0.2))


def test_work_beyond_the_memory_is_ended() -> None:
    """Send a picture of so many groups of codes that libwebp asks for 1.2 GB, and calls it broken if it gets none."""
    with pytest.raises(TooMuchMemory):
        child.decode(groups_webp(1_024, 65_536, large=True), Task(256))


CRASHES = {
    "a segmentation fault": "os.kill(os.getpid(), signal.SIGSEGV)",
    "an abort": "os.abort()",
    "no answer": "os._exit(0)",
    "a failure": "os._exit(1)",
    "bytes": "os.write(1, bytes(range(256)))",
    "a list": "os.write(1, b'[1]\\n')",
    "a number": "os.write(1, b'7\\n')",
    "no size": """os.write(1, b'{"mode": "RGB"}\\n')""",
    "another mode": """os.write(1, b'{"mode": "P", "width": 1, "height": 1}\\n1')""",
    "too few pixels": """os.write(1, b'{"mode": "RGB", "width": 9, "height": 9}\\n123')""",
    "too many pixels": """os.write(1, b'{"mode": "RGB", "width": 1, "height": 1}\\n1234')""",
    "a larger picture": """os.write(1, b'{"mode": "RGB", "width": 999, "height": 0}\\n')""",
    "an endless picture": """os.write(1, b'{"mode": "RGB", "width": Infinity, "height": 1}\\n')""",
    "deep lists": "os.write(1, b'[' * 50_000)",
    "an unknown failure": """os.write(1, b'{"failed": "Exception"}\\n')""",
}


@pytest.mark.parametrize("does", CRASHES.values(), ids=CRASHES)
def test_a_child_that_crashes_or_answers_anything_else_cannot_show_the_picture(
    does: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(monkeypatch, does)
    with pytest.raises(CannotBeShown) as caught:
        child.decode(LOSSLESS, WHOLE)
    assert type(caught.value) is CannotBeShown


def test_a_child_that_is_stopped_from_outside_is_503(monkeypatch: pytest.MonkeyPatch) -> None:
    program(monkeypatch, "os.kill(os.getpid(), signal.SIGKILL)")
    with pytest.raises(Unavailable):
        child.decode(LOSSLESS, WHOLE)


def test_a_child_that_cannot_start_is_503(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(Unavailable):
        child.decode(LOSSLESS, WHOLE)


def test_a_child_that_ends_before_it_begins_is_503_and_is_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(child, "MAIN", "import nothing_of_this_name")
    with pytest.raises(Unavailable):
        child.decode(LOSSLESS, WHOLE)
    assert "did not start: it ended with 1" in caplog.text


def test_a_child_that_waits_is_killed_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "WALL", 0.5)
    program(monkeypatch, "time.sleep(60)")
    start = time.monotonic()
    with pytest.raises(Unavailable):
        child.decode(LOSSLESS, WHOLE)
    assert time.monotonic() - start < 30


def test_a_child_is_killed_at_the_deadline_of_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    program(monkeypatch, "time.sleep(60)")
    start = time.monotonic()
    with deadline.of(Remaining(deadline.LAST_ATTEMPT + 0.5)), pytest.raises(Unavailable):
        child.decode(LOSSLESS, WHOLE)
    assert time.monotonic() - start < 30


def test_no_child_is_started_after_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "Popen", None)
    with deadline.of(Remaining(deadline.LAST_ATTEMPT - 1)), pytest.raises(Unavailable):
        child.decode(LOSSLESS, WHOLE)


class Remaining:
    """A Lambda context with so many seconds left."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        return int(self._seconds * 1000)


def test_a_child_ends_with_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Interrupt the parent while it waits."""
    program(monkeypatch, "time.sleep(60)")

    def interrupted(*_: object, **__: object) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess.Popen, "communicate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        child.decode(LOSSLESS, WHOLE)


def test_many_children_at_once_answer_for_their_own_pictures() -> None:
    sizes = [(20 + number, 10 + number) for number in range(6)]
    data = [pictures.webp(number, size, lossless=True) for number, size in enumerate(sizes)]
    with ThreadPoolExecutor(len(data)) as threads:
        found = list(threads.map(lambda each: child.decode(each, Task(256)), data))
    assert [(pixels.width, pixels.height) for pixels in found] == sizes


def test_what_headers_bound_starts_no_child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "Popen", None)
    for data in (pictures.jpeg(), pictures.png(), pictures.webp(), pictures.animated_png()):
        assert decoding.small(data, 16).size == (16, 11)


def test_a_stored_picture_that_would_be_refused_now_is_shown_by_a_child_if_that_can(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = pictures.jpeg()

    def refuse(*_: object) -> None:
        raise UnsupportedMediaType("img is broken.")

    monkeypatch.setattr(strip, "clean", refuse)
    assert decoding.small(data, 16).size == (16, 11)
    with pytest.raises(CannotBeShown):
        decoding.small(data[:200], 16)


def test_a_check_has_seconds_by_the_size_of_a_webp_and_all_for_the_scans_of_a_jpeg(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given: list[float] = []
    monkeypatch.setattr(decoding, "_decoded", lambda cleaned, task: given.append(task.seconds))
    for webp in (pictures.webp(lossless=True), lossless_webp(4_096, 2_048), lossless_webp(8_192, 6_144, noise=False)):
        decoding.check(strip.clean(webp, "webp"))
    decoding.check(strip.clean(progressive_jpeg(64, 3, MAX_SCANS), "jpg"))
    small, large, largest, scans = given
    assert small == pytest.approx(budget.START_SECONDS, abs=0.001)
    assert large == pytest.approx(0.4 + 0.04 * 8.39 + 0.01 * 3.15, abs=0.01)
    assert largest == scans == budget.CHECK_SECONDS


def test_groups_of_codes_take_a_small_picture_more_seconds_than_it_has() -> None:
    """Sixteen frames take three times their seconds, on slow and fast machines."""
    groups = animated_webp(512, frame=groups_webp(512, 16_384, large=False), frames=16)
    with pytest.raises(TooMuchTime):
        decoding.check(strip.clean(groups, "webp"))
