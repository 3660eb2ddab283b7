"""A `make run` with a data folder of its own, for as long as it is needed."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tools.corpus.sending import Unreachable

ROOT = Path(__file__).resolve().parents[2]
READY_MAX = 120.0  # seconds until it is ready
STOP_MAX = 60.0  # seconds until it has ended
PAUSE = 0.2  # seconds between two looks at what it prints


@contextmanager
def own_service() -> Iterator[str]:
    """Run `make run` with a data folder of its own on a free port, and give its URL.  Raise Unreachable if it ends."""
    with TemporaryDirectory() as folder, (Path(folder) / "output").open("w+") as output:
        port = _free_port()
        variables = {
            **os.environ,
            "PORT": str(port),
            "DATA": str(Path(folder) / "data"),
            "TOKENS": "0",
            "ENCODER": "none",
        }
        command = [sys.executable, "-m", "tools.local"]
        run = subprocess.Popen(command, cwd=ROOT, env=variables, stdout=output, stderr=subprocess.STDOUT)  # noqa: S603
        try:
            _wait_until_ready(run, Path(output.name))
            yield f"http://127.0.0.1:{port}"
        finally:
            run.terminate()
            run.wait(STOP_MAX)


def _wait_until_ready(run: "subprocess.Popen[bytes]", output: Path) -> None:
    until = time.monotonic() + READY_MAX
    while "petAPI is ready at" not in output.read_text(encoding="utf-8"):
        if run.poll() is not None or time.monotonic() > until:
            raise Unreachable(f"make run did not start:\n{output.read_text(encoding='utf-8')}")
        time.sleep(PAUSE)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
