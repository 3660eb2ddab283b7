"""Buckets, indexes and vectors in one file of SQLite. A change is on the disk when its call returns."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

FORMAT = 1  # PRAGMA user_version of files with this schema
SCHEMA = """
CREATE TABLE buckets (name TEXT PRIMARY KEY, created REAL NOT NULL, owner TEXT NOT NULL);
CREATE TABLE indexes (
    id INTEGER PRIMARY KEY AUTOINCREMENT, bucket TEXT NOT NULL REFERENCES buckets (name), name TEXT NOT NULL,
    dimension INTEGER NOT NULL, metric TEXT NOT NULL, hidden TEXT NOT NULL,
    created REAL NOT NULL, owner TEXT NOT NULL, UNIQUE (bucket, name)
);
CREATE TABLE vectors (
    index_id INTEGER NOT NULL REFERENCES indexes (id), key TEXT NOT NULL,
    data BLOB NOT NULL, metadata TEXT NOT NULL, UNIQUE (index_id, key)
);
"""


@dataclass(frozen=True, slots=True)
class BucketRow:
    """A bucket. `owner` is the stack's resource that it belongs to, empty for one that a client created."""

    name: str
    created: float
    owner: str


@dataclass(frozen=True, slots=True)
class IndexRow:
    """An index. `hidden` are its non-filterable metadata keys."""

    id: int
    bucket: str
    name: str
    dimension: int
    metric: str
    hidden: tuple[str, ...]
    created: float
    owner: str


@dataclass(frozen=True, slots=True)
class VectorRow:
    """A vector: its numbers as little-endian float32, and its metadata as JSON."""

    key: str
    data: bytes
    metadata: str


