"""`make notebook`: execute docs/client.py on a `make run` with data of its own, and write docs/client.ipynb.

The cells run in a virtual environment of their own, whose Python is the argument.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support.local_service import ROOT, LocalService

SOURCE, NOTEBOOK = ROOT / "docs/client.py", ROOT / "docs/client.ipynb"
VARIABLES = {"LABELS": "*", "ENCODER": "lite0", "RECOGNISER": "lite0"}


def main(python: str) -> int:
    """Return the exit code: 0 if all cells have succeeded, and the notebook is written."""
    with tempfile.TemporaryDirectory() as folder, LocalService(Path(folder) / "data", variables=VARIABLES) as service:
        service.be_patient()
        command = [python, "-m", "tools.notebook.execute", str(SOURCE), str(NOTEBOOK)]
        environment = {**os.environ, "PETAPI_URL": service.url, "PETAPI_TOKEN": ""}
        code = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode  # noqa: S603 (ours)
    if not code:
        size = NOTEBOOK.stat().st_size
        print(f"Wrote {NOTEBOOK.relative_to(ROOT)} ({size / 1e6:.2f} MB).")
    return code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
