"""The queue in which S3 reports each file that came by a form: the file becomes an image, and a callback is sent.

A report comes at least once, in any order, perhaps twice at the same time, and again after a failure. ingest_upload.py
therefore only does what is not done yet.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote_plus

from ingest_upload import give_up, ingest
from shared import logs, metrics, writes
from shared.entry import entry
from shared.metrics import Measured
from shared.settings import read_settings
from shared.writes import WritesClosed

# The queue's maxReceiveCount (template.yaml) is one more, for calls that were killed and so could not give up. In that
# last call the upload is given up. SQS then moves the message to the dead-letter queue.
ATTEMPTS = 5


@entry
def handler(event: Mapping[str, Any]) -> dict[str, Any]:
    """Ingest the files of a batch. Return the messages that SQS must keep and deliver again.

    While writes are closed, these are all of them, and no upload is given up.  The template stops the queue's messages
    then, so this is for the few that are on their way.
    """
    failed = [message["messageId"] for message in event["Records"] if not _done(message)]
    return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in failed]}


def _done(message: Mapping[str, Any]) -> bool:
    """Ingest the files that a message reports. Return False, and log why, if the message must come again."""
    count = int(message.get("attributes", {}).get("ApproximateReceiveCount", 1))
    go_on = give_up if count > ATTEMPTS else ingest
    with logs.about(message_id=message["messageId"]), metrics.measured() as measured:
        try:
            writes.require_open(read_settings())
            for upload_id in upload_ids(json.loads(message["body"])):
                _take_in(upload_id, go_on, measured)
        except Exception as error:
            if not isinstance(error, WritesClosed):
                metrics.count_by("Failed", "ingest")
            logs.failure(message["messageId"], error, measured)
            return False
    return True


def _take_in(upload_id: str, go_on: Callable[[str], str], measured: Measured) -> None:
    """Go on with an upload. Log the state that it has come to, with the id of the request that it began with."""
    logs.note(upload=upload_id)
    state = go_on(upload_id)
    metrics.count_by("Uploads", state or "expired")
    logs.log().info("upload %s is %s", upload_id, state, extra=metrics.members(measured))
    measured.clear()


def upload_ids(event: Mapping[str, Any]) -> Iterator[str]:
    """Yield the id of each upload whose file is in an event of S3. The event that S3 tests the queue with has none."""
    for record in event.get("Records", ()):
        yield unquote_plus(record["s3"]["object"]["key"]).removeprefix("incoming/")
