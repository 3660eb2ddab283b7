"""`python -m tools.install LOCK [OPTIONS]`: say what this lock takes, then install it into this virtual environment.

The Makefile calls this when nothing is installed yet, so it uses the standard library only. OPTIONS go to pip.
"""

import re
import subprocess
import sys
import time
from pathlib import Path

MEGABYTES = {"run": 100, "test": 750, "sam": 250}  # that the installed packages take, without bytecode
SECONDS = {"run": 15, "test": 60, "sam": 40}  # with 2 quiet cores and a fast connection
PACKAGE = re.compile(r"^[a-z0-9][\w.-]*(\[.*\])?==", re.MULTILINE)


def announcement(lock: Path, folder: str) -> str:
    """Return the sentence that says what is going to be installed, how much, and how long that takes."""
    packages, name = len(PACKAGE.findall(lock.read_text(encoding="utf-8"))), lock.stem
    return (
        f"Installing the {packages} packages of {lock} into {folder} ({MEGABYTES[name]} MB). "
        f"This takes about {SECONDS[name]} seconds, or longer on a slow connection. Later calls skip it."
    )


def main(lock: str, *options: str) -> int:
    """Install the lock and return pip's exit code."""
    print(announcement(Path(lock), Path(sys.prefix).name), file=sys.stderr, flush=True)
    started = time.monotonic()
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    code = subprocess.run([*pip, *options, "-r", lock], check=False).returncode  # noqa: S603 (ours)
    if not code:
        print(f"Installed in {time.monotonic() - started:.0f} seconds.", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
