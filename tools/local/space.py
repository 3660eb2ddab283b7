"""Room on the disk of the data folder: a reserve for the last snapshot, and a refusal of writes before it is needed."""

import os
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path

from shared.errors import ApiError
from tools.local.data_folder import DataFolder

FREE_SNAPSHOTS = 2  # a write is refused while fewer fit; one snapshot needs room for itself before it replaces another
ENOUGH = 1.25  # times what is needed; the line that there is room again does not alternate with that of too little
MEGABYTE = 10**6


class NoRoom(ApiError):
    """A write that may leave too little room for what was written before."""

    status = HTTPStatus.INSUFFICIENT_STORAGE


class Space:
    """The room for one run. `say` prints a line when it becomes too small, and when there is enough again."""

    def __init__(self, folder: DataFolder, say: Callable[[str], None]) -> None:
        self._folder, self._say = folder, say
        self._snapshot = 0
        self._short = False

    def check_write(self, method: str, size: int) -> None:
        """Raise NoRoom if less than two snapshots would be free after a write of this size. A DELETE makes room."""
        if method != "DELETE" and self.is_short(size):
            raise NoRoom(
                f"The disk of {self._folder.path} is almost full, so nothing is stored. "
                "Delete images here or other files there, and retry."
            )

    def is_short(self, size: int = 0) -> bool:
        """Return whether less than two snapshots would be free after a write of this size."""
        free = self._free()
        short = free - size < self._needed
        if short and not self._short:
            self._short = True
            self._say(self._line(free - size))
        elif self._short and not short and free >= ENOUGH * self._needed:
            self._short = False
            self._say(self._line(free))
        return short

    def release_reserve(self) -> None:
        """Make room for a snapshot that did not fit."""
        self._folder.reserve.unlink(missing_ok=True)

    def keep_reserve(self, snapshot: Path) -> None:
        """Reserve the room that a snapshot takes, if it is there. The next ones are about as large."""
        self._snapshot = sum(path.stat().st_blocks * 512 for path in snapshot.rglob("*"))
        reserve = self._folder.reserve
        if reserve.exists() and reserve.stat().st_size >= self._snapshot:
            return
        with suppress(OSError):
            _allocate(reserve, self._snapshot)

    @property
    def _needed(self) -> int:
        return FREE_SNAPSHOTS * self._snapshot

    def _free(self) -> int:
        disk = os.statvfs(self._folder.path)
        return disk.f_bavail * disk.f_frsize

    def _line(self, free: int) -> str:
        if not self._short:
            return "There is room on the disk again. Uploads and changes are taken."
        return (
            f"The disk of {self._folder.path} is almost full: {max(free, 0) / MEGABYTE:.1f} MB are free, and snapshots "
            f"of the data need {self._needed / MEGABYTE:.1f} MB. Uploads and changes are refused until there is room. "
            "You can delete images, or other files on this disk."
        )


def _allocate(path: Path, size: int) -> None:
    """Make a file of this size that really occupies the disk, or none."""
    try:
        with path.open("wb") as file:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, size)
            else:
                file.write(bytes(size))
    except OSError:
        path.unlink(missing_ok=True)
        raise
