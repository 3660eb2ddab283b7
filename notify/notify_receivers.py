"""The SQS queue of callbacks: all callbacks of a batch are sent at the same time.

A callback ends when it is delivered, when the receiver answers 410 Gone, and when its URL is refused: its message is
deleted, and the log says why. After any other failure the message comes again by the schedule of backoff.py, with the
same webhook-id. After its last attempt it goes to the dead-letter queue. A message that is not a callback goes there
without delays, so that operators can look at it.
"""

import os
import random
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

import delivery
import signature
from backoff import CALLBACKS
from callback_secret import SigningKeyMissing, signing_keys
from delivery import Attempt, DeliveryLimits, Outcome
from shared import aws, logs, metrics
from shared.cached import Refreshing
from shared.entry import entry
from shared.errors import Unavailable
from shared.uploads import callbacks
from shared.uploads.callback_url import CallbackRules
from shared.uploads.callbacks import Callback, CallbackQueue

GRACE = 1.0  # seconds after an attempt's own; only a resolver that hangs is still busy then

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
    """Return the record's callback, or None if it is malformed."""
    try:
        return callbacks.parse(record["body"])
    except callbacks.MalformedCallback:
        return None


def _attempts(sent: Sequence[Callback | None]) -> list[Attempt]:
    """Make one attempt for each callback, all at the same time. One that hangs is abandoned and counts as timed out."""
    try:
        keys = _signing_keys().get()
    except SigningKeyMissing as error:
        logs.failure("callbacks", error)
        return [Attempt(Outcome.UNSIGNED) for _ in sent]
    limits = _limits()
    delivery.trust(insecure=False)  # load it once here, not in each thread of a cold start
    pool = ThreadPoolExecutor(max_workers=len(sent))
    tasks = [pool.submit(_attempt, callback, keys, limits) for callback in sent]
    done, _ = wait(tasks, limits.seconds + GRACE)
    pool.shutdown(wait=False)
    return [task.result() if task in done else Attempt(Outcome.TIMED_OUT) for task in tasks]


def _attempt(callback: Callback | None, keys: signature.Keys, limits: DeliveryLimits) -> Attempt:
    """Make one attempt. A bug in it does not affect the other callbacks."""
    if callback is None:
        return Attempt(Outcome.MALFORMED)
    with logs.about(request=callback.request):
        try:
            return delivery.deliver(callback, keys, limits)
        except Exception as error:
            logs.failure(callback.id, error)
            return Attempt(Outcome.FAILED)


def _log(record: Record, callback: Callback | None, attempt: Attempt) -> None:
    """Write one line for the attempt. It has only the kind of the URL, not the URL."""
    fields = {"request": callback.request if callback else "", "outcome": attempt.outcome.value}
    with metrics.measured() as measured:
        if attempt.outcome.is_ours:
            metrics.count_by("Failed", "notify")
        logs.log().info(
            "%s callback %s, attempt %d of %d, %s: %s %s",
            *(record["messageId"], callback.id if callback else "-", _number(record), CALLBACKS.attempts),
            *(attempt.kind, attempt.outcome.value, attempt.status or "-"),
            extra={**fields, **metrics.members(measured)},
        )


def _postpone(record: Record, attempt: Attempt) -> None:
    """Set when the message comes again. If SQS fails, it comes after the queue's own time, which does no harm."""
    is_hopeless = attempt.outcome is Outcome.MALFORMED
    seconds = 0 if is_hopeless else CALLBACKS.delay(_number(record), random.SystemRandom())
    try:
        _queue().postpone(record["receiptHandle"], seconds)
    except (BotoCoreError, ClientError, Unavailable) as error:
        logs.failure(record["messageId"], error)


def _number(record: Record) -> int:
    """Return the number of this attempt; the first is 1."""
    return int(record["attributes"]["ApproximateReceiveCount"])


def _limits() -> DeliveryLimits:
    """Read the limits from the variables that the template's parameters fill."""
    return DeliveryLimits(
        seconds=float(os.environ.get("CALLBACK_TIMEOUT") or delivery.TIMEOUT),
        rules=CallbackRules.of_environment(),
    )


@cache
def _signing_keys() -> Refreshing[signature.Keys]:
    return signing_keys(aws.secrets, os.environ["CALLBACK_SECRET_ID"])


def _queue() -> CallbackQueue:
    return CallbackQueue(aws.sqs(), os.environ["CALLBACK_QUEUE_URL"])
