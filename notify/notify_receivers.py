"""The SQS queue of callbacks: sends those of a batch at the same time, and says which have to come again.

Delivered, 410 Gone and an address that is refused end a callback: it is deleted, and the log tells.  What failed
otherwise comes again by the schedule of backoff.py, with the same webhook-id, and after its last attempt goes to the
dead-letter queue.  So does a message that is no callback, without waiting: people may look what it is.
"""

import os
import random
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

import backoff
import delivery
from callback_secret import SigningKeyMissing, signing_key
from delivery import Attempt, DeliveryLimits, Outcome
from shared import aws, logs
from shared.cached import Refreshing
from shared.entry import entry
from shared.errors import Unavailable
from shared.uploads import callbacks
from shared.uploads.callback_url import CallbackRules
from shared.uploads.callbacks import Callback, CallbackQueue

GRACE = 1.0  # seconds beyond an attempt's own; only a resolver that hangs is not done by then

Record = Mapping[str, Any]


@entry
def handler(event: Mapping[str, Any]) -> dict[str, Any]:
    """Send the callbacks of a batch. Return the messages that SQS must keep and deliver again."""
    records, failed = event["Records"], []
    sent = [_callback(record) for record in records]
    for record, callback, attempt in zip(records, sent, _attempts(sent), strict=True):
        _log(record, callback, attempt)
        if not attempt.outcome.is_final:
            failed.append({"itemIdentifier": record["messageId"]})
            _postpone(record, attempt)
    return {"batchItemFailures": failed}


def _callback(record: Record) -> Callback | None:
    """The record's callback; None if it is none."""
    try:
        return callbacks.parse(record["body"])
    except callbacks.MalformedCallback:
        return None


def _attempts(sent: Sequence[Callback | None]) -> list[Attempt]:
    """One attempt of each, at the same time; one that hangs is left to itself and counts as late."""
    try:
        key = _signing_key().get()
    except SigningKeyMissing as error:
        logs.failure("callbacks", error)
        return [Attempt(Outcome.UNSIGNED) for _ in sent]
    limits = _limits()
    delivery.trust(insecure=False)  # made once here, or else by each thread of a cold start
    pool = ThreadPoolExecutor(max_workers=len(sent))
    tasks = [pool.submit(_attempt, callback, key, limits) for callback in sent]
    done, _ = wait(tasks, limits.seconds + GRACE)
    pool.shutdown(wait=False)
    return [task.result() if task in done else Attempt(Outcome.TIMED_OUT) for task in tasks]


def _attempt(callback: Callback | None, key: bytes, limits: DeliveryLimits) -> Attempt:
    """One attempt; a bug that it meets is no other callback's trouble."""
    if callback is None:
        return Attempt(Outcome.MALFORMED)
    try:
        return delivery.deliver(callback, key, limits)
    except Exception as error:
        logs.failure(callback.id, error)
        return Attempt(Outcome.FAILED)


def _log(record: Record, callback: Callback | None, attempt: Attempt) -> None:
    """The line that each attempt has; of the address only its kind is shown."""
    logs.log().info(
        "%s callback %s, attempt %d of %d, %s: %s %s",
        *(record["messageId"], callback.id if callback else "-", _number(record), backoff.ATTEMPTS),
        *(attempt.kind, attempt.outcome.value, attempt.status or "-"),
    )


def _postpone(record: Record, attempt: Attempt) -> None:
    """Set when the message comes again; where SQS fails it comes after the queue's own time, which does no harm."""
    hopeless = attempt.outcome is Outcome.MALFORMED
    seconds = 0 if hopeless else backoff.delay(_number(record), random.SystemRandom())
    try:
        _queue().postpone(record["receiptHandle"], seconds)
    except (BotoCoreError, ClientError, Unavailable) as error:
        logs.failure(record["messageId"], error)


def _number(record: Record) -> int:
    """Which attempt this is, the first being 1."""
    return int(record["attributes"]["ApproximateReceiveCount"])


def _limits() -> DeliveryLimits:
    """What the template's parameters say."""
    return DeliveryLimits(
        seconds=float(os.environ.get("CALLBACK_TIMEOUT") or delivery.TIMEOUT),
        rules=CallbackRules.of_environment(),
    )


@cache
def _signing_key() -> Refreshing[bytes]:
    return signing_key(aws.secrets, os.environ["CALLBACK_SECRET_ID"])


def _queue() -> CallbackQueue:
    return CallbackQueue(aws.sqs(), os.environ["CALLBACK_QUEUE_URL"])
