"""Snapshots of the emulator's state: numbered folders, each with a manifest that shows whether it is whole.

A snapshot is written under another name and renamed when it is complete. Two are kept. If a file of the newest is
damaged, the one before is used. The emulator itself would treat a damaged file as an empty one, and a stack without its
state empties live tables.
"""

import json
import os
import shutil
from hashlib import sha256
from pathlib import Path

from tools.local.durable import sync_folder
from tools.local.refusals import Refusal

MANIFEST = "manifest.json"
UNFINISHED = "unfinished"
KEPT = 2


def take(state: Path, snapshots: Path) -> Path:
    """Write a new snapshot of every file below `state`. It is on the disk when this returns."""
    unfinished = snapshots / UNFINISHED
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        _copy(state, unfinished)
    except OSError:
        shutil.rmtree(unfinished, ignore_errors=True)  # it may be what fills the disk
        raise

    kept = numbered(snapshots)
    snapshot = snapshots / f"{int(kept[-1].name) + 1 if kept else 1:09d}"
    unfinished.rename(snapshot)
    sync_folder(snapshots)
    for old in kept[: 1 - KEPT]:
        shutil.rmtree(old)
    return snapshot


def _copy(state: Path, unfinished: Path) -> None:
    """Copy every file below `state`, then write the manifest."""
    manifest = {}
    for source in sorted(path for path in state.rglob("*") if path.is_file()):
        name, content = str(source.relative_to(state)), source.read_bytes()
        _write(unfinished / name, content)
        manifest[name] = _fingerprint(content)
    _write(unfinished / MANIFEST, json.dumps(manifest, indent=1).encode())


def exist(snapshots: Path) -> bool:
    """Return whether there is a snapshot, whole or not."""
    return bool(numbered(snapshots))


def newest_whole(snapshots: Path) -> tuple[Path | None, list[str]]:
    """Return the newest whole snapshot, or None if there never was one, and what is wrong with newer ones.

    Rename damaged ones to damaged-<number>, so that they do not count as kept. Raise Refusal if all are damaged.
    """
    damages: list[str] = []
    kept = numbered(snapshots)
    for snapshot in reversed(kept):
        damage = damage_of(snapshot)
        if not damage:
            _set_aside(snapshots, kept[kept.index(snapshot) + 1 :])
            return snapshot, damages
        damages.append(f"{snapshot.name}/{damage}")
    if damages:
        raise Refusal(
            f"No snapshot in {snapshots} is whole ({'; '.join(damages)}). Put a copy of the data folder in its place, "
            "or move it away to begin with empty data."
        )
    return None, []


def damage_of(snapshot: Path) -> str:
    """Return what is wrong with this snapshot, empty if nothing is."""
    try:
        manifest = json.loads((snapshot / MANIFEST).read_bytes())
    except (OSError, ValueError):
        return f"{MANIFEST} cannot be read"
    if not isinstance(manifest, dict):
        return f"{MANIFEST} cannot be read"
    for name, fingerprint in manifest.items():
        try:
            content = (snapshot / name).read_bytes()
        except OSError:
            return f"{name} cannot be read"
        if _fingerprint(content) != fingerprint:
            return f"{name} has changed since it was written"
    return ""


def restore(snapshot: Path, state: Path) -> None:
    """Replace the content of `state` by the snapshot's files."""
    shutil.rmtree(state, ignore_errors=True)
    shutil.copytree(snapshot, state, ignore=shutil.ignore_patterns(MANIFEST))


def forget_older(snapshots: Path) -> None:
    """Remove all snapshots but the newest, to make room for one that does not fit beside them."""
    for old in numbered(snapshots)[:-1]:
        shutil.rmtree(old)


def numbered(snapshots: Path) -> list[Path]:
    """Return the snapshots, the oldest first."""
    return sorted(path for path in snapshots.iterdir() if path.name.isdigit())


def _set_aside(snapshots: Path, damaged: list[Path]) -> None:
    for snapshot in damaged:
        aside = snapshots / f"damaged-{snapshot.name}"
        shutil.rmtree(aside, ignore_errors=True)
        snapshot.rename(aside)


def _fingerprint(content: bytes) -> dict[str, object]:
    return {"bytes": len(content), "sha256": sha256(content).hexdigest()}


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
