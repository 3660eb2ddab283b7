"""What a process of a function runs: it calls the handler for each event that it is sent.

`make run` sends events and receives answers through pipes, as messages (calls.py).  A message is a line of JSON,
`[value, bytes]`, and then that many bytes: the body of the event or of the answer, which is a picture most of the time.
So neither process searches a picture for characters to escape, or for the end of a line.

The text of this module is the script of the process.  It imports nothing but Python's library, because the functions
find their modules in other folders than `make run` does.
"""

import fcntl
import importlib
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any

UTF8 = ("utf-8", "surrogatepass")  # JSON keeps halves of surrogate pairs, too
PIPE = 1 << 19  # bytes that may wait in a pipe: a picture; Linux has 64 kB


def message(value: dict[str, Any], body: str | None) -> bytes:
    """Return a message with this value. Its body, if it is a text, may have any size."""
    content = b"" if body is None else body.encode(*UTF8)
    return json.dumps([value, -1 if body is None else len(content)]).encode() + b"\n" + content


def without_body(carrier: Any) -> tuple[Any, str | None]:
    """Return an event or an answer of a function without its body, and the body if it is a text."""
    if isinstance(carrier, dict) and isinstance(body := carrier.get("body"), str):
        return {**carrier, "body": None}, body
    return carrier, None


def with_body(carrier: Any, body: bytes | None) -> Any:
    """Return an event or an answer with the body that came after it."""
    return carrier if body is None else {**carrier, "body": body.decode(*UTF8)}


@dataclass(frozen=True, slots=True)
class Context:
    """The context of a call, as Lambda has it."""

    aws_request_id: str
    invoked_function_arn: str
    function_name: str
    function_version: str
    memory_limit_in_mb: int
    log_group_name: str
    log_stream_name: str
    ends: float

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until Lambda ends the process."""
        return max(0, int((self.ends - time.time()) * 1000))


def answer(handler: Callable[[Any, Context], Any], event: Any, context: Context) -> bytes:
    """Call the handler. Return the message with what it returned or raised."""
    try:
        result, body = without_body(handler(event, context))
        return message({"status": "ok", "result": result}, body)
    except Exception as error:
        return message({"status": "error", "error": str(error), "trace": traceback.format_exc()}, None)


def serve(incoming: IO[bytes], outgoing: IO[bytes]) -> None:
    """Load the function that the first line names, and call it for each message until there are no more."""
    function = json.loads(incoming.readline())
    try:
        handler = _load(function)
    except Exception as error:
        _send(outgoing, json.dumps({"status": "error", "error": str(error)}).encode() + b"\n")
        return
    _send(outgoing, json.dumps({"status": "ready"}).encode() + b"\n")
    while line := incoming.readline():
        call, size = json.loads(line)
        event = with_body(call["event"], None if size < 0 else incoming.read(size))
        _send(outgoing, answer(handler, event, _context(function, call)))


def _load(function: dict[str, Any]) -> Callable[[Any, Context], Any]:
    """Import the handler. Modules are looked for where Lambda does: in the code, and then in the layers."""
    os.environ.update(function["env"])
    layers = os.environ.get("_LAMBDA_LAYERS_DIRS", "")
    sys.path[:0] = [
        function["code_dir"],
        *(os.path.join(layer, "python") for layer in layers.split(os.pathsep) if layer),
    ]
    module = importlib.import_module(function["module"])
    handler: Callable[[Any, Context], Any] = getattr(module, function["handler"])
    return handler


def _context(function: dict[str, Any], call: dict[str, Any]) -> Context:
    return Context(
        aws_request_id=call["request_id"],
        invoked_function_arn=call["arn"],
        function_name=function["function_name"],
        function_version=os.environ["AWS_LAMBDA_FUNCTION_VERSION"],
        memory_limit_in_mb=function["memory"],
        log_group_name=f"/aws/lambda/{function['function_name']}",
        log_stream_name=os.environ["AWS_LAMBDA_LOG_STREAM_NAME"],
        ends=time.time() + float(os.environ["_LAMBDA_TIMEOUT"]),
    )


def _send(outgoing: IO[bytes], content: bytes) -> None:
    outgoing.write(content)
    outgoing.flush()


def _own_pipes() -> tuple[IO[bytes], IO[bytes]]:
    """Return the two pipes, and let nothing else use them: what is printed goes to the log."""
    incoming, outgoing = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdout = sys.stderr  # which does not wait for more lines
    with suppress(AttributeError, OSError):  # only Linux has it, up to a limit; then a picture takes several turns
        fcntl.fcntl(outgoing, fcntl.F_SETPIPE_SZ, PIPE)
    return incoming, outgoing


if __name__ == "__main__":
    serve(*_own_pipes())
