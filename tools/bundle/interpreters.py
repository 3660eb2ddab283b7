"""The Python of the Lambda runtime on this machine: bytecode is good for the version that made it only."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

VERSION = "3.13"


class NoneFound(Exception):
    """There is no such Python; says what to do."""

    def __init__(self) -> None:
        super().__init__(
            f"The build needs Python {VERSION}, the version of the Lambda runtime, with pip: put python{VERSION} on "
            "the PATH, or build in AWS's image with: sam build --use-container"
        )


def find() -> str:
    """The first interpreter of that version; NoneFound if there is none."""
    for candidate in _candidates():
        if _fits(candidate):
            return candidate
    raise NoneFound


def _candidates() -> Iterator[str]:
    yield sys.executable
    if on_path := shutil.which(f"python{VERSION}"):
        yield on_path
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    for path in sorted(pyenv.glob(f"versions/{VERSION}.*/bin/python")):  # those are not on the PATH
        yield str(path)


def _fits(candidate: str) -> bool:
    """Whether it runs (a shim may not), is of the version and has pip."""
    question = f"import sys, pip; sys.exit('%d.%d' % sys.version_info[:2] != '{VERSION}')"
    try:
        return subprocess.run([candidate, "-c", question], capture_output=True, check=False).returncode == 0
    except OSError:
        return False
