"""S3 tells through a queue that a file came by a form: it becomes an image, is recognised, and its callback is sent.

The queue tells at least once, in any order, perhaps twice at the same time, and again after a failure; receiving.py
does what is not done yet.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote_plus

from receiving import receive
from shared import deadline, end_cold_start, logs

ATTEMPTS = 5  # the queue's maxReceiveCount (template.yaml); SQS then moves the message to the dead-letter queue


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """The messages that have to come again, as SQS wants to be told."""
    failed = [message["messageId"] for message in event["Records"] if not _done(message, context)]
    end_cold_start()
    return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in failed]}


def _done(message: Mapping[str, Any], context: Any) -> bool:
    is_last = int(message.get("attributes", {}).get("ApproximateReceiveCount", 1)) >= ATTEMPTS
    try:
        for upload_id in upload_ids(json.loads(message["body"])):
            with deadline.of(context):
                state = receive(upload_id, is_last=is_last)
            logs.log().info("upload %s is %s", upload_id, state)
    except Exception as error:
        logs.failure(message["messageId"], error)
        return False
    return True


def upload_ids(event: Mapping[str, Any]) -> Iterator[str]:
    """The uploads whose files an event of S3 tells of; none in the one that S3 sends to try the queue."""
    for record in event.get("Records", ()):
        yield unquote_plus(record["s3"]["object"]["key"]).removeprefix("incoming/")
