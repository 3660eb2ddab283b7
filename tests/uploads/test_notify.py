"""Callbacks of a queue: what failed comes again by the schedule, and each callback ends as it should."""

import json
import logging
import random
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, wait
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from threading import Barrier, Event
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook

import delivery
import notify_receivers
import signature
from backoff import CALLBACKS
from delivery import Attempt, DeliveryLimits
from shared import aws
from shared.uploads import callbacks
from shared.uploads.callbacks import Callback, CallbackQueue
from tests.support import receivers
from tests.support.callbacks import PATIENCE, PAYLOAD, SECRET, callback
from tests.support.log_lines import fields_of
from tests.support.receivers import NAME, serving, status

MARKER = "m4rker"  # in what must not be in the log


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return receivers.certificate(tmp_path_factory.mktemp("certificate"))


# -- the schedule -----------------------------------------------------------------------------------------------------


@given(st.integers())
def test_attempts_are_spread_over_a_day(seed: int) -> None:
    rng = random.Random(seed)
    delays = [CALLBACKS.delay(attempt, rng) for attempt in range(1, CALLBACKS.attempts)]
    assert 20 * 3600 < sum(delays) < 27 * 3600
    assert 24 <= delays[0] <= 36
    assert all(0 < delay <= 12 * 3600 for delay in delays), "SQS hides a message for 12 hours at most"
    assert [CALLBACKS.delay(CALLBACKS.attempts + later, rng) for later in range(3)] == [0, 0, 0]


def test_the_schedule_has_the_figures_of_its_comment() -> None:
    class Middle(random.Random):
        def uniform(self, a: float, b: float) -> float:
            return (a + b) / 2

    delays = [CALLBACKS.delay(attempt, Middle()) for attempt in range(1, CALLBACKS.attempts)]
    assert delays[:10] == [30 * 2**n for n in range(10)]
    assert delays[10:] == [18_000] * 3
    assert sum(delays) == 84_690


# -- the function on its queue --------------------------------------------------------------------------------------


class Queue:
    """The queue with its dead-letter queue, polled as by Lambda."""

    def __init__(self) -> None:
        sqs = aws.sqs()
        self.dead = sqs.create_queue(QueueName="dead-callbacks")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=self.dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": CALLBACKS.attempts})
        attributes: Any = {"RedrivePolicy": redrive, "VisibilityTimeout": "60"}
        self.url = sqs.create_queue(QueueName="tried-callbacks", Attributes=attributes)["QueueUrl"]
        self.postponed: list[int] = []
        sqs.meta.events.register("provide-client-params.sqs.ChangeMessageVisibility", self._note)

    def _note(self, params: dict[str, Any], **_: Any) -> None:
        self.postponed.append(params["VisibilityTimeout"])

    def put(self, *bodies: str) -> None:
        for body in bodies:
            aws.sqs().send_message(QueueUrl=self.url, MessageBody=body)

    def poll(self) -> int:
        """Call the function with a batch and delete the messages that it did not report. Return how many were in it."""
        found = aws.sqs().receive_message(QueueUrl=self.url, MaxNumberOfMessages=10, AttributeNames=["All"])
        messages = found.get("Messages", [])
        records = [
            {"messageId": m["MessageId"], "receiptHandle": m["ReceiptHandle"], "body": m["Body"]}
            | {"attributes": m["Attributes"]}
            for m in messages
        ]
        if records:
            answer = notify_receivers.handler({"Records": records}, None)
            failed = {item["itemIdentifier"] for item in answer["batchItemFailures"]}
            for m in messages:
                if m["MessageId"] not in failed:
                    aws.sqs().delete_message(QueueUrl=self.url, ReceiptHandle=m["ReceiptHandle"])
        return len(records)

    def left(self, url: str = "") -> int:
        names: Any = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        counts = aws.sqs().get_queue_attributes(QueueUrl=url or self.url, AttributeNames=names)["Attributes"]
        return sum(map(int, counts.values()))


