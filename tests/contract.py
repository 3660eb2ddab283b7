"""Test a running petAPI against openapi.yaml: Schemathesis, configured by tests/schemathesis.toml, against `make run`.

`make contract` prints the report: examples, edge cases and random values of each operation, then walks along the links.
The exit code is 1 for an answer outside the contract, and for fewer requests than CASES_MIN.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from subprocess import PIPE, STDOUT

from tests.support import lite0_models
from tests.support.local_service import ROOT, LocalService

CASES_MIN = 2000  # requests; with fewer, a phase was left out
TIME_MAX = 1800.0  # seconds until a hanging run is ended; a quiet machine needs 45
CHOICES = {"LABELS": "*", "ENCODER": "lite0"}
TESTS = ROOT / "tests"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}  # so that Schemathesis finds the hooks in tests.support


def run(contract: Path = ROOT / "openapi.yaml", *options: str) -> tuple[int, str]:
    """Run Schemathesis. Return the exit code and the report. `options` can restrict what it sends."""
    schemathesis = [sys.executable, "-m", "schemathesis.cli", "--config-file", TESTS / "schemathesis.toml", "run"]
    command = [*schemathesis, contract, "--no-color", *options]
    choices = {**CHOICES, "LITE0_MODELS": str(lite0_models.folder())}
    with tempfile.TemporaryDirectory() as folder, LocalService(Path(folder) / "data", variables=choices) as service:
        service.be_patient()
        command += ["--url", service.url]
        done = subprocess.run(
            command, cwd=TESTS, env=ENVIRONMENT, stdout=PIPE, stderr=STDOUT, text=True, check=False, timeout=TIME_MAX
        )
    cases = sum(map(int, re.findall(r"(\d+) generated", done.stdout)))
    enough = f"Only {cases} requests were made, not {CASES_MIN}.\n" if cases < CASES_MIN else ""
    return int(bool(done.returncode or enough)), done.stdout + enough


if __name__ == "__main__":
    code, report = run()
    print(report, end="")
    sys.exit(code)
