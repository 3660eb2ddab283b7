"""Callbacks on their way: what is sent, and where, as a message of the SQS queue that notify/ is called with."""

import json
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

ID = re.compile(r"[A-Za-z0-9_-]{1,128}")  # it is sent in a header, and signed with dots around it


class MalformedCallback(Exception):
    """This text is no callback."""


@dataclass(frozen=True, slots=True)
class Callback:
    """What is sent, and where."""

    id: str  # the upload's
    url: str
    insecure: bool  # whether the receiver's certificate is left unchecked
    payload: str  # the JSON text, exactly as it is sent and signed


def text_of(callback: Callback) -> str:
    """The body of the message."""
    return json.dumps(asdict(callback))


def parse(text: str) -> Callback:
    """The callback that a message's body is; MalformedCallback if it is none."""
    try:
        callback = Callback(**json.loads(text))
        callback.payload.encode()
    except (ValueError, TypeError, AttributeError) as error:
        raise MalformedCallback from error
    if not (isinstance(callback.id, str) and ID.fullmatch(callback.id)):
        raise MalformedCallback
    if not (
        isinstance(callback.url, str) and isinstance(callback.payload, str) and isinstance(callback.insecure, bool)
    ):
        raise MalformedCallback
    return callback


class CallbackQueue:
    """The queue at this URL."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client, self._url = client, url

    def put(self, callback: Callback) -> None:
        """Have a callback sent, soon and until it is received."""
        self._client.send_message(QueueUrl=self._url, MessageBody=text_of(callback))

    def postpone(self, receipt: str, seconds: int) -> None:
        """Have the message of this receipt come again after so many seconds, not after the queue's own time."""
        self._client.change_message_visibility(QueueUrl=self._url, ReceiptHandle=receipt, VisibilityTimeout=seconds)
