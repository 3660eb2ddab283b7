"""openapi.yaml against a running petAPI: Schemathesis asks as tests/schemathesis.toml says, `make run` answers.

`make contract` prints its report: examples, edges and random values of each operation, then walks along the links.
Exit code 1 for an answer that the contract does not have, and for fewer requests than CASES_MIN.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from subprocess import PIPE, STDOUT

from tests.support.local_service import ROOT, LocalService

CASES_MIN = 2000  # requests; fewer mean that a phase was left out
TIME_MAX = 1800.0  # seconds until a hanging run is ended; a quiet machine needs 45
ANY_LABEL = {"LABELS": "*"}
TESTS = ROOT / "tests"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}  # of tests.support, whose hooks Schemathesis imports


def run(contract: Path = ROOT / "openapi.yaml", *options: str) -> tuple[int, str]:
    """The exit code, and the report; `options` are more of Schemathesis', to ask less."""
    schemathesis = [sys.executable, "-m", "schemathesis.cli", "--config-file", TESTS / "schemathesis.toml", "run"]
    command = [*schemathesis, contract, "--no-color", *options]
    with tempfile.TemporaryDirectory() as folder, LocalService(Path(folder) / "data", variables=ANY_LABEL) as service:
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
