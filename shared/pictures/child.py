"""A child interpreter that decodes one picture, and that its parent can end (its own half is child_program.py).

A decoder cannot be interrupted from Python, a limit of CPU time on the function itself would end its runtime, and a
fork beside threads may hang.  So what the headers of a picture do not bound is decoded in a fresh interpreter.  It
limits its own CPU time and memory, and the parent limits the time by the clock.  To start it takes 0.15 seconds.
"""

import json
import logging
import os
import signal
import sys
from dataclasses import dataclass

from shared import deadline
from shared.errors import Unavailable
from shared.pictures import budget
from shared.pictures.budget import CannotBeShown, Inconsistent, TooMuchMemory, TooMuchTime
from shared.pictures.task import Task

logger = logging.getLogger("petapi")

# The child imports from where the parent does, whatever made the parent's path.
MAIN = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from shared.pictures.child_program import main; main()"
READY = b"ready\n"  # what the child writes before it reads
FAILURES = {each.__name__: each for each in (CannotBeShown, Inconsistent, TooMuchMemory)}
# From outside. The child itself ends by SIGPROF if its time is over, and by others if its decoder crashes.
STOPPED = {-signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT, -signal.SIGHUP}
MODES = {"RGB": 3, "RGBA": 4}  # bytes of a pixel


@dataclass(frozen=True, slots=True)
class Pixels:
    """Pixels in rows, RGB or RGBA."""

    mode: str
    width: int
    height: int
    content: bytes


def decode(content: bytes, task: Task) -> Pixels:
    """Decode the picture in a child.

    Raise CannotBeShown for a picture that fails, crashes the decoder or takes more than the budget.  Raise Unavailable
    if the child cannot start, is stopped from outside or does not get its CPU time in time.
    """
    answer, status = _talk(task, content)
    if status == -signal.SIGPROF:
        raise TooMuchTime(task.seconds)
    if status in STOPPED:
        raise Unavailable("The service is too busy to decode this picture now; retry in a moment.")
    if not answer.startswith(READY):
        logger.error("the child interpreter did not start: it ended with %s", status)
        raise Unavailable("The service cannot decode this picture now; retry in a moment.")
    return _pixels(answer.removeprefix(READY), task.side)


def _talk(task: Task, content: bytes) -> tuple[bytes, int]:
    """Start a child, ask it, and return its answer and how it ended. It has ended when this returns or raises."""
    import subprocess  # only here, so that other pictures' first request starts without it

    deadline.check()
    command = [sys.executable, "-I", "-S", "-c", MAIN, json.dumps(sys.path), json.dumps(task._asdict())]
    # A decoder needs its libraries, and no credentials.
    environment = {"LD_LIBRARY_PATH": os.environ.get("LD_LIBRARY_PATH", "")}
    try:
        child = subprocess.Popen(  # noqa: S603 (our own interpreter and program)
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
        )
    except OSError as error:
        raise Unavailable("The service cannot decode this picture now; retry in a moment.") from error
    with child:  # closes the pipes and waits
        try:
            answer, _ = child.communicate(content, timeout=min(budget.WALL, deadline.seconds_left()))
        except subprocess.TimeoutExpired:
            child.kill()
            return b"", -signal.SIGKILL
        except BaseException:
            child.kill()
            raise
    return answer, child.returncode


def _pixels(answer: bytes, side: int) -> Pixels:
    """Read the child's answer: a line of JSON and the pixels. A child that a picture took over may answer anything."""
    head, _, content = answer.partition(b"\n")
    try:
        found = json.loads(head)
        failed = found.get("failed")
        pixels = Pixels(str(found["mode"]), int(found["width"]), int(found["height"]), content) if not failed else None
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        raise CannotBeShown("the decoder crashed") from error
    if pixels is None:
        raise FAILURES.get(str(failed), CannotBeShown)
    if not (0 < max(pixels.width, pixels.height) <= side and _is_complete(pixels)):
        raise CannotBeShown("the decoder gave other pixels than it was asked for")
    return pixels


def _is_complete(pixels: Pixels) -> bool:
    return len(pixels.content) == pixels.width * pixels.height * MODES.get(pixels.mode, 0)
