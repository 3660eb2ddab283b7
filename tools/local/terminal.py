"""What `make run` prints."""

import io
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

README = Path(__file__).resolve().parent.parent.parent / "README.md"
PRINTED_URL = "http://127.0.0.1:3000"
QUICK_START = re.compile(r"^```sh\n(curl .*?)^```", re.MULTILINE | re.DOTALL)  # the first block of such lines
LABEL = re.compile(r"\b(labels?[=/])([a-z][a-z0-9-]*)")


def without_buffers() -> None:
    """Let both streams keep nothing back, which Python would try to write again at the end of the process."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        raw = io.FileIO(stream.fileno(), "w", closefd=False)
        unbuffered: Any = io.TextIOWrapper(raw, stream.encoding, stream.errors, write_through=True)
        setattr(sys, name, unbuffered)


def say(text: str) -> None:
    """Print the text as one write, at once."""
    _write(sys.stdout, text)


def warn(text: str) -> None:
    """Print the text to standard error, as one write, at once."""
    _write(sys.stderr, text)


def _write(stream: TextIO, text: str) -> None:
    """Write what the stream takes. A file on a full disk or a pipe without a reader must not end the service."""
    with suppress(OSError):
        stream.write(f"{text}\n")
        stream.flush()


def quiet(text: str) -> None:
    """Print nothing."""


def ready_text(url: str, data: Path, parameters: Mapping[str, str], *, issuer_command: str) -> str:
    """Return what to say at each start. `issuer_command` prints a token; it is empty if nothing here can."""
    writers = "Every program on this machine"
    if issuer := parameters.get("JwtIssuer"):
        writers = f"A program with a token of {issuer}"
    hint = f" `{issuer_command}` prints a token." if issuer_command else ""
    return (
        f"petAPI is ready at {url}\n"
        f"{writers} may upload and delete.{hint} Other machines cannot reach the service. Ctrl-C stops it.\n"
        f"The data is in {data}, the log in {data}/emulator.log."
    )


def first_steps(url: str, parameters: Mapping[str, str], *, issuer_command: str) -> str:
    """Return what to try first: the lines of the README's quick start, for this service."""
    lines = [_allowed(line.replace(PRINTED_URL, url), parameters["Labels"]) for line in quick_start()]
    if issuer_command:
        lines = [f"TOKEN=$({issuer_command})", *lines]
    if "JwtIssuer" in parameters:
        lines = [line.replace("curl -F", 'curl -H "Authorization: Bearer $TOKEN" -F') for line in lines]
    return "\n  ".join([f"Open {url} in a browser, or try this in a second terminal, in this folder:", *lines])


def quick_start() -> list[str]:
    """Return the lines of the README's quick start; none if there is no README."""
    block = QUICK_START.search(README.read_text(encoding="utf-8")) if README.exists() else None
    return block[1].splitlines() if block else []


def _allowed(line: str, labels: str) -> str:
    """Return the line with the first label that uploads may use, if they may not use the README's."""
    allowed = [label.strip().lower() for label in labels.split(",") if label.strip()]
    return LABEL.sub(lambda found: found[1] + (found[2] if {found[2], "*"} & set(allowed) else allowed[0]), line)
