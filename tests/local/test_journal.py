"""The journal of changes: a snapshot and the journal after it are the state at any moment."""

import json
from typing import Any

from botocore.exceptions import ClientError

from tests.support.little_room import little_room
from tools.local import journal as journals
from tools.local.data_folder import DataFolder
from tools.local.journal import QUEUES, TABLES, Journal


class Table:
    """A table that takes PutItem and UpdateItem of whole items. Each item can be put once."""

    def __init__(self) -> None:
        self.items: list[dict[str, Any]] = []

    def put_item(self, **arguments: Any) -> None:
        if arguments in self.items:
            raise ClientError({"Error": {"Code": "ConditionalCheckFailedException", "Message": ""}}, "PutItem")
        self.items.append(arguments)

    transact_write_items = put_item


class Queue:
    """A queue that takes messages."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []

    def send_message(self, **arguments: Any) -> None:
        self.messages.append(arguments)


def item(number: int) -> dict[str, Any]:
    return {"TableName": "t", "Item": {"name": {"S": f"ä{number}\n"}}}


def note(journal: Journal, number: int, operation: str = "PutItem") -> None:
    journal.note(f"{TABLES}.{operation}", json.dumps({**item(number), "ClientRequestToken": "x"}).encode())


def replayed(folder: DataFolder, *, since: int) -> list[dict[str, Any]]:
    (folder.state / journals.BEGINNING).write_text(f"{since}")
    table = Table()
    assert Journal(folder).replay(table, Queue()) == len(table.items)
    return table.items


def test_changes_after_a_snapshot_are_made_again_in_their_order(folder: DataFolder) -> None:
    journal = Journal(folder)
    note(journal, 0)  # before the first snapshot of a run: it has this change
    first = journal.rotate()
    for number in (1, 2):
        note(journal, number)
    second = journal.rotate()
    note(journal, 3, "TransactWriteItems")
    journal.close()

    assert replayed(folder, since=first) == [item(1), item(2), item(3)]
    assert replayed(folder, since=second) == [item(3)]


def test_a_change_that_the_snapshot_has_is_refused_and_the_others_are_made(folder: DataFolder) -> None:
    journal = Journal(folder)
    since = journal.rotate()
    for number in (1, 1, 2):
        note(journal, number)
    journal.close()

    assert replayed(folder, since=since) == [item(1), item(2)]


def test_a_message_is_sent_again(folder: DataFolder) -> None:
    message, queue = {"QueueUrl": "http://queue", "MessageBody": "ä"}, Queue()
    journal = Journal(folder)
    (folder.state / journals.BEGINNING).write_text(f"{journal.rotate()}")
    journal.note(f"{QUEUES}.SendMessage", json.dumps(message).encode())
    journal.close()

    assert Journal(folder).replay(Table(), queue) == 1
    assert queue.messages == [message]


def test_half_a_line_at_the_end_is_a_change_whose_caller_has_no_response(folder: DataFolder) -> None:
    journal = Journal(folder)
    since = journal.rotate()
    for number in (1, 2):
        note(journal, number)
    journal.close()
    path = folder.journal / str(since)
    path.write_bytes(path.read_bytes()[:-5])

    assert replayed(folder, since=since) == [item(1)]


def test_the_next_run_goes_on_behind_the_last_ones_files(folder: DataFolder) -> None:
    journal = Journal(folder)
    since = journal.rotate()
    note(journal, 1)
    journal.close()
    following = Journal(folder)
    assert following.rotate() > since
    assert following.rotate() == following.rotate(), "an empty file is not left"
    following.close()

    assert replayed(folder, since=since) == [item(1)]


def test_files_that_no_kept_snapshot_needs_are_removed(folder: DataFolder) -> None:
    journal = Journal(folder)
    numbers = []
    for number in range(1, 4):
        numbers.append(journal.rotate())
        note(journal, number)
        (folder.snapshots / f"{number}").mkdir()
        (folder.snapshots / f"{number}" / journals.BEGINNING).write_text(f"{numbers[-1]}")
    (folder.snapshots / "1" / journals.BEGINNING).unlink()
    (folder.snapshots / "1").rmdir()

    journal.forget()
    journal.close()

    assert sorted(int(path.name) for path in folder.journal.iterdir()) == numbers[1:]


def test_a_snapshot_from_before_there_was_a_journal_lacks_all_of_it(folder: DataFolder) -> None:
    assert journals.beginning(folder.state) == 1


def test_a_change_that_the_disk_has_no_room_for_takes_no_later_one_with_it(folder: DataFolder) -> None:
    journal = Journal(folder)
    since = journal.rotate()
    note(journal, 1)
    room = (folder.journal / str(since)).stat().st_size + 5
    with little_room(room):
        note(journal, 2)
    note(journal, 3)
    journal.close()

    assert replayed(folder, since=since) == [item(1), item(3)]
