"""Callbacks on their way: what is sent, and where, as a message of the SQS queue that calls notify/."""

import json
import re
from dataclasses import asdict, dataclass

from shared.queues import Queue

ID = re.compile(r"[A-Za-z0-9_-]{1,128}")  # sent in a header, and signed with dots around it
FIELDS = {"id": str, "url": str, "insecure": bool, "payload": str}  # of a message, by their types


class MalformedCallback(Exception):
    """A message that is not a callback."""


@dataclass(frozen=True, slots=True)
class Callback:
    """What is sent, and where."""

    id: str  # the upload's; <id>-2 of the second one for an upload that was given up and has ended later
    url: str
    insecure: bool  # whether the receiver's certificate is left unchecked
    payload: str  # the JSON text, exactly as it is sent and signed
    request: str = ""  # the id of the request that it began with, for the log; messages of 0.1 have none


def text_of(callback: Callback) -> str:
    """Return the body of the callback's message."""
    return json.dumps(asdict(callback))


def parse(text: str) -> Callback:
    """Return the callback in the body of a message.

    Raise MalformedCallback if a field is missing or wrong. Ignore unknown fields, so that a later release may add some.
    """
    try:
        document = json.loads(text)
        values = {name: document[name] for name in FIELDS}
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise MalformedCallback from error
    if not all(isinstance(values[name], kind) for name, kind in FIELDS.items()):
        raise MalformedCallback
    if not (ID.fullmatch(values["id"]) and _is_text(values["payload"])):
        raise MalformedCallback
    request = document.get("request", "")
    return Callback(**values, request=request if isinstance(request, str) else "")


def _is_text(payload: str) -> bool:
    """Return whether the payload can be sent as UTF-8, which lone surrogates cannot."""
    return payload == payload.encode(errors="ignore").decode()


class CallbackQueue(Queue):
    """The queue of callbacks."""

    def put(self, callback: Callback) -> None:
        """Have a callback sent soon, and again until it is received."""
        self.send(text_of(callback))
