"""Node.js: which versions what npm installs here needs, and what it installs from tests/clients/package-lock.json."""

import re
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
# Of redocly, which takes the most: from 20.19 or 22.12 on, and not 21.
VERSION = re.compile(r"v(?P<major>\d+)\.(?P<minor>\d+)\.")
LEAST = {20: 19, 22: 12}
CI = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier")


def why_not() -> str:
    """Return why the packages cannot be used here, or an empty text."""
    if not (shutil.which("node") and shutil.which("npm")):
        return "there is no Node.js with npm"
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    return "" if is_enough(version) else f"Node.js is {version}, and 20.19 or 22.12 or later is needed"


def is_enough(version: str) -> bool:
    """Return whether the packages run on this version, as `node --version` prints it."""
    found = VERSION.match(version)
    if not found:
        return False
    major, minor = int(found["major"]), int(found["minor"])
    return minor >= LEAST.get(major, 0) if major in LEAST else major > max(LEAST)


def install(folder: Path) -> Path:
    """Install the locked packages into this folder, unless they are there. Return their node_modules."""
    modules, lock = folder / "node_modules", folder / "package-lock.json"
    wanted = (HERE / lock.name).read_text()
    if not (modules / ".package-lock.json").exists() or lock.read_text() != wanted:
        shutil.rmtree(modules, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", lock.name):
            shutil.copy(HERE / name, folder)
        subprocess.run(CI, cwd=folder, check=True)
    return modules