class Database:
    """The file. All calls come from one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._sql = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            self._check_or_create()
        except sqlite3.Error:
            self._sql.close()
            raise

    def _check_or_create(self) -> None:
        """Create the tables in a new file. Raise DatabaseError if the file is damaged or of a later version."""
        self._sql.execute("PRAGMA locking_mode = EXCLUSIVE")  # one process, so no shared memory beside the file
        (version,) = self._sql.execute("PRAGMA user_version").fetchone()
        if version not in (0, FORMAT):
            raise sqlite3.DatabaseError(f"its format is {version}")
        self._sql.execute("PRAGMA journal_mode = WAL")  # one write to the disk for a change instead of three
        self._sql.execute("PRAGMA synchronous = FULL")  # and it waits for the disk
        self._sql.execute("PRAGMA foreign_keys = ON")
        if version:
            (found,) = self._sql.execute("PRAGMA quick_check(1)").fetchone()
            if found != "ok":
                raise sqlite3.DatabaseError(found)
            return
        with self._change():
            for statement in filter(str.strip, SCHEMA.split(";")):
                self._sql.execute(statement)
            self._sql.execute(f"PRAGMA user_version = {FORMAT}")

    def close(self) -> None:
        """Close the file. What is in the log beside it goes into it."""
        self._sql.close()

    def owned(self) -> tuple[list[IndexRow], list[BucketRow]]:
        """Return what stacks have made."""
        indexes = self._sql.execute("SELECT bucket, name FROM indexes WHERE owner != ''").fetchall()
        buckets = self._sql.execute("SELECT name, created, owner FROM buckets WHERE owner != ''").fetchall()
        return [row for each in indexes if (row := self.index(*each))], [BucketRow(*each) for each in buckets]

    def bucket(self, name: str) -> BucketRow | None:
        """Return the bucket of this name."""
        row = self._sql.execute("SELECT name, created, owner FROM buckets WHERE name = ?", [name]).fetchone()
        return BucketRow(*row) if row else None

    def add_bucket(self, row: BucketRow) -> None:
        """Add a bucket."""
        with self._change():
            self._sql.execute("INSERT INTO buckets VALUES (?, ?, ?)", [row.name, row.created, row.owner])

    def remove_bucket(self, name: str) -> None:
        """Remove a bucket without indexes."""
        with self._change():
            self._sql.execute("DELETE FROM buckets WHERE name = ?", [name])

    def has_indexes(self, bucket: str) -> bool:
        """Return whether there is an index in the bucket."""
        return bool(self._sql.execute("SELECT 1 FROM indexes WHERE bucket = ? LIMIT 1", [bucket]).fetchone())

    def index(self, bucket: str, name: str) -> IndexRow | None:
        """Return the index of this name in the bucket."""
        columns = "id, bucket, name, dimension, metric, hidden, created, owner"
        query = f"SELECT {columns} FROM indexes WHERE bucket = ? AND name = ?"  # noqa: S608 (no values in it)
        row = self._sql.execute(query, [bucket, name]).fetchone()
        return replace(IndexRow(*row), hidden=tuple(json.loads(row[5]))) if row else None

    def add_index(self, row: IndexRow) -> None:
        """Add an index. Its id is chosen here."""
        values = [row.bucket, row.name, row.dimension, row.metric, json.dumps(row.hidden), row.created, row.owner]
        with self._change():
            self._sql.execute("INSERT INTO indexes VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)", values)

    def remove_index(self, id_: int) -> None:
        """Remove an index and its vectors."""
        with self._change():
            self._sql.execute("DELETE FROM vectors WHERE index_id = ?", [id_])
            self._sql.execute("DELETE FROM indexes WHERE id = ?", [id_])

    def vectors(self, id_: int) -> Iterator[VectorRow]:
        """Yield all vectors of an index."""
        rows = self._sql.execute("SELECT key, data, metadata FROM vectors WHERE index_id = ?", [id_])
        return (VectorRow(*row) for row in rows)

    def vector(self, id_: int, key: str) -> VectorRow | None:
        """Return the vector with this key."""
        query = "SELECT key, data, metadata FROM vectors WHERE index_id = ? AND key = ?"
        row = self._sql.execute(query, [id_, key]).fetchone()
        return VectorRow(*row) if row else None

    def vectors_after(self, id_: int, key: str) -> Iterator[VectorRow]:
        """Yield the vectors whose keys come after this one, in the order of their keys."""
        query = "SELECT key, data, metadata FROM vectors WHERE index_id = ? AND key > ? ORDER BY key"
        return (VectorRow(*row) for row in self._sql.execute(query, [id_, key]))

    def put_vectors(self, id_: int, rows: Iterable[VectorRow]) -> None:
        """Add these vectors, all or none. One whose key exists is replaced."""
        with self._change():
            self._sql.executemany(
                "INSERT INTO vectors VALUES (?, ?, ?, ?)"
                " ON CONFLICT (index_id, key) DO UPDATE SET data = excluded.data, metadata = excluded.metadata",
                ([id_, row.key, row.data, row.metadata] for row in rows),
            )

    def delete_vectors(self, id_: int, keys: Sequence[str]) -> None:
        """Remove the vectors with these keys, all or none."""
        with self._change():
            self._sql.executemany("DELETE FROM vectors WHERE index_id = ? AND key = ?", ([id_, key] for key in keys))

    @contextmanager
    def _change(self) -> Iterator[None]:
        """Make the changes of the block together. They are on the disk at its end, or none of them is."""
        self._sql.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._sql.execute("COMMIT")
        except BaseException:
            if self._sql.in_transaction:
                self._sql.execute("ROLLBACK")
            raise


def set_aside(path: Path) -> Path:
    """Move a file that cannot be used, with the log beside it, to another name. Return that name."""
    aside = path.with_name(f"damaged-{path.name}")
    for suffix in ("-wal", "-journal", ""):
        beside = path.with_name(f"{path.name}{suffix}")
        if beside.exists():
            beside.replace(aside.with_name(f"{aside.name}{suffix}"))
    return aside
