"""Calls of functions: messages to their processes and back (function_process.py), within the function's timeout.

ministack's Worker sends and receives lines of JSON, by a thread more for each call.
"""

import json
import logging
import os
import select
import time
from pathlib import Path
from typing import Any

from tools.local import function_process, quotas
from tools.local.function_process import PIPE, message, with_body, without_body

SCRIPT = Path(function_process.__file__).read_text()

functions_log = logging.getLogger("functions")


def invoke(
    worker: Any, event: Any, request_id: str, *, invoked_function_arn: str | None = None, **_: object
) -> dict[str, Any]:
    """Call the function of a Worker. Return what `Worker.invoke` does: `status`, and `result` or `error` and `trace`.

    A result that is larger than Lambda returns is an error.  After an error, the process ends, as ministack's does.
    """
    with worker._lock:
        is_cold = worker._proc is None or worker._proc.poll() is not None
        if is_cold:
            worker._spawn()
        arn = invoked_function_arn or worker.config.get("FunctionArn", "")
        event, body = without_body(event)
        called = message({"event": event, "request_id": request_id, "arn": arn}, body)
        answer = _answer(worker._proc, called, float(worker.config.get("Timeout", 30)))
        if answer["status"] == "error":
            worker.kill()
        elif excess := quotas.excess(answer["result"]):
            functions_log.error("%s %s", worker.func_name, excess)
            answer = {"status": "error", "error": excess, "result": None}
        return {**answer, "cold_start": is_cold, "log": ""}


def _answer(process: Any, called: bytes, timeout: float) -> dict[str, Any]:
    """Send a message to a function's process, and return what it answers, or why it does not."""
    ends = time.monotonic() + timeout
    try:
        _send(process, called, ends)
        answer, body = _receive(process, ends)
    except TimeoutError:
        return {"status": "error", "error": f"Task timed out after {timeout:.2f} seconds"}
    except (EOFError, OSError, ValueError):
        return {"status": "error", "error": "Worker process died"}
    return {**answer, "result": with_body(answer.get("result"), body)}


def _send(process: Any, content: bytes, ends: float) -> None:
    pipe, left = process.stdin.fileno(), memoryview(content)
    os.set_blocking(pipe, False)
    while left:
        _wait(pipe, select.POLLOUT, ends)
        left = left[os.write(pipe, left) :]


def _receive(process: Any, ends: float) -> tuple[dict[str, Any], bytes | None]:
    """Return the value and the body of a message."""
    pipe, content = process.stdout.fileno(), b""
    while b"\n" not in content:
        content += _read(pipe, ends)
    line, _, begun = content.partition(b"\n")
    value, size = json.loads(line)
    parts, left = [begun], size - len(begun)
    while left > 0:
        parts.append(_read(pipe, ends))
        left -= len(parts[-1])
    return value, None if size < 0 else b"".join(parts)


def _read(pipe: int, ends: float) -> bytes:
    """Return what is in the pipe, as soon as there is something. Raise EOFError if there never will be."""
    _wait(pipe, select.POLLIN, ends)
    if content := os.read(pipe, PIPE):
        return content
    raise EOFError


def _wait(pipe: int, event: int, ends: float) -> None:
    """Wait until the pipe is ready for this event. Raise TimeoutError when the time is over."""
    poll = select.poll()
    poll.register(pipe, event)
    if not poll.poll(max(0.0, ends - time.monotonic()) * 1000):
        raise TimeoutError
