"""The changes of tables and queues since the last snapshot, so that a kill loses nothing that was acknowledged.

Each change is on the disk before its caller has the response. The files are numbered. A snapshot says, in its file
`journal`, which number has the first change that it lacks.
"""

import errno
import json
import logging
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from botocore.exceptions import ClientError

from tools.local import snapshots
from tools.local.data_folder import DataFolder

TABLES, QUEUES = "DynamoDB_20120810", "AmazonSQS"
CHANGES = frozenset(
    {f"{TABLES}.{name}" for name in ("BatchWriteItem", "DeleteItem", "PutItem", "TransactWriteItems", "UpdateItem")}
    | {f"{QUEUES}.SendMessage"}  # a message that was delivered since comes twice, which SQS may do at any time
)
BEGINNING = "journal"  # the file in a snapshot
WORD = re.compile(r"(?<!^)(?=[A-Z])")

logger = logging.getLogger(__name__)


class Journal:
    """The journal of one run. It notes nothing before its first `rotate`: until then the start may replay it."""

    def __init__(self, folder: DataFolder) -> None:
        self._folder = folder
        self._number = max(self._numbers(), default=0)
        self._file: IO[bytes] | None = None

    def note(self, target: str, body: bytes) -> None:
        """Write down a change that was made: the operation and its JSON. It is on the disk when this returns.

        If the disk has no room for it, the next snapshot has the change.
        """
        if self._file:
            try:
                _write(self._file, json.dumps([target, body.decode()]).encode() + b"\n")
                os.fdatasync(self._file.fileno())
            except OSError:
                logger.exception("a change is not in the journal")

    def rotate(self) -> int:
        """Begin a new file, unless this one is empty, and return its number. A snapshot's state is taken just then."""
        if self._file and not self._file.tell():
            return self._number
        try:
            following = (self._folder.journal / str(self._number + 1)).open("ab", buffering=0)
        except OSError:
            logger.exception("no new journal")  # the old one goes on, whose first changes would be refused at a replay
            return self._number
        if self._file:
            self._file.close()
        self._file, self._number = following, self._number + 1
        return self._number

    def close(self) -> None:
        """Note nothing more."""
        if self._file:
            self._file.close()
            self._file = None

    def forget(self) -> None:
        """Remove what all kept snapshots have."""
        kept = [beginning(snapshot) for snapshot in snapshots.numbered(self._folder.snapshots)]
        for number in self._numbers():
            if kept and number < min(kept):
                (self._folder.journal / str(number)).unlink()

    def replay(self, dynamodb: Any, sqs: Any) -> int:
        """Make the changes again that the restored snapshot lacks. Return their number."""
        since, count, clients = beginning(self._folder.state), 0, {TABLES: dynamodb, QUEUES: sqs}
        for number in self._numbers():
            if number >= since:
                count += sum(_make(clients, *change) for change in _changes(self._folder.journal / str(number)))
        return count

    def _numbers(self) -> list[int]:
        return sorted(int(path.name) for path in self._folder.journal.iterdir() if path.name.isdigit())


def beginning(snapshot: Path) -> int:
    """Return the number of the first file whose changes the snapshot lacks; 1 if there was no journal then."""
    path = snapshot / BEGINNING
    return int(path.read_text()) if path.exists() else 1


def _write(file: IO[bytes], line: bytes) -> None:
    """Write a line, or nothing if the disk has no room for all of it: behind half of one, the next would be lost."""
    if (written := file.write(line)) != len(line):
        file.truncate(file.tell() - written)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _changes(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the changes of a file. A kill may leave half a line at its end, whose caller has no response."""
    for line in path.read_bytes().splitlines():
        try:
            target, body = json.loads(line)
            yield target, json.loads(body)
        except ValueError:
            logger.warning("half a line in %s", path)


def _make(clients: Mapping[str, Any], target: str, arguments: dict[str, Any]) -> bool:
    """Make a change. A refused one was made before the snapshot; its condition no longer holds."""
    arguments.pop("ClientRequestToken", None)
    service, _, operation = target.partition(".")
    try:
        getattr(clients[service], WORD.sub("_", operation).lower())(**arguments)
    except ClientError as error:
        logger.warning("not made again: %s", error)
        return False
    return True
