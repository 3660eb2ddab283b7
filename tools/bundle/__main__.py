"""python -m tools.bundle <LogicalId> <folder>: fill the folder with what this resource of template.yaml ships.

That is our code, the locked libraries that only it needs, and the bytecode of both. Lambda cannot write bytecode, so
without it every cold start would compile everything.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tools.bundle import botocore_data, imports, interpreters

ROOT = Path(__file__).resolve().parent.parent.parent

LAYER = "LibrariesLayer"
# A function's logical id and its folder, in template.yaml: read as text, because the build has no library for YAML.
FUNCTION = re.compile(
    r"^  (\w+):\n    Type: AWS::Serverless::Function\n(?:    .*\n)*?      CodeUri: (\w+)/$", re.MULTILINE
)
NOT_SHIPPED = shutil.ignore_patterns("__pycache__", ".*", "IAM__policy.json")
CPUS = {"x86_64": "x86_64", "arm64": "aarch64"}  # Lambda's names and the wheels'
PLATFORMS = ("manylinux2014", "manylinux_2_17", "manylinux_2_28")  # pip assumes none; Lambda has glibc 2.34


def folders() -> dict[str, str]:
    """Return each function's folder by its logical id."""
    return dict(FUNCTION.findall((ROOT / "template.yaml").read_text(encoding="utf-8")))


def build(logical_id: str, target: Path) -> None:
    """Fill `target` with what this resource ships."""
    python = interpreters.find()
    if logical_id == LAYER:
        _layer(python, target / "python")
    else:
        _function(python, folders()[logical_id], target)


def _layer(python: str, place: Path) -> None:
    """Build the layer: the libraries that every function needs."""
    _install(python, "layer", place)
    botocore_data.prune(place)
    imports.lighten(place)
    _compile(python, place, "/opt/python")


def _function(python: str, folder: str, place: Path) -> None:
    """Build a function: its code, `shared/`, and the libraries that not every function needs.

    All of our code is in one package, so that a deploy never runs new code with old.
    """
    if (ROOT / "requirements" / f"{folder}.txt").exists():
        _install(python, folder, place)
        _remove_tests(place)
    imports.lighten(place)
    shutil.copytree(ROOT / folder, place, ignore=NOT_SHIPPED, dirs_exist_ok=True)
    shutil.copytree(ROOT / "shared", place / "shared", ignore=NOT_SHIPPED, dirs_exist_ok=True)
    _compile(python, place, "/var/task")


def _install(python: str, lock: str, place: Path) -> None:
    """Install the locked wheels for Lambda, whatever machine this is."""
    place.mkdir(parents=True, exist_ok=True)
    architecture = os.environ.get("ARCHITECTURE") or "x86_64"
    if architecture not in CPUS:
        sys.exit(f"ARCHITECTURE is {architecture}. Use one that Lambda has: {' or '.join(CPUS)}.")
    cpu = CPUS[architecture]
    command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile", "--no-deps"]
    command += ["--only-binary=:all:", "--implementation", "cp", "--python-version", interpreters.VERSION]
    command += [f"--platform={platform}_{cpu}" for platform in PLATFORMS]
    subprocess.run(
        [*command, "--require-hashes", "--target", place, "-r", ROOT / "requirements" / f"{lock}.txt"], check=True
    )
    shutil.rmtree(place / "bin", ignore_errors=True)


def _remove_tests(place: Path) -> None:
    """Remove the libraries' own tests: of numpy, they are a quarter."""
    for folder in [path for path in place.rglob("tests") if path.is_dir()]:
        shutil.rmtree(folder)


def _compile(python: str, place: Path, runtime_place: str) -> None:
    """Compile to bytecode that Python does not check against the source.

    Files in the zip are dated 1980, so dated bytecode would never match. The bytecode names the place where it will be,
    which is faster than having Python correct it at each import.
    """
    command = [python, "-m", "compileall", "-q", "-f", "--invalidation-mode", "unchecked-hash"]
    subprocess.run([*command, "-s", place, "-p", runtime_place, place], check=True)


if __name__ == "__main__":
    try:
        build(sys.argv[1], Path(sys.argv[2]))
    except interpreters.NoneFound as error:
        sys.exit(str(error))
    except subprocess.CalledProcessError as error:
        sys.exit(f"{sys.argv[1]} is not built, because {error.cmd[2]} failed. Its message is above.")
