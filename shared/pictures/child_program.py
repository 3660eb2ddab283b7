"""The program of a child interpreter: limit yourself, read a picture, do the task with it, write the pixels.

The task is an argument and the picture all of the input, so that neither process copies the picture.  Only child.py
starts it.  Without a handler, SIGPROF ends the process when its CPU time is over, also within a decoder.
"""

import ctypes
import errno
import json
import resource
import signal
import sys
from contextlib import suppress
from typing import Any

from shared.pictures import budget
from shared.pictures.budget import CannotBeShown, TooMuchMemory
from shared.pictures.child import READY
from shared.pictures.task import Task


def main() -> None:
    """Answer one task."""
    task = Task(**json.loads(sys.argv[2]))
    _limit(task.seconds)
    from shared.pictures.frames import decode

    out = sys.stdout.buffer
    out.write(READY)
    out.flush()
    try:
        picture = decode(sys.stdin.buffer.read(), task)
    except CannotBeShown as error:
        failed = TooMuchMemory if _lacked_memory() else type(error)
        _write({"failed": failed.__name__}, b"")
    else:
        _write({"mode": picture.mode, "width": picture.width, "height": picture.height}, picture.tobytes())


def _limit(seconds: float) -> None:
    signal.setitimer(signal.ITIMER_PROF, seconds)
    with suppress(ValueError, OSError):  # macOS does not have this limit
        resource.setrlimit(resource.RLIMIT_AS, (budget.MEMORY, budget.MEMORY))


def _lacked_memory() -> bool:
    """Return whether the last call of the C library that failed found no memory.

    libwebp and libjpeg report a lack of memory as a picture that is broken.
    """
    with suppress(AttributeError):  # the name on Linux
        location = ctypes.PyDLL(None).__errno_location
        location.restype = ctypes.POINTER(ctypes.c_int)
        return bool(location().contents.value == errno.ENOMEM)
    return False


def _write(head: dict[str, Any], content: bytes) -> None:
    sys.stdout.buffer.write(json.dumps(head).encode() + b"\n" + content)
    sys.stdout.buffer.flush()
