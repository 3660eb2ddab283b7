"""The folder that DATA names: what it contains, who may use it, and whether the last run ended well.

lock               held by `make run`; a second one on the same folder is refused
running            exists during a run; found at a start, it shows that the last run was killed
snapshots/         the emulator's state; snapshots.py
objects/           the objects of the buckets, written as they come
state/             what the emulator loads and saves: at the start the chosen snapshot, later the next one
journal/           the changes of the tables since the last snapshot; journal.py
vectors.db         the vectors that images are found by, written as they come; vectors/
lost/              pictures of a killed run that no image names
reserve            an empty file as large as a snapshot, so that the last snapshot fits on a full disk
tmp/               the functions' unpacked code; emptied at each start
emulator.log       warnings of the emulator, and the functions' log lines
aws.env            address and key of the emulator's AWS endpoints during a run, for scripts
token_issuer.json  the key and the address of the issuer of tokens, with TOKENS=1; local_issuer.py

You may copy, move or delete the folder while nothing runs on it.
"""

import fcntl
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tools.local import durable
from tools.local.refusals import Refusal

TOKEN_ISSUER = "token_issuer.json"  # noqa: S105 (the name of a file)


@dataclass(frozen=True, slots=True)
class DataFolder:
    """The paths in one data folder, and the lock on it."""

    path: Path
    lock: IO[str]

    @property
    def running(self) -> Path:
        """The mark of a run that has not ended."""
        return self.path / "running"

    @property
    def snapshots(self) -> Path:
        """Where snapshots are kept."""
        return self.path / "snapshots"

    @property
    def objects(self) -> Path:
        """The buckets."""
        return self.path / "objects"

    @property
    def state(self) -> Path:
        """The emulator's working copy of its state."""
        return self.path / "state"

    @property
    def journal(self) -> Path:
        """The changes that the last snapshot lacks."""
        return self.path / "journal"

    @property
    def vectors(self) -> Path:
        """The vectors that images are found by. They are no part of a snapshot and may be newer, or missing."""
        return self.path / "vectors.db"

    @property
    def lost(self) -> Path:
        """The pictures that reconciling after a kill has set aside."""
        return self.path / "lost"

    @property
    def reserve(self) -> Path:
        """The room for the last snapshot."""
        return self.path / "reserve"

    @property
    def tmp(self) -> Path:
        """Scratch space of the emulator and the functions."""
        return self.path / "tmp"

    @property
    def log(self) -> Path:
        """The log of the emulator and the functions."""
        return self.path / "emulator.log"

    @property
    def aws_env(self) -> Path:
        """The endpoint and the key, as shell variables."""
        return self.path / "aws.env"

    @property
    def token_issuer(self) -> Path:
        """The private key of the issuer of tokens."""
        return self.path / TOKEN_ISSUER

    def clear(self) -> None:
        """Remove what a start that never became ready has left."""
        for part in (self.state, self.objects):
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir()
        for file in self.path.glob(f"{self.vectors.name}*"):
            file.unlink()


def claim(path: Path) -> DataFolder:
    """Make the folder if it does not exist, and lock it until this process ends. Raise Refusal if that fails."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = DataFolder(path, (path / "lock").open("a+"))
        fcntl.flock(folder.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder.tmp, ignore_errors=True)
        folder.reserve.unlink(missing_ok=True)  # the start itself may need it
        for part in (folder.snapshots, folder.objects, folder.journal, folder.tmp):
            part.mkdir(exist_ok=True)
    except BlockingIOError as error:
        raise Refusal(
            f"Another `make run` uses the data in {path}. Stop it, or use another port and folder: "
            "make run PORT=3001 DATA=<folder>"
        ) from error
    except OSError as error:
        raise Refusal(
            f"The data folder {path} cannot be written ({error.strerror}). Name another one: make run DATA=<folder>"
        ) from error
    return folder


def mark_running(folder: DataFolder) -> bool:
    """Mark that a run has begun. Return whether the last run was killed: its mark is still there."""
    killed = folder.running.exists()
    folder.running.touch()
    return killed


def mark_stopped(folder: DataFolder) -> None:
    """Mark that the run has ended well, with everything in the last snapshot."""
    for part in (folder.aws_env, folder.reserve):
        part.unlink(missing_ok=True)
    shutil.rmtree(folder.tmp, ignore_errors=True)
    folder.running.unlink(missing_ok=True)


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read. If that fails, as on a full disk, the old one stays."""
    durable.write(path, text.encode())
