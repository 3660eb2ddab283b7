"""S3 reports through a queue that a file came by a form: it becomes an image, is recognised, and its callback is sent.

The queue tells at least once, in any order, perhaps twice at the same time, and again after a failure; ingest_upload.py
does what is not done yet.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote_plus

from ingest_upload import give_up, ingest
from shared import logs
from shared.entry import entry

# The queue's maxReceiveCount (template.yaml) is one more: a function that was killed each time cannot say so itself.
# SQS then moves the message to the dead-letter queue.
ATTEMPTS = 5


@entry
def handler(event: Mapping[str, Any]) -> dict[str, Any]:
    """The messages that have to come again, as SQS takes them."""
    failed = [message["messageId"] for message in event["Records"] if not _done(message)]
    return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in failed]}


def _done(message: Mapping[str, Any]) -> bool:
    count = int(message.get("attributes", {}).get("ApproximateReceiveCount", 1))
    go_on = give_up if count > ATTEMPTS else ingest
    try:
        for upload_id in upload_ids(json.loads(message["body"])):
            state = go_on(upload_id)
            logs.log().info("upload %s is %s", upload_id, state)
    except Exception as error:
        logs.failure(message["messageId"], error)
        return False
    return True


def upload_ids(event: Mapping[str, Any]) -> Iterator[str]:
    """The uploads whose files an event of S3 tells of; none in the one that S3 sends to try the queue."""
    for record in event.get("Records", ()):
        yield unquote_plus(record["s3"]["object"]["key"]).removeprefix("incoming/")
