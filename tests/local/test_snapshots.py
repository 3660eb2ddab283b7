"""Snapshots: whole or not used, and taken a moment after each write."""

import asyncio
import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tools.local import snapshots
from tools.local.checkpoints import DELAY, Checkpoints
from tools.local.data_folder import DataFolder
from tools.local.journal import Journal
from tools.local.refusals import Refusal
from tools.local.space import Space

FILES = {"dynamodb.json": b'{"tables": 1}', "empty.json": b"", "lambda-blobs/0a.zip": b"PK\x03\x04"}


@pytest.fixture
def state(tmp_path: Path) -> Path:
    state = tmp_path / "state"
    write(state, FILES)
    return state


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    kept = tmp_path / "snapshots"
    kept.mkdir()
    return kept


def write(folder: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def read(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_restored_snapshot_is_what_was_taken(state: Path, kept: Path) -> None:
    snapshot = snapshots.take(state, kept)
    write(state, {"dynamodb.json": b"later", "new.json": b"later"})

    snapshots.restore(snapshot, state)

    assert snapshots.newest_whole(kept) == (snapshot, [])
    assert read(state) == FILES


def test_the_newest_two_are_kept(state: Path, kept: Path) -> None:
    for _ in range(12):
        snapshots.take(state, kept)

    assert names(kept) == ["000000011", "000000012"]


def test_without_any_there_is_none(kept: Path) -> None:
    assert snapshots.newest_whole(kept) == (None, [])


def test_one_that_was_being_written_does_not_count(state: Path, kept: Path) -> None:
    shutil.copytree(state, kept / snapshots.UNFINISHED)

    assert snapshots.newest_whole(kept) == (None, [])
    assert snapshots.take(state, kept).name == "000000001"


@pytest.mark.parametrize("name", [*FILES, snapshots.MANIFEST])
@pytest.mark.parametrize("damage", ["cut", "changed", "gone"])
def test_one_damaged_file_means_the_snapshot_before(state: Path, kept: Path, name: str, damage: str) -> None:
    before = snapshots.take(state, kept)
    newest = snapshots.take(state, kept)
    content = (newest / name).read_bytes()
    if damage == "gone":
        (newest / name).unlink()
    elif damage == "changed" or not content:
        (newest / name).write_bytes(content + b"x")
    else:
        (newest / name).write_bytes(content[:-1])

    chosen, damages = snapshots.newest_whole(kept)

    assert chosen == before
    assert [damage.split(" ")[0] for damage in damages] == [f"{newest.name}/{name}"]


def test_a_damaged_one_does_not_push_out_the_one_that_was_used(state: Path, kept: Path) -> None:
    used, damaged = snapshots.take(state, kept), snapshots.take(state, kept)
    (damaged / "dynamodb.json").write_bytes(b"")
    snapshots.newest_whole(kept)

    newest = snapshots.take(state, kept)

    assert names(kept) == [used.name, newest.name, f"damaged-{damaged.name}"]


def test_a_manifest_that_is_no_object_is_damage(state: Path, kept: Path) -> None:
    snapshot = snapshots.take(state, kept)
    (snapshot / snapshots.MANIFEST).write_text(json.dumps([1]))

    assert snapshots.damage_of(snapshot) == "manifest.json cannot be read"


def test_when_all_are_damaged_the_start_is_refused(state: Path, kept: Path) -> None:
    for _ in range(2):
        (snapshots.take(state, kept) / "dynamodb.json").write_bytes(b"")

    with pytest.raises(Refusal, match=r"No snapshot in .* is whole .*000000001/dynamodb.json.* move it away"):
        snapshots.newest_whole(kept)


class Written:
    """An emulator whose state is one number."""

    def __init__(self, state: Path) -> None:
        self._state, self.number = state, 0

    def states(self) -> Any:
        return {"number": self.number}

    def save(self, states: Any) -> None:
        write(self._state, {"number.json": json.dumps(states).encode()})


def test_each_write_is_in_one_snapshot_two_seconds_later(
    tmp_path: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, sleep, slept = DataFolder(tmp_path, io.StringIO()), asyncio.sleep, list[float]()
    written: Any = Written(folder.state)
    folder.journal.mkdir()
    journal = Journal(folder)
    checkpoints = Checkpoints(folder, written, Space(folder, print), journal)

    async def wait(seconds: float) -> None:
        slept.append(seconds)

    async def writes() -> None:
        keeping_up = asyncio.create_task(checkpoints.keep_up())
        for written.number in (1, 2, 3):
            checkpoints.written()
            while json.dumps(written.states()).encode() not in newest():
                await sleep(0.001)
        keeping_up.cancel()

    def newest() -> list[bytes]:
        snapshot, _ = snapshots.newest_whole(kept)
        return list(read(snapshot).values()) if snapshot else []

    monkeypatch.setattr(asyncio, "sleep", wait)
    asyncio.run(asyncio.wait_for(writes(), 60))
    journal.close()

    assert slept == [DELAY] * 3
    assert DELAY <= 2
    assert names(kept) == ["000000002", "000000003"]
