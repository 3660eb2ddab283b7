"""The functions' code, unpacked once at the start, so that calls need no room on the disk.

ministack unpacks a function anew for each of its processes. Here all processes of a function use one folder, and its
Worker, which believes that it writes there, writes nothing. Layers, and what all zips have below shared/, are unpacked
once and linked, so Python compiles them once, too.
"""

import io
import os
import shutil
import tempfile
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

CODE, LAYER, SCRIPT = "code", "layer_{}", "_worker.py"
SHARED = "shared"


class UnpackedFunctions:
    """The folders of all functions below `tmp`, and stand-ins for what a Worker unpacks and removes with."""

    def __init__(self, tmp: Path, script: str, layer_zip: Callable[[Any], bytes | None]) -> None:
        self._tmp, self._script, self._layer_zip = tmp, script, layer_zip
        self._lock = threading.Lock()
        self._spawning = threading.local()
        self._closed = False

    def close(self) -> None:
        """Let no more processes start."""
        self._closed = True

    def folder(self, worker: Any) -> Path:
        """Return the folder of a Worker's function. Unpack its code and its layers if that was not done."""
        layers = [self._layer_zip(layer) for layer in worker.config.get("Layers", [])]
        zips = {CODE: worker.code_zip, **{LAYER.format(n): layer for n, layer in enumerate(filter(None, layers))}}
        folder = self._tmp / f"{worker.func_name}-{_fingerprint(zips)}"
        with self._lock:
            if not folder.exists():
                self._unpack(zips, folder)
        return folder

    def spawning(self, spawn: Callable[[Any], None]) -> Callable[[Any], None]:
        """Return Worker._spawn for a process that starts in its function's folder."""

        def spawn_unpacked(worker: Any) -> None:
            if self._closed:
                raise RuntimeError("the service is stopping")
            self._spawning.folder = self.folder(worker)
            worker._tmpdir = None
            spawn(worker)

        return spawn_unpacked

    def _unpack(self, zips: Mapping[str, bytes], folder: Path) -> None:
        with self._whole(folder) as unfinished:
            for name, content in zips.items():
                archive = zipfile.ZipFile(io.BytesIO(content))
                if name == CODE:
                    self._unpack_code(archive, unfinished / name)
                else:
                    (unfinished / name).symlink_to(self._once(archive, archive.infolist()))
            (unfinished / SCRIPT).write_text(self._script)

    def _unpack_code(self, archive: zipfile.ZipFile, folder: Path) -> None:
        """Unpack the code of a function, with a link to what others have alike."""
        alike = [member for member in archive.infolist() if member.filename.startswith(f"{SHARED}/")]
        archive.extractall(folder, [member for member in archive.infolist() if member not in alike])
        if alike:
            folder.mkdir(exist_ok=True)
            (folder / SHARED).symlink_to(self._once(archive, alike) / SHARED)

    def _once(self, archive: zipfile.ZipFile, members: Sequence[zipfile.ZipInfo]) -> Path:
        """Return a folder with these members. Unpack them if that was not done for another function."""
        content = "\n".join(f"{member.filename} {member.CRC} {member.file_size}" for member in members)
        folder = self._tmp / _short_hash(content.encode())
        if not folder.exists():
            with self._whole(folder) as unfinished:
                archive.extractall(unfinished, members)
        return folder.resolve()

    @contextmanager
    def _whole(self, folder: Path) -> Iterator[Path]:
        """Yield a folder that becomes this one at the end. If that fails, as on a full disk, nothing is left of it."""
        unfinished = Path(tempfile.mkdtemp(dir=self._tmp))
        try:
            yield unfinished
            unfinished.rename(folder)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise

    # What lambda_runtime has instead of modules and `open`:

    def mkdtemp(self, **_: object) -> str:
        """Return the folder of the function whose process is being started in this thread."""
        return str(self._spawning.folder)

    def rmtree(self, *_: object, **__: object) -> None:
        """Keep the folder, because other processes use it."""

    def makedirs(self, *_: object, **__: object) -> None:
        """Make no folder: it is there."""

    def open(self, path: str, mode: str = "r") -> Any:
        """Return a file in memory for what is on the disk already."""
        return io.BytesIO() if "b" in mode else io.StringIO()

    class ZipFile:
        """An archive that was unpacked before."""

        def __init__(self, path: str) -> None:
            pass

        def __enter__(self) -> "UnpackedFunctions.ZipFile":
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def namelist(self) -> list[str]:
            """Return no names, so nothing is checked."""
            return []

        def extractall(self, path: str) -> None:
            """Unpack nothing."""


class Instead:
    """A module with some functions replaced."""

    def __init__(self, module: Any, **replaced: object) -> None:
        self.__dict__.update(replaced)
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


def install(lambda_runtime: Any, unpacked: UnpackedFunctions) -> None:
    """Let ministack's Worker use these folders."""
    lambda_runtime.tempfile = Instead(tempfile, mkdtemp=unpacked.mkdtemp)
    lambda_runtime.shutil = Instead(shutil, rmtree=unpacked.rmtree)
    lambda_runtime.os = Instead(os, makedirs=unpacked.makedirs)
    lambda_runtime.open = unpacked.open
    lambda_runtime.zipfile = Instead(zipfile, ZipFile=unpacked.ZipFile)
    lambda_runtime.Worker._spawn = unpacked.spawning(lambda_runtime.Worker._spawn)


def _fingerprint(zips: Mapping[str, bytes]) -> str:
    return _short_hash(b"".join(sha256(content).digest() for content in zips.values()))


def _short_hash(content: bytes) -> str:
    return sha256(content).hexdigest()[:16]
