"""Callbacks reach their receivers signed, in time and nobody else; what failed comes again, and ends as it should."""

import itertools
import json
import logging
import random
import ssl
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from threading import Barrier, Event
from typing import Any

import certifi
import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook

import backoff
import delivery
import notify_receivers
import signature
from callback_secret import SigningKeyMissing, signing_key
from delivery import Attempt, DeliveryLimits, Outcome
from shared import aws
from shared.uploads import callbacks
from shared.uploads.callback_url import CallbackRules
from shared.uploads.callbacks import Callback, CallbackQueue, MalformedCallback
from tests.support import receivers
from tests.support.receivers import NAME, Resolver, Server, drip, serving, status

SECRET = "whsec_" + "Petapi0123456789" * 4
KEY = signature.key_of(SECRET)
PATIENCE = 30.0  # seconds where nothing is meant to time out, on a busy machine
LOOPBACK = CallbackRules(allow_loopback=True)
HTTP_TOO = CallbackRules(allow_http=True, allow_loopback=True)
LIMITS = DeliveryLimits(PATIENCE, LOOPBACK)
MARKER = "m4rker"  # in what is not for the log
PAYLOAD = json.dumps({"id": "upload-1", "state": "done", "text": "Kätzchen"}, ensure_ascii=False)


def callback(url: str, *, id: str = "upload-1", insecure: bool = False) -> Callback:  # noqa: A002 (as its field)
    return Callback(id, url, insecure, PAYLOAD)


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return receivers.certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def trusted(pem: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A certificate that counts as one of a public authority."""
    monkeypatch.setattr(certifi, "where", lambda: str(pem))
    delivery.trust.cache_clear()
    yield pem
    delivery.trust.cache_clear()


def at_its_name(server: Server) -> str:
    return f"https://{NAME}:{server.port}/done?x=1"


def to_loopback() -> Resolver:
    return Resolver(["127.0.0.1"])


# -- one attempt ----------------------------------------------------------------------------------------------------


def test_a_callback_arrives_as_it_was_signed(trusted: Path) -> None:
    with serving(pem=trusted) as server:
        sent = callback(at_its_name(server))
        assert delivery.deliver(sent, KEY, LIMITS, getaddrinfo=to_loopback()) == Attempt(
            Outcome.DELIVERED, 200, "https name"
        )
    (got,) = server.received
    assert got.path == "/done?x=1"
    assert got.body == PAYLOAD
    assert got.headers["Host"] == f"{NAME}:{server.port}"
    assert got.headers["Content-Type"] == "application/json"
    assert Webhook(SECRET).verify(got.body, got.headers) == json.loads(PAYLOAD)


def test_the_name_that_is_looked_up_is_connected_to_and_not_looked_up_again(trusted: Path) -> None:
    rebinding = Resolver(["127.0.0.1"], ["10.0.0.1"])
    with serving(pem=trusted) as server:
        attempt = delivery.deliver(callback(at_its_name(server)), KEY, LIMITS, getaddrinfo=rebinding)
    assert attempt.outcome is Outcome.DELIVERED
    assert rebinding.asked == 1


def test_a_certificate_of_nobody_is_refused_unless_it_is_left_unchecked(pem: Path) -> None:
    with serving(pem=pem) as server:
        assert delivery.deliver(callback(server.url), KEY, LIMITS).outcome is Outcome.UNTRUSTED
        assert server.received == []
        insecure = callback(server.url, insecure=True)
        assert delivery.deliver(insecure, KEY, LIMITS).outcome is Outcome.DELIVERED
        assert delivery.deliver(callback(server.url), KEY, LIMITS).outcome is Outcome.UNTRUSTED
    assert len(server.received) == 1


def test_a_certificate_of_another_name_is_refused(trusted: Path) -> None:
    with serving(pem=trusted) as server:
        url = f"https://other.test:{server.port}/"
        attempt = delivery.deliver(callback(url), KEY, LIMITS, getaddrinfo=to_loopback())
    assert attempt.outcome is Outcome.UNTRUSTED
    assert server.received == []


def test_an_unchecked_certificate_opens_no_other_address(pem: Path) -> None:
    closed = DeliveryLimits(PATIENCE)
    with serving(pem=pem) as server:
        for url in (server.url, at_its_name(server), f"http://127.0.0.1:{server.port}/"):
            sent = callback(url, insecure=True)
            outcome = delivery.deliver(sent, KEY, closed, getaddrinfo=to_loopback()).outcome
            by_name = url == at_its_name(server)  # which another address may be given in the meantime
            assert (outcome, outcome.is_final) == ((Outcome.NOT_PUBLIC, False) if by_name else (Outcome.REFUSED, True))
    assert server.received == []


def test_http_goes_where_it_is_allowed() -> None:
    with serving() as server:
        assert delivery.deliver(callback(server.url), KEY, LIMITS).outcome is Outcome.REFUSED
        open_limits = DeliveryLimits(PATIENCE, HTTP_TOO)
        assert delivery.deliver(callback(server.url), KEY, open_limits) == Attempt(Outcome.DELIVERED, 200, "http IPv4")
    assert len(server.received) == 1


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        *((200, Outcome.DELIVERED), (202, Outcome.DELIVERED), (204, Outcome.DELIVERED), (410, Outcome.GONE)),
        *((304, Outcome.REJECTED), (400, Outcome.REJECTED), (404, Outcome.REJECTED), (500, Outcome.REJECTED)),
    ],
)
def test_the_status_decides(pem: Path, code: int, outcome: Outcome) -> None:
    with serving(status(code), pem=pem) as server:
        attempt = delivery.deliver(callback(server.url, insecure=True), KEY, LIMITS)
    assert (attempt.outcome, attempt.status) == (outcome, code)
    assert len(server.received) == 1


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(pem: Path, code: int) -> None:
    with serving(pem=pem) as elsewhere, serving(status(code, Location=elsewhere.url), pem=pem) as server:
        attempt = delivery.deliver(callback(server.url, insecure=True), KEY, LIMITS)
    assert (attempt.outcome, attempt.status) == (Outcome.REJECTED, code)
    assert elsewhere.received == []


def test_a_proxy_of_the_environment_is_not_asked(pem: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as proxy, serving(pem=pem) as server:
        for name in ("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert delivery.deliver(callback(server.url, insecure=True), KEY, LIMITS).outcome is Outcome.DELIVERED
    assert proxy.received == []


# What is written at once, and what then comes again and again.
DRIPS = {
    "says nothing": (b"", b""),
    "drips its status": (b"HTTP", b"1"),
    "drips a header": (b"HTTP/1.1 200 OK\r\nX-Long: ", b"a"),
    "drips headers": (b"HTTP/1.1 200 OK\r\n", b"A: a\r\n"),
    "says to continue again and again": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
}


@pytest.mark.parametrize("answer", DRIPS)
@pytest.mark.parametrize("scheme", ["https", "http"])
def test_an_answer_that_takes_its_time_is_cut_off(pem: Path, answer: str, scheme: str) -> None:
    limits = DeliveryLimits(2, HTTP_TOO)
    begins, goes_on = DRIPS[answer]
    pieces = itertools.chain([begins], itertools.repeat(goes_on, 600))  # of a minute
    with serving(drip(pieces, 0.1), pem=pem if scheme == "https" else None) as server:
        begun = time.monotonic()
        attempt = delivery.deliver(callback(server.url, insecure=True), KEY, limits)
        assert attempt.outcome is Outcome.TIMED_OUT
        assert time.monotonic() - begun >= limits.seconds
        assert list(pieces), "it was waited for to its end"
    assert len(server.received) == 1


def test_a_handshake_that_takes_its_time_is_cut_off() -> None:
    limits = DeliveryLimits(1, LOOPBACK)
    with receivers.dripping_handshake(0.05, pieces=1_200) as (port, at_its_end):
        begun = time.monotonic()
        attempt = delivery.deliver(callback(f"https://127.0.0.1:{port}/"), KEY, limits)
        assert attempt.outcome is Outcome.TIMED_OUT
        assert time.monotonic() - begun >= limits.seconds
        assert not at_its_end.is_set()


@pytest.mark.parametrize(
    ("piece", "pause", "count"), [(b"a" * 60_000, 0, 1_000), (b"a", 0.01, 6_000)], ids=["huge", "dripping"]
)
def test_no_more_of_a_body_is_read_than_the_limits_say(pem: Path, piece: bytes, pause: float, count: int) -> None:
    """The status has told by then: the callback is delivered."""
    limits = DeliveryLimits(2, LOOPBACK)
    pieces = itertools.repeat(piece, count)
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n"
    with serving(drip(itertools.chain([head], pieces), pause), pem=pem) as server:
        attempt = delivery.deliver(callback(server.url, insecure=True), KEY, limits)
        assert attempt == Attempt(Outcome.DELIVERED, 200, "https IPv4")
        assert 0 < len(list(pieces)) < count, "all was read, or nothing"


@pytest.mark.parametrize(
    "pieces",
    [[b"SSH-2.0-OpenSSH_9\r\n"], [b""], [b"HTTP/1.1 banana\r\n\r\n"], [b"HTTP/1.1 200 OK\r\n" + b"a" * 99_999]],
)
def test_an_answer_that_is_not_http_is_a_failure(pem: Path, pieces: list[bytes]) -> None:
    with serving(drip(pieces, 0), pem=pem) as server:
        attempt = delivery.deliver(callback(server.url, insecure=True), KEY, LIMITS)
    assert attempt.outcome is Outcome.UNREACHABLE


def test_nobody_there_and_no_such_name_are_told_apart(pem: Path) -> None:
    with serving(pem=pem) as server:
        pass
    assert delivery.deliver(callback(server.url), KEY, LIMITS).outcome is Outcome.UNREACHABLE
    nameless = callback("https://nowhere.test/")
    assert delivery.deliver(nameless, KEY, LIMITS, getaddrinfo=Resolver([])).outcome is Outcome.UNRESOLVED


def test_the_authorities_are_certifis() -> None:
    delivery.trust.cache_clear()
    assert len(delivery.trust(insecure=False).get_ca_certs()) > 100
    assert delivery.trust(insecure=False).verify_mode is ssl.CERT_REQUIRED


# -- the signature and its key ----------------------------------------------------------------------------------------


@given(st.from_regex(callbacks.ID, fullmatch=True), st.text(), st.binary(min_size=24, max_size=64))
def test_a_receivers_library_verifies_what_was_signed_and_nothing_else(id: str, body: str, key: bytes) -> None:  # noqa: A002
    encoded = body.encode("utf-8", "replace")
    headers = signature.headers(id, int(time.time()), encoded, key)
    Webhook(key).verify(encoded, headers, json_parse=False)
    for other in (encoded + b" ", b"x" + encoded):
        assert signature.headers(id, int(headers["webhook-timestamp"]), other, key) != headers


def test_the_generated_text_is_the_key_with_and_without_its_prefix() -> None:
    assert signature.key_of(SECRET) == signature.key_of(SECRET.removeprefix("whsec_"))
    assert len(signature.key_of(SECRET)) == 48


@pytest.mark.parametrize("text", ["", "whsec_", "a" * 30, "a" * 28, "!" * 64, "ü" * 64, "a" * 63, "a" * 96])
def test_a_text_without_a_key_of_the_standards_length_is_refused_and_not_told(text: str) -> None:
    with pytest.raises(signature.BadSecret) as refusal:
        signature.key_of(text)
    assert len(text) < 28 or text not in str(refusal.value)


class Secrets:
    """Secrets Manager, for one secret."""

    def __init__(self, text: str) -> None:
        self.text, self.reads, self.down = text, 0, False

    def get_secret_value(self, *, SecretId: str) -> dict[str, str]:
        self.reads += 1
        if self.down:
            raise ClientError({"Error": {"Code": "InternalServiceError", "Message": SecretId}}, "GetSecretValue")
        return {"SecretString": self.text}


def test_a_key_is_read_once_in_five_minutes_and_outlives_an_outage() -> None:
    secrets, now = Secrets(SECRET), [0.0]
    cached = signing_key(lambda: secrets, "callbacks", clock=lambda: now[0])  # type: ignore[arg-type,return-value]
    assert cached.get() == cached.get() == KEY
    assert secrets.reads == 1
    secrets.text, now[0] = "b" * 64, 299
    assert cached.get() == KEY
    secrets.down, now[0] = True, 301
    assert cached.get() == cached.get() == KEY
    assert secrets.reads == 2
    secrets.down, now[0] = False, 312
    assert cached.get() == signature.key_of("b" * 64)


@pytest.mark.parametrize("text", ["too short", None])
def test_without_a_key_there_is_none_and_the_next_asks_again(text: str | None) -> None:
    secrets = Secrets(text or SECRET)
    secrets.down = text is None
    cached = signing_key(lambda: secrets, "callbacks")  # type: ignore[arg-type,return-value]
    for _ in range(2):
        with pytest.raises(SigningKeyMissing):
            cached.get()
    assert secrets.reads == 2


# -- the schedule -----------------------------------------------------------------------------------------------------


@given(st.integers())
def test_attempts_are_spread_over_a_day(seed: int) -> None:
    rng = random.Random(seed)
    delays = [backoff.delay(attempt, rng) for attempt in range(1, backoff.ATTEMPTS)]
    assert 20 * 3600 < sum(delays) < 27 * 3600
    assert 24 <= delays[0] <= 36
    assert all(0 < delay <= 12 * 3600 for delay in delays), "SQS hides a message for 12 hours at most"
    assert [backoff.delay(backoff.ATTEMPTS + later, rng) for later in range(3)] == [0, 0, 0]


def test_the_figures_of_the_schedule_are_as_its_comment_says() -> None:
    class Middle(random.Random):
        def uniform(self, a: float, b: float) -> float:
            return (a + b) / 2

    delays = [backoff.delay(attempt, Middle()) for attempt in range(1, backoff.ATTEMPTS)]
    assert delays[:10] == [30 * 2**n for n in range(10)]
    assert delays[10:] == [18_000] * 3
    assert sum(delays) == 84_690


# -- messages ------------------------------------------------------------------------------------------------------


@given(
    st.builds(
        Callback,
        st.from_regex(callbacks.ID, fullmatch=True),
        st.text(),
        st.booleans(),
        st.text().filter(str.isprintable),
    )
)
def test_a_callback_survives_its_message(sent: Callback) -> None:
    assert callbacks.parse(callbacks.text_of(sent)) == sent


GOOD = {"id": "upload-1", "url": "https://a.example/", "insecure": False, "payload": "{}"}
MALFORMED = {
    "no JSON": "upload-1",
    "no object": "[]",
    "null": "null",
    "too deep": "[" * 100_000,
    **{f"without {gone}": json.dumps({name: GOOD[name] for name in GOOD if name != gone}) for gone in GOOD},
    "an id with a header in it": json.dumps(GOOD | {"id": "a\r\nX: y"}),
    "an id with a dot": json.dumps(GOOD | {"id": "a.b"}),
    "a number for an id": json.dumps(GOOD | {"id": 1}),
    "a number for an address": json.dumps(GOOD | {"url": 1}),
    "a number for a truth": json.dumps(GOOD | {"insecure": 1}),
    "an object for a text": json.dumps(GOOD | {"payload": {}}),
    "half a character": json.dumps(GOOD | {"payload": "\ud800"}),
}


@pytest.mark.parametrize("text", MALFORMED)
def test_a_message_that_is_no_callback_is_malformed(text: str) -> None:
    assert callbacks.parse(json.dumps(GOOD)).id == "upload-1"
    with pytest.raises(MalformedCallback):
        callbacks.parse(MALFORMED[text])


def test_unknown_fields_of_a_later_release_are_ignored() -> None:
    for unknown in (1, None, "text", {"id": "another"}, ["id"]):
        assert callbacks.parse(json.dumps({"attempts": unknown, **GOOD, "signed_at": unknown})) == Callback(**GOOD)  # type: ignore[arg-type]


# -- the function on its queue --------------------------------------------------------------------------------------


class Queue:
    """The queue with its dead-letter queue, and Lambda that polls it."""

    def __init__(self) -> None:
        sqs = aws.sqs()
        self.dead = sqs.create_queue(QueueName="dead-callbacks")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=self.dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": backoff.ATTEMPTS})
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
        """Call the function with a batch, and delete what it did not report; how many were in it."""
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
    notify_receivers._signing_key.cache_clear()
    yield made
    notify_receivers._signing_key.cache_clear()


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What failed comes again without waiting."""
    monkeypatch.setattr(backoff, "FIRST", 0.0)


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


def test_what_fails_all_day_is_in_the_dead_letter_queue(queue: Queue, pem: Path, at_once: None) -> None:
    with serving(status(500), pem=pem) as server:
        queue.put(callbacks.text_of(callback(server.url, insecure=True)))
        while queue.poll():
            pass
    assert len(server.received) == backoff.ATTEMPTS
    assert queue.left() == 0
    assert queue.left(queue.dead) == 1


def test_of_a_batch_the_failed_ones_alone_come_again_after_their_delays(
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
    assert first == 0, "a message that is no callback has nothing to wait for"
    assert 24 <= second <= 36
    assert queue.left() == 2
    for outcome in ("delivered 200", "rejected 500", "gone 410", "address refused -", "malformed -"):
        assert outcome in caplog.text
    told = [record.getMessage() for record in caplog.records if record.name == "petapi"]
    assert len(told) == len(sent) + 1
    assert not any(MARKER in line or "10.0.0.1" in line or PAYLOAD in line for line in told)


def test_receivers_of_a_batch_do_not_wait_for_each_other(queue: Queue, pem: Path) -> None:
    """Each answers once all have been asked."""
    all_asked = Barrier(8)

    def answer(handler: BaseHTTPRequestHandler) -> None:
        all_asked.wait(PATIENCE / 2)
        status(200)(handler)

    with serving(answer, pem=pem) as server:
        queue.put(*(callbacks.text_of(callback(server.url, id=f"u{n}", insecure=True)) for n in range(8)))
        assert queue.poll() == 8
    assert sorted(got.headers["webhook-id"] for got in server.received) == [f"u{n}" for n in range(8)]
    assert queue.left() == 0


def test_a_resolver_that_hangs_holds_up_nobody(queue: Queue, pem: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notify_receivers, "GRACE", 0.2)
    monkeypatch.setenv("CALLBACK_TIMEOUT", "2")
    deliver, answered, polled, ended = delivery.deliver, Event(), Event(), Event()

    def hang(*_: Any, **__: Any) -> list[Any]:
        polled.wait(PATIENCE)
        answered.set()
        return []

    def hanging(sent: Callback, key: bytes, limits: DeliveryLimits) -> Attempt:
        try:
            return deliver(sent, key, limits, getaddrinfo=hang)
        finally:
            ended.set()

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
    assert ended.wait(PATIENCE)  # its thread ends with the test that began it


def test_a_bug_with_one_callback_is_no_trouble_of_the_others(
    queue: Queue, pem: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    deliver = delivery.deliver

    def buggy(sent: Callback, key: bytes, limits: DeliveryLimits) -> Attempt:
        if sent.id == "upload-2":
            raise KeyError(MARKER)
        return deliver(sent, key, limits)

    monkeypatch.setattr(delivery, "deliver", buggy)
    with serving(pem=pem) as server:
        queue.put(*(callbacks.text_of(callback(server.url, id=f"upload-{n}", insecure=True)) for n in (1, 2, 3)))
        queue.poll()
    assert len(server.received) == 2
    assert queue.left() == 1
    assert "upload-2 failed" in caplog.text
    assert MARKER not in caplog.text


def test_without_its_secret_all_come_again_later(queue: Queue, pem: Path, caplog: pytest.LogCaptureFixture) -> None:
    aws.secrets().put_secret_value(SecretId="callbacks", SecretString=MARKER)
    with serving(pem=pem) as server:
        queue.put(*(callbacks.text_of(callback(server.url, id=f"upload-{n}", insecure=True)) for n in range(3)))
        queue.poll()
    assert server.received == []
    assert queue.left() == 3
    assert len(queue.postponed) == 3
    assert "BadSecret" in caplog.text
    assert MARKER not in caplog.text


def test_a_failed_one_is_reported_though_its_delay_cannot_be_set(
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