@pytest.fixture
def queue(moto_aws: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[Queue]:
    caplog.set_level(logging.INFO)
    made = Queue()
    monkeypatch.setenv("CALLBACK_QUEUE_URL", made.url)
    monkeypatch.setenv("CALLBACK_TIMEOUT", f"{PATIENCE}")
    monkeypatch.setenv("CALLBACK_ALLOW_LOOPBACK", "true")
    monkeypatch.setenv("CALLBACK_SECRET_ID", "callbacks")
    aws.secrets().create_secret(Name="callbacks", SecretString=SECRET)
    notify_receivers._signing_keys.cache_clear()
    yield made
    notify_receivers._signing_keys.cache_clear()


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what failed come again without waiting."""
    monkeypatch.setattr(notify_receivers, "CALLBACKS", CALLBACKS._replace(first=0.0))


def test_what_failed_comes_again_with_the_same_id_until_it_is_delivered(
    queue: Queue, pem: Path, at_once: None, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(status(500), status(503), status(200), pem=pem) as server:
        CallbackQueue(aws.sqs(), queue.url).put(callback(server.url, insecure=True))
        while queue.poll():
            pass
    assert [got.headers["webhook-id"] for got in server.received] == ["upload-1"] * 3
    for got in server.received:
        assert Webhook(SECRET).verify(got.body, got.headers) == json.loads(PAYLOAD)
    assert queue.left() == queue.left(queue.dead) == 0
    lines = [record.getMessage() for record in caplog.records if " callback " in record.getMessage()]
    assert [line.partition("upload-1, ")[2] for line in lines] == [
        "attempt 1 of 14, https IPv4: rejected 500",
        "attempt 2 of 14, https IPv4: rejected 503",
        "attempt 3 of 14, https IPv4: delivered 200",
    ]


def test_what_fails_at_every_attempt_goes_to_the_dead_letter_queue(queue: Queue, pem: Path, at_once: None) -> None:
    with serving(status(500), pem=pem) as server:
        queue.put(callbacks.text_of(callback(server.url, insecure=True)))
        while queue.poll():
            pass
    assert len(server.received) == CALLBACKS.attempts
    assert queue.left() == 0
    assert queue.left(queue.dead) == 1


def test_only_the_failed_ones_of_a_batch_come_again_after_their_delays(
    queue: Queue, pem: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        serving(pem=pem) as good,
        serving(status(500), pem=pem) as bad,
        serving(status(410), pem=pem) as gone,
    ):
        sent = [callback(server.url, id=f"upload-{n}", insecure=True) for n, server in enumerate((good, bad, gone))]
        sent += [
            callback(url, id="upload-secret") for url in (f"https://10.0.0.1/{MARKER}", f"ftp://a.example/?{MARKER}")
        ]
        queue.put(*map(callbacks.text_of, sent), MARKER)
        assert queue.poll() == len(sent) + 1
    assert [len(server.received) for server in (good, bad, gone)] == [1, 1, 1]
    (first, second) = sorted(queue.postponed)
    assert first == 0, "a message that is not a callback must not wait"
    assert 24 <= second <= 36
    assert queue.left() == 2
    for outcome in ("delivered 200", "rejected 500", "gone 410", "address refused -", "malformed -"):
        assert outcome in caplog.text
    lines = [record.getMessage() for record in caplog.records if record.name == "petapi"]
    assert len(lines) == len(sent) + 1
    assert not any(MARKER in line or "10.0.0.1" in line or PAYLOAD in line for line in lines)


def test_receivers_of_a_batch_do_not_wait_for_each_other(queue: Queue, pem: Path) -> None:
    """Each receiver answers only when all have been asked."""
    all_asked = Barrier(8)

    def answer(handler: BaseHTTPRequestHandler) -> None:
        all_asked.wait(PATIENCE / 2)
        status(200)(handler)

    with serving(answer, pem=pem) as server:
        queue.put(*(callbacks.text_of(callback(server.url, id=f"u{n}", insecure=True)) for n in range(8)))
        assert queue.poll() == 8
    assert sorted(got.headers["webhook-id"] for got in server.received) == [f"u{n}" for n in range(8)]
    assert queue.left() == 0


def test_a_resolver_that_hangs_holds_up_no_other_callback(
    queue: Queue, pem: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time of the batch is up as soon as the other callback is done."""
    deliver, answered, polled, ended = delivery.deliver, Event(), Event(), Event()

    def hang(*_: Any, **__: Any) -> list[Any]:
        polled.wait(PATIENCE)
        answered.set()
        return []

    def hanging(sent: Callback, keys: signature.Keys, limits: DeliveryLimits) -> Attempt:
        try:
            return deliver(sent, keys, limits, getaddrinfo=hang)
        finally:
            ended.set()

    def until_one_is_done(tasks: Any, seconds: float) -> Any:
        assert seconds == PATIENCE + notify_receivers.GRACE
        return wait(tasks, return_when=FIRST_COMPLETED)

    monkeypatch.setattr(notify_receivers, "wait", until_one_is_done)
    monkeypatch.setattr(
        delivery, "deliver", lambda sent, *rest: (hanging if NAME in sent.url else deliver)(sent, *rest)
    )
    with serving(pem=pem) as server:
        queue.put(*(callbacks.text_of(callback(url, insecure=True)) for url in (server.url, f"https://{NAME}/")))
        assert queue.poll() == 2
        assert not answered.is_set(), "it waited for the resolver"
    polled.set()
    assert len(server.received) == 1
    assert queue.left() == 1
    assert ended.wait(PATIENCE)  # its thread must not outlive the test


def test_a_bug_with_one_callback_does_not_affect_the_others(
    queue: Queue, pem: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    deliver = delivery.deliver

    def buggy(sent: Callback, keys: signature.Keys, limits: DeliveryLimits) -> Attempt:
        if sent.id == "upload-2":
            raise KeyError(MARKER)
        return deliver(sent, keys, limits)

    monkeypatch.setattr(delivery, "deliver", buggy)
    with serving(pem=pem) as server:
        queue.put(*(callbacks.text_of(callback(server.url, id=f"upload-{n}", insecure=True)) for n in (1, 2, 3)))
        queue.poll()
    assert len(server.received) == 2
    assert queue.left() == 1
    assert "upload-2 failed" in caplog.text
    assert MARKER not in caplog.text


def test_the_line_of_an_attempt_has_the_id_of_the_request_that_the_upload_began_with(
    queue: Queue, caplog: pytest.LogCaptureFixture
) -> None:
    queue.put(callbacks.text_of(replace(callback("ftp://refused/"), request="a-request")))
    queue.put('{"id": "u", "url": "ftp://refused/", "insecure": false, "payload": "{}"}')  # as 0.1 wrote them
    while queue.poll():
        pass
    lines = [fields_of(record) for record in caplog.records if " callback " in record.getMessage()]
    assert sorted((line["request"], line["outcome"]) for line in lines) == [
        ("", "address refused"),
        ("a-request", "address refused"),
    ]


def test_all_come_again_later_if_the_secret_has_no_key(
    queue: Queue, pem: Path, caplog: pytest.LogCaptureFixture
) -> None:
    aws.secrets().put_secret_value(SecretId="callbacks", SecretString=MARKER)
    with serving(pem=pem) as server:
        queue.put(*(callbacks.text_of(callback(server.url, id=f"upload-{n}", insecure=True)) for n in range(3)))
        queue.poll()
    assert server.received == []
    assert queue.left() == 3
    assert len(queue.postponed) == 3
    assert "BadSecret" in caplog.text
    assert MARKER not in caplog.text


def test_a_failed_one_is_reported_even_if_its_delay_cannot_be_set(
    queue: Queue, pem: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "ServiceUnavailable", "Message": MARKER}}, "ChangeMessageVisibility")

    aws.sqs().meta.events.register("provide-client-params.sqs.ChangeMessageVisibility", fail)
    with serving(status(500), pem=pem) as server:
        queue.put(callbacks.text_of(callback(server.url, insecure=True)))
        queue.poll()
    assert queue.left() == 1
    assert "ClientError ChangeMessageVisibility ServiceUnavailable" in caplog.text
    assert MARKER not in caplog.text
