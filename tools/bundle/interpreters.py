"""Find the Python of the Lambda runtime on this machine. Only the version that makes bytecode can use it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

VERSION = "3.13"


class NoneFound(Exception):
    """This machine has no such Python; the text says what to do."""

    def __init__(self) -> None:
        super().__init__(
            f"The build needs Python {VERSION} with pip, the version of the Lambda runtime. Put python{VERSION} on the "
            "PATH, or build in AWS's image: sam build --use-container"
        )


def find() -> str:
    """Return the first interpreter of that version. Raise NoneFound if there is none."""
    for candidate in _candidates():
        if _fits(candidate):
            return candidate
    raise NoneFound


def _candidates() -> Iterator[str]:
    yield sys.executable
    if on_path := shutil.which(f"python{VERSION}"):
        yield on_path
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    for path in sorted(pyenv.glob(f"versions/{VERSION}.*/bin/python")):  # not on the PATH
        yield str(path)


def _fits(candidate: str) -> bool:
    """Return whether it runs (a shim may not), has the version, and has pip."""
    question = f"import sys, pip; sys.exit('%d.%d' % sys.version_info[:2] != '{VERSION}')"
    try:
        return subprocess.run([candidate, "-c", question], capture_output=True, check=False).returncode == 0
    except OSError:
        return False
