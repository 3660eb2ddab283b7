"""python -m bundle <LogicalId> <folder>: fill the folder with what this resource of template.yaml ships.

Our code, the locked libraries that only it needs, and the bytecode of both: Lambda cannot write any, so without it
every cold start would compile everything.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from bundle import botocore_data, imports, interpreters

ROOT = Path(__file__).resolve().parent.parent

# LogicalId -> our folder, the lock file of its libraries
CONTENTS = {
    "SharedLayer": ("shared", "layer"),
    "UploadFunction": ("upload", "upload"),
    "RandomFunction": ("random", None),
    "DeleteFunction": ("delete", None),
    "ImagesFunction": ("images", "images"),
    "EditFunction": ("edit", None),
    "UploadsFunction": ("uploads", None),
    "ReceiveFunction": ("receive", "receive"),
    "NotifyFunction": ("notify", "notify"),
    "WebFunction": ("web", None),
    "AuthorizeFunction": ("authorize", "authorize"),
}
NOT_SHIPPED = shutil.ignore_patterns("__pycache__", ".*", "IAM__policy.json")
CPUS = {"x86_64": "x86_64", "arm64": "aarch64"}  # Lambda's names and the wheels'
PLATFORMS = ("manylinux2014", "manylinux_2_17", "manylinux_2_28")  # pip takes none for granted; Lambda has glibc 2.34


def build(logical_id: str, target: Path) -> None:
    """Fill `target` with the code, libraries and bytecode of this resource."""
    folder, lock = CONTENTS[logical_id]
    python = interpreters.find()
    is_layer = logical_id == "SharedLayer"
    place = target / "python" if is_layer else target
    place.mkdir(parents=True, exist_ok=True)
    if lock:
        _install(python, ROOT / "requirements" / f"{lock}.txt", place)
    if is_layer:
        botocore_data.prune(place)
    imports.lighten(place)
    shutil.copytree(ROOT / folder, place / folder if is_layer else place, ignore=NOT_SHIPPED, dirs_exist_ok=True)
    _compile(python, place, "/opt/python" if is_layer else "/var/task")


def _install(python: str, lock: Path, place: Path) -> None:
    """The locked wheels for Lambda, whatever machine this is."""
    architecture = os.environ.get("ARCHITECTURE", "x86_64")
    if architecture not in CPUS:
        sys.exit(f"ARCHITECTURE is {architecture}; Lambda has {' and '.join(CPUS)}.")
    cpu = CPUS[architecture]
    command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile", "--no-deps"]
    command += ["--only-binary=:all:", "--implementation", "cp", "--python-version", interpreters.VERSION]
    command += [f"--platform={platform}_{cpu}" for platform in PLATFORMS]
    subprocess.run([*command, "--require-hashes", "--target", place, "-r", lock], check=True)
    shutil.rmtree(place / "bin", ignore_errors=True)


def _compile(python: str, place: Path, runtime_place: str) -> None:
    """Bytecode that is taken unseen: in the zip every file is of 1980, so none that is dated would be.

    It says where it will be, which is quicker than to have that corrected at each import.
    """
    command = [python, "-m", "compileall", "-q", "-f", "--invalidation-mode", "unchecked-hash"]
    subprocess.run([*command, "-s", place, "-p", runtime_place, place], check=True)


if __name__ == "__main__":
    try:
        build(sys.argv[1], Path(sys.argv[2]))
    except interpreters.NoneFound as error:
        sys.exit(str(error))
    except subprocess.CalledProcessError as error:
        sys.exit(f"{sys.argv[1]} is not built: {error.cmd[2]} failed, as it says above.")
