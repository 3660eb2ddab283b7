"""Files that are on the disk when the write returns."""

import os
from pathlib import Path


def write(path: Path, content: bytes) -> None:
    """Replace the file's content in one step. After a power cut it has the old or the new content."""
    unfinished = path.with_name(f"{path.name}.tmp")
    try:
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Write the folder's entries to the disk, which makes a rename in it permanent."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
