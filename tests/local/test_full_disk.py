"""What `make run` does when the disk is full: it keeps what it has acknowledged, and lets you make room."""

import asyncio
import errno
import io
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from tests.support.local_service import ANSWER_MAX, Answer, LocalService
from tools.local import snapshots, terminal
from tools.local.checkpoints import DELAY, Checkpoints
from tools.local.data_folder import DataFolder
from tools.local.guard import guarded
from tools.local.journal import Journal
from tools.local.space import NoRoom, Space

MEGABYTE = 10**6
DISK = 60 * MEGABYTE
UPLOADS = 38


@pytest.fixture
def journal(folder: DataFolder) -> Iterator[Journal]:
    journal = Journal(folder)
    yield journal
    journal.close()


def snapshot_of(folder: DataFolder, size: int) -> Path:
    (folder.state / "state.json").write_bytes(bytes(size))
    return snapshots.take(folder.state, folder.snapshots)


class Disk:
    """A disk with this much room, in place of the real one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, free: int) -> None:
        self.free = free
        monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_bavail=self.free, f_frsize=1))


def test_writes_are_refused_while_less_than_two_snapshots_are_free(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    space = Space(folder, said.append)
    space.keep_reserve(snapshot_of(folder, MEGABYTE))
    disk = Disk(monkeypatch, 5 * MEGABYTE)

    space.check_write("POST", 2 * MEGABYTE)
    with pytest.raises(NoRoom, match="almost full"):
        space.check_write("POST", 4 * MEGABYTE)
    disk.free = MEGABYTE
    for method in ("POST", "PATCH", "PUT"):
        with pytest.raises(NoRoom):
            space.check_write(method, 0)
    space.check_write("DELETE", 0)
    assert len(said) == 1
    assert "Uploads and changes are refused" in said[0]

    disk.free = 5 * MEGABYTE
    space.check_write("PATCH", 0)
    assert said[1:] == ["There is room on the disk again. Uploads and changes are taken."]


def test_a_disk_that_is_just_full_says_so_once(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    space = Space(folder, said.append)
    space.keep_reserve(snapshot_of(folder, MEGABYTE))
    disk = Disk(monkeypatch, 2_200_000)
    for size in (400_000, 0, 500_000, 0, 600_000, 0):
        assert space.is_short(size) == (size > 0)
    disk.free = 3 * MEGABYTE
    assert space.is_short(2 * MEGABYTE)
    assert len(said) == 1
    assert not space.is_short()
    assert len(said) == 2


@pytest.mark.parametrize(
    ("path", "size", "status"),
    [
        ("/PutVectors", 2_000, 503),
        ("/PutVectors", 1_000, 200),
        ("/QueryVectors", 2_000, 200),
        ("/DeleteVectors", 2_000, 200),
    ],
)
def test_vectors_are_put_only_if_there_is_room(path: str, size: int, status: int) -> None:
    """They leave the room that snapshots need. The images wait in a queue meanwhile."""
    sent: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200})

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    signed = b"AWS4-HMAC-SHA256 Credential=AKIA0/20261120/us-east-1/s3vectors/aws4_request, Signature=0"
    headers = [(b"authorization", signed), (b"content-length", str(size).encode())]
    scope = {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": headers}
    asyncio.run(guarded(app, lambda: None, lambda size: size > 1_000)(scope, None, send))  # type: ignore[arg-type]

    assert sent[0]["status"] == status
    if status == 503:
        assert b"ServiceUnavailableException" in sent[1]["body"]


def test_the_reserve_really_occupies_the_room_of_a_snapshot(folder: DataFolder) -> None:
    space = Space(folder, print)

    space.keep_reserve(snapshot_of(folder, MEGABYTE))
    assert folder.reserve.stat().st_blocks * 512 >= MEGABYTE
    space.keep_reserve(snapshot_of(folder, 2 * MEGABYTE))
    assert folder.reserve.stat().st_blocks * 512 >= 2 * MEGABYTE
    space.release_reserve()
    assert not folder.reserve.exists()


class Emulator:
    """An emulator whose state cannot be saved while the reserve occupies the disk, or not at all."""

    def __init__(self, folder: DataFolder, *, broken: bool = False, fits: Callable[[], bool] = lambda: True) -> None:
        self._folder, self.broken, self._fits = folder, broken, fits
        self.number, self.after = 0, lambda _: None

    def states(self) -> Any:
        return {"number": self.number}

    def save(self, states: Any) -> None:
        if self.broken or self._folder.reserve.exists() or not self._fits():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        (self._folder.state / "state.json").write_text(f"{states}")
        self.after(self.number)


def test_a_snapshot_that_does_not_fit_uses_the_reserve(folder: DataFolder, journal: Journal) -> None:
    space, emulator = Space(folder, print), Emulator(folder)
    checkpoints = Checkpoints(folder, emulator, space, journal)  # type: ignore[arg-type]
    space.keep_reserve(snapshot_of(folder, MEGABYTE))
    emulator.number = 7

    asyncio.run(checkpoints.take())

    newest, damages = snapshots.newest_whole(folder.snapshots)
    assert newest
    assert (newest / "state.json").read_text() == "{'number': 7}"
    assert not damages


def test_a_snapshot_that_does_not_fit_beside_two_replaces_the_older(folder: DataFolder, journal: Journal) -> None:
    older, newer = snapshot_of(folder, 10), snapshot_of(folder, 20)
    emulator = Emulator(folder, fits=lambda: not older.exists())
    checkpoints = Checkpoints(folder, emulator, Space(folder, print), journal)  # type: ignore[arg-type]

    asyncio.run(checkpoints.take())

    assert [path.name for path in snapshots.numbered(folder.snapshots)] == [newer.name, "000000003"]


def test_one_last_snapshot_is_enough_if_there_is_no_room_for_another(folder: DataFolder, journal: Journal) -> None:
    taken: list[int] = []
    emulator = Emulator(folder, fits=lambda: len(taken) == 0)
    checkpoints = Checkpoints(folder, emulator, Space(folder, print), journal)  # type: ignore[arg-type]
    emulator.after = taken.append

    asyncio.run(checkpoints.end())

    assert len(snapshots.numbered(folder.snapshots)) == 1


def test_a_last_snapshot_that_cannot_be_taken_is_a_failure(folder: DataFolder, journal: Journal) -> None:
    checkpoints = Checkpoints(folder, Emulator(folder, fits=lambda: False), Space(folder, print), journal)  # type: ignore[arg-type]

    with pytest.raises(OSError, match="No space"):
        asyncio.run(checkpoints.end())


def test_a_disk_that_takes_no_snapshot_at_all_is_said_once_and_the_last_one_stays(
    folder: DataFolder, journal: Journal, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = snapshot_of(folder, 10)
    emulator = Emulator(folder, broken=True)
    checkpoints = Checkpoints(folder, emulator, Space(folder, print), journal)  # type: ignore[arg-type]
    sleep = asyncio.sleep

    async def wait(seconds: float) -> None:
        assert seconds == DELAY
        await sleep(0)

    async def writes() -> None:
        keeping_up = asyncio.create_task(checkpoints.keep_up())
        checkpoints.written()
        for _ in range(200):
            await sleep(0.001)
        assert checkpoints.failing
        emulator.broken = False
        while checkpoints.failing:
            await sleep(0.001)
        keeping_up.cancel()

    monkeypatch.setattr(asyncio, "sleep", wait)
    asyncio.run(asyncio.wait_for(writes(), 60))

    assert before.exists()
    assert capsys.readouterr().err.count("The data could not be saved") == 1


def test_an_unfinished_snapshot_does_not_fill_the_disk(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot_of(folder, 10)
    (folder.state / "state.json").write_bytes(bytes(10))

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        snapshots.take(folder.state, folder.snapshots)

    assert [path.name for path in folder.snapshots.iterdir()] == ["000000001"]


@pytest.fixture
def small_disk(slow_tier: None, tmp_path: Path) -> Iterator[Path]:
    """Mount a disk in memory of 60 MB. Skip the test where that needs rights that this process lacks."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(disk)]
    if not sys.platform.startswith("linux") or not shutil.which("mount"):
        pytest.skip("only Linux has disks in memory")
    mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"a disk cannot be mounted here: {mounted.stderr.strip()}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=False)


