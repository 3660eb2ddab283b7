"""The first request of a new process of the built function, call by call, without what it waits for.

It is a process of the runtime's Python that imports the handler, as Lambda does, and handles one event.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support import cloud
from tests.support.cloud import ROOT
from tools.bundle import __main__ as bundler
from tools.bundle import interpreters

FUNCTION = "RandomFunction"

# Its processor time is counted from the start of the process on, so this counts a little of the measuring, too.
PROGRAM = """
import json, sys, time
import {module}
sys.path.append({root!r})
from tools.benchmarks.latency.calls import waiting
steps = []
with waiting(lambda operation: steps.append((time.process_time_ns(), operation))):
    began = time.process_time_ns()
    answer = {module}.handler(json.loads(sys.argv[1]), None)
    ended = time.process_time_ns()
assert answer["statusCode"] == 200, answer
print(json.dumps([began, steps, ended]))
"""


@dataclass(frozen=True, slots=True)
class ColdStart:
    """Nanoseconds of processor time: of the import, before each operation that it waits for, and after the last."""

    imports: int
    steps: tuple[tuple[int, str], ...]
    rest: int


class Built:
    """The function as it is shipped, in a folder; it also trusts the certificate of this file."""

    def __init__(self, folder: Path, certificate: Path) -> None:
        self._python = interpreters.find()
        for name in (FUNCTION, bundler.LAYER):
            bundler.build(name, folder / name)
        libraries = folder / bundler.LAYER / "python"
        self._path = f"{folder / FUNCTION}:{libraries}"
        with (libraries / "botocore/cacert.pem").open("ab") as trusted:
            trusted.write(certificate.read_bytes())

    def start(self, event: dict[str, Any], variables: Mapping[str, str]) -> ColdStart:
        """Start it in a new process, and let it handle this event."""
        properties = cloud.functions()[FUNCTION]["Properties"]
        program = PROGRAM.format(module=properties["Handler"].partition(".")[0], root=str(ROOT))
        fallbacks = dict.fromkeys(properties["Environment"]["Variables"], "none")
        own = {"PYTHONPATH": self._path, "PYTHONDONTWRITEBYTECODE": "1", "AWS_LAMBDA_FUNCTION_NAME": FUNCTION}
        command = [self._python, "-s", "-c", program, json.dumps(event)]
        done = subprocess.run(command, env={**fallbacks, **variables, **own}, capture_output=True, check=False)
        if done.returncode:
            sys.exit(done.stderr.decode())
        began, steps, ended = json.loads(done.stdout)
        return _of(began, steps, ended)


def _of(began: int, steps: list[tuple[int, str]], ended: int) -> ColdStart:
    """Return the times between moments of processor time."""
    moments = [began, *(at for at, _ in steps)]
    between = tuple((at - before, operation) for before, (at, operation) in zip(moments, steps, strict=False))
    return ColdStart(began, between, ended - moments[-1])
