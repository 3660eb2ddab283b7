"""A message that fails through a fault of ours makes an alarm come within minutes, and one failure wakes nobody.

Each test lets a handler have a message at the times at which the queue would deliver it. The metrics in its log lines
go through the expression of the alarm in the template.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from botocore.exceptions import ClientError

import notify_receivers
from backoff import CALLBACKS
from retrying import IMAGES
from shared import aws, settings
from shared.recognition import recognisers
from shared.recognition.detections import RecognitionUnavailable
from shared.uploads import callbacks
from tests.support import memory_index
from tests.support.callbacks import SECRET, callback
from tests.support.cloud import ROOT
from tests.support.index_scene import index_scene
from tests.support.ingest_scene import send, tagged
from tests.support.log_lines import extracted, fields_of
from tests.support.metric_math import comes
from tests.support.pictures import tiny
from tools.template import read_template

RESOURCES = read_template(ROOT / "template.yaml")["Resources"]
PERIOD = 300  # seconds
QUICK = 1_200  # seconds in which somebody must be told
Delay = Callable[[int], float]  # the number of an attempt -> seconds to the next one


def visibility(attempt: int) -> float:
    return float(RESOURCES["IncomingQueue"]["Properties"]["VisibilityTimeout"])


class Watch:
    """The alarm of a function, the calls of the function, and what their log lines count."""

    def __init__(self, function: str, caplog: pytest.LogCaptureFixture) -> None:
        self.alarm = RESOURCES[f"{function.capitalize()}ErrorAlarm"]["Properties"]
        self.function, self.caplog = function, caplog
        self.periods: dict[int, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        caplog.set_level("INFO")

    def attempts(self, deliver: Callable[[int], object], delay: Delay, *, until: float = QUICK) -> "Watch":
        """Let the function have the message until this many seconds are over."""
        at, attempt = 0.0, 1
        while at < until:
            self.caplog.clear()
            deliver(attempt)
            period = self.periods[int(at // PERIOD)]
            period["calls"] += 1
            period["errors"] += 0
            for record in self.caplog.records:
                fields = fields_of(record)
                for metric, value in extracted(fields).items() if "_aws" in fields else ():
                    if metric == self._failed:
                        period["failed"] += value
            at, attempt = at + delay(attempt), attempt + 1
        return self

    @property
    def _failed(self) -> tuple[str, ...]:
        """What the alarm watches beside Lambda's own metrics: the metric's name and the values of its dimensions."""
        (metric,) = (query["MetricStat"]["Metric"] for query in self.alarm["Metrics"] if query["Id"] == "failed")
        values = ["petapi" if each["Name"] == "Stack" else each["Value"] for each in metric["Dimensions"]]
        return (metric["MetricName"], *values)

    @property
    def comes(self) -> bool:
        return comes(self.alarm, [self.periods.get(number, {}) for number in range(QUICK // PERIOD)])


@contextmanager
def broken(error: Exception) -> Iterator[None]:
    """Let the recogniser raise this."""

    def recognise(*_: object) -> None:
        raise error

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(recognisers, "chosen", lambda: recognise)
        yield


NO_PERMISSION = ClientError({"Error": {"Code": "AccessDeniedException", "Message": ""}}, "Any")


@pytest.mark.parametrize("error", [NO_PERMISSION, RecognitionUnavailable("busy"), KeyError("a bug")])
def test_a_file_that_fails_each_time_is_an_alarm(
    error: Exception, moto_aws: None, caplog: pytest.LogCaptureFixture
) -> None:
    sent = tagged(31)
    with broken(error):
        assert Watch("ingest", caplog).attempts(sent.deliver_once, visibility).comes


def test_a_file_that_fails_once_is_no_alarm(moto_aws: None, caplog: pytest.LogCaptureFixture) -> None:
    sent = tagged(32)
    with broken(RecognitionUnavailable("busy")):
        watch = Watch("ingest", caplog).attempts(sent.deliver_once, visibility, until=1)
    assert sent.deliver_once()
    assert sum(period["failed"] for period in watch.periods.values()) == 1
    assert not watch.comes


def test_files_that_wait_while_writes_are_closed_are_no_alarm(moto_aws: None, caplog: pytest.LogCaptureFixture) -> None:
    sent = tagged(33)
    aws.ssm().put_parameter(Name="/pet-api/production/writes", Value="closed", Type="String", Overwrite=True)
    settings._cache.cache_clear()
    watch = Watch("ingest", caplog).attempts(sent.deliver_once, visibility)
    assert "WritesClosed" in caplog.text
    assert not watch.comes


def test_a_file_that_is_no_picture_is_no_alarm(moto_aws: None, caplog: pytest.LogCaptureFixture) -> None:
    sent = send(34, b"no picture")
    watch = Watch("ingest", caplog).attempts(sent.deliver_once, visibility)
    assert sent.state()["state"] == "failed"
    assert not watch.comes


@pytest.fixture
def callback_queue(moto_aws: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("CALLBACK_QUEUE_URL", aws.sqs().create_queue(QueueName="watched")["QueueUrl"])
    monkeypatch.setenv("CALLBACK_SECRET_ID", "callbacks-of-watch")
    monkeypatch.setenv("CALLBACK_TIMEOUT", "0.2")
    monkeypatch.setenv("CALLBACK_ALLOW_LOOPBACK", "true")
    notify_receivers._signing_keys.cache_clear()
    yield
    notify_receivers._signing_keys.cache_clear()


def notify(attempt: int) -> None:
    body = callbacks.text_of(callback("https://127.0.0.1:1/", insecure=True))
    attributes = {"ApproximateReceiveCount": str(attempt)}
    record = {"messageId": "m", "receiptHandle": "none", "body": body, "attributes": attributes}
    failed = notify_receivers.handler({"Records": [record]}, None)
    assert failed == {"batchItemFailures": [{"itemIdentifier": "m"}]}


def after_a_callback(attempt: int) -> float:
    return CALLBACKS.delay(attempt, random.Random(attempt))


def test_callbacks_that_cannot_be_signed_are_an_alarm(callback_queue: None, caplog: pytest.LogCaptureFixture) -> None:
    """The secret does not exist; a role without a right to it is the same to the function."""
    assert Watch("notify", caplog).attempts(notify, after_a_callback).comes


def test_a_receiver_that_is_away_is_no_alarm(callback_queue: None, caplog: pytest.LogCaptureFixture) -> None:
    aws.secrets().create_secret(Name="callbacks-of-watch", SecretString=SECRET)
    watch = Watch("notify", caplog).attempts(notify, after_a_callback)
    assert "unreachable" in caplog.text
    assert not watch.comes


@pytest.mark.parametrize("call", ["invoke_model", "batch_get_item", "get_object"])
def test_an_image_that_cannot_be_indexed_is_an_alarm(call: str, caplog: pytest.LogCaptureFixture) -> None:
    with index_scene() as scene:
        message = memory_index.message(scene.upload(tiny(1)))

        def deny(at: int) -> None:
            if scene.calls.names[at] == call:
                raise ClientError({"Error": {"Code": "AccessDenied", "Message": ""}}, "Any")

        scene.calls.reset()
        scene.calls.before = deny

        def deliver(attempt: int) -> None:
            assert memory_index.take([message]) == [message]
            assert message["received"] == attempt

        watch = Watch("index", caplog).attempts(deliver, lambda number: IMAGES.delay(number, random.Random(number)))
        assert watch.comes


def test_a_model_that_is_busy_for_a_minute_is_no_alarm(caplog: pytest.LogCaptureFixture) -> None:
    with index_scene() as scene:
        message = memory_index.message(scene.upload(tiny(1)))
        scene.world.throttled = 1.0
        watch = Watch("index", caplog).attempts(
            lambda _: memory_index.take([message]),
            lambda number: IMAGES.delay(number, random.Random(number)),
            until=60,
        )
        assert message["received"] > 2
        assert not watch.comes
        assert not watch.periods[0]["failed"]