def photograph(number: int) -> bytes:
    """Return a PNG of 1.5 MB."""
    buffer = io.BytesIO()
    Image.frombytes("RGB", (707, 707), random.Random(number).randbytes(707 * 707 * 3)).save(buffer, "PNG")
    return buffer.getvalue()


def fill_up(path: Path) -> None:
    """Write a file until the disk has no room, whatever else is written and removed there meanwhile."""
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(4096)):
            pass


def fill(service: LocalService) -> dict[str, bytes]:
    """Upload pictures until the disk is full and beyond. Return those that were acknowledged, by path."""
    kept = {}
    statuses = []
    for number in range(UPLOADS):
        content = photograph(number)
        answer: Answer = service.upload(content)
        statuses.append(answer.status)
        if answer.status == 201:
            kept[answer.headers["location"].removeprefix(service.url)] = content
    assert set(statuses) == {201, 507}, statuses
    print(len(kept), "pictures are kept")
    assert len(kept) > 1, "fewer are kept where more snapshots were taken meanwhile, but some are"
    return kept


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_acknowledged_is_lost_on_a_full_disk(small_disk: Path, number: signal.Signals) -> None:
    with LocalService(small_disk / "data") as service:
        service.be_patient()
        kept = fill(service)
        fill_up(small_disk / "other")
        assert all(service.get(path).body == content for path, content in kept.items())
        assert service.get("/random?label=cat").status == 200
        assert service.upload(photograph(-1)).status == 507

        if number == signal.SIGKILL:
            service.kill()
        else:
            assert service.stop(number) == 0

    with LocalService(small_disk / "data") as again:
        again.be_patient()
        assert all(again.get(path).body == content for path, content in kept.items())
        (small_disk / "other").unlink()
        for path in kept:
            assert again.send("DELETE", path).status == 204
            assert again.get(path).status == 404
        wait_until(lambda: again.upload(photograph(-1)).status == 201)  # once a snapshot could be taken


def wait_until(true: Callable[[], bool]) -> None:
    give_up = time.monotonic() + ANSWER_MAX
    while not true():
        assert time.monotonic() < give_up
        time.sleep(DELAY)


class FullFile(io.StringIO):
    """A terminal that is a file on a full disk."""

    def write(self, _: str) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_terminal_that_takes_nothing_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, write in {"stdout": terminal.say, "stderr": terminal.warn}.items():
        monkeypatch.setattr(sys, name, FullFile())
        write("The disk is almost full.")
