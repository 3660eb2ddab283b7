"""What happens to a file that cannot be recognised, that is an image already, or that is missing."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ingest_files
import ingest_upload
from shared import add_image, aws, images, index_queue
from shared.errors import Unavailable
from shared.recognition import recognisers
from shared.recognition.detections import Detection, RecognitionUnavailable, Unrecognisable
from tests.support import cloud
from tests.support.hosts import Api, Handlers, json_of, new_label
from tests.support.ingest_scene import MOTO, Killed, alike, check, send, tagged
from tests.support.log_lines import extracted, fields_of


def recognising(monkeypatch: pytest.MonkeyPatch, *results: list[Detection] | Exception) -> list[bytes]:
    """Let the recogniser return these results in turn. The list gets the pictures that it is asked about."""
    waiting, asked = list(results), []

    def recognise(content: bytes, _: str) -> list[Detection]:
        asked.append(content)
        result = waiting.pop(0)
        if isinstance(result, Exception):
            raise result
        return result

    monkeypatch.setattr(recognisers, "chosen", lambda: recognise)
    return asked


def test_a_picture_that_cannot_be_recognised_now_is_stored_and_recognised_the_next_time(
    moto_aws: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    cat = [Detection("Cat", 99.0), Detection("Pet", 80.0)]
    asked = recognising(monkeypatch, RecognitionUnavailable("busy"), cat)
    sent = tagged(3)
    assert not sent.deliver_once()
    assert "m failed" in caplog.text
    assert sent.state()["state"] == "stored"
    assert len(sent.images()) == 1
    assert sent.callbacks() == []
    assert sent.deliver_once()
    assert sent.state()["labels"] == [{"name": "Cat", "confidence": 99.0}, {"name": "Pet", "confidence": 80.0}]
    assert sent.state()["image"]["tags"] == ["cat", "mine", "pet"]
    check(sent)
    assert asked == [alike(3)] * 2


def test_one_request_id_goes_with_an_upload_through_all_queues(
    moto_aws: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    recognising(monkeypatch, RecognitionUnavailable("busy"), [Detection("Cat", 99.0)])
    sent = tagged(4)
    caplog.clear()
    assert not sent.deliver_once()
    upload = {"message_id": "m", "upload": sent.shown["id"], "request": "a-request"}
    fields = fields_of(caplog.records[-1])
    assert upload.items() <= fields.items()
    assert extracted(fields) == {("Failed", "petapi", "ingest"): 1}
    assert caplog.records[-1].exc_info
    assert sent.deliver_once()
    fields = fields_of(caplog.records[-1])
    assert extracted(fields) == {("Uploads", "petapi", "recognised"): 1}
    assert upload.items() <= fields.items()
    (sent_back,) = sent.callbacks()
    assert sent_back["request"] == "a-request"
    url = aws.sqs().get_queue_url(QueueName="index")["QueueUrl"]
    found = aws.sqs().receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert {index_queue.parse(message["Body"]).request for message in found} == {"a-request"}


def test_what_a_message_has_done_is_counted_once_though_a_later_file_of_it_fails(
    moto_aws: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    recognising(monkeypatch, [Detection("Cat", 99.0)], RecognitionUnavailable("busy"))
    files = [json.loads(tagged(number).event["Records"][0]["body"])["Records"][0] for number in (15, 16)]
    caplog.clear()
    body = json.dumps({"Records": files})
    assert ingest_files.handler({"Records": [{"messageId": "m", "body": body}]}, None)["batchItemFailures"]
    found = [extracted(fields) for fields in map(fields_of, caplog.records) if "_aws" in fields]
    assert found == [{("Uploads", "petapi", "recognised"): 1}, {("Failed", "petapi", "ingest"): 1}]


def test_an_upload_that_fails_each_time_is_given_up_and_can_be_ingested_later(
    moto_aws: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy = [RecognitionUnavailable("busy")] * ingest_files.ATTEMPTS
    recognising(monkeypatch, *busy, [Detection("Cat", 99.0)])
    sent = tagged(5)
    for attempt in range(1, ingest_files.ATTEMPTS + 1):
        assert not sent.deliver_once(attempt)
    assert (sent.state()["state"], sent.callbacks()) == ("stored", [])
    assert not sent.deliver_once(ingest_files.ATTEMPTS + 1), "the message must go to the dead-letter queue"
    shown = sent.state()
    assert (shown["state"], shown["error"]["status"]) == ("failed", 503)
    assert shown["image"] == sent.images()[0]
    (callback,) = sent.callbacks()
    assert (callback["id"], json.loads(callback["payload"])) == (shown["id"], shown)
    assert aws.s3().list_objects_v2(Bucket="incoming")["KeyCount"] == 1
    assert sent.deliver_once(), "after a redrive"
    shown = sent.state()
    assert (shown["state"], "error" in shown, shown["labels"][0]["name"]) == ("recognised", False, "Cat")
    (callback,) = sent.callbacks()
    assert (callback["id"], json.loads(callback["payload"])) == (f"{shown['id']}-2", shown), "another message"
    assert aws.s3().list_objects_v2(Bucket="incoming")["KeyCount"] == 0


def test_an_upload_whose_calls_are_killed_is_given_up_too(moto_aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_: object) -> None:
        raise Killed

    sent = tagged(13)
    with monkeypatch.context() as deadly:
        deadly.setattr(ingest_upload, "check_picture", die)
        for attempt in range(1, ingest_files.ATTEMPTS + 1):
            with pytest.raises(Killed):
                sent.deliver_once(attempt)
        assert not sent.deliver_once(ingest_files.ATTEMPTS + 1)
    assert (sent.state()["state"], sent.state()["error"]["status"]) == ("failed", 503)
    assert [json.loads(callback["payload"]) for callback in sent.callbacks()] == [sent.state()]
    sent.deliver()
    assert sent.state()["state"] == "recognised"


def test_an_upload_that_has_ended_is_not_given_up(moto_aws: None) -> None:
    sent = tagged(14)
    sent.deliver()
    before = sent.state()
    assert sent.deliver_once(ingest_files.ATTEMPTS + 1)
    assert sent.state() == before
    check(sent)


def test_the_same_request_again_does_not_conflict_with_tags_from_labels(
    moto_aws: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    recognising(monkeypatch, [Detection("Cat", 99.0)])
    first = tagged(6)
    first.deliver()
    content = aws.s3().get_object(Bucket="pictures", Key=first.state()["image"]["id"])["Body"].read()
    again = send(6, content, label=first.api.label, tags=["mine"], tag_from_labels=True)
    again.deliver()
    assert (again.state()["state"], again.state()["image"]) == ("recognised", first.state()["image"])
    other = send(6, content, label=first.api.label, tags=["yours"], tag_from_labels=True)
    other.deliver()
    assert other.state()["error"]["status"] == 409


def test_the_same_picture_is_recognised_once(moto_aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = recognising(monkeypatch, [Detection("Cat", 99.0)])
    first = send(4)
    first.deliver()
    for label in (first.api.label, new_label()):
        again = send(4, label=label)
        again.deliver()
        assert again.state()["labels"] == [{"name": "Cat", "confidence": 99.0}]
    assert len(asked) == 1
    assert len(first.images()) == 1


def test_a_picture_that_cannot_be_stored_now_has_not_failed(
    moto_aws: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def busy(*_: object) -> None:
        raise Unavailable("This label is busy; retry in a moment.")

    sent = tagged(12)
    with monkeypatch.context() as outage:
        outage.setattr(add_image, "add", busy)
        assert not sent.deliver_once()
    assert sent.state()["state"] == "received"
    assert sent.callbacks() == []
    assert sent.deliver_once()
    check(sent)


def test_a_picture_that_can_never_be_recognised_fails_and_its_image_stays(
    moto_aws: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    recognising(monkeypatch, Unrecognisable("It is too strange."))
    sent = tagged(5)
    assert sent.deliver_once()
    shown = sent.state()
    assert shown["state"] == "failed"
    assert shown["error"]["detail"] == "The picture is stored, but it cannot be recognised: It is too strange."
    assert sent.images() == [shown["image"]]
    assert json_of(sent.api.random(format="json"))["id"] == shown["image"]["id"]
    assert [json.loads(callback["payload"]) for callback in sent.callbacks()] == [shown]
    assert "Contents" not in aws.s3().list_objects_v2(Bucket="incoming")


def test_an_image_that_is_deleted_before_it_is_recognised_stays_deleted(
    moto_aws: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    recognising(monkeypatch, RecognitionUnavailable("busy"))
    sent = tagged(6)
    assert not sent.deliver_once()
    (image,) = sent.images()
    assert sent.api.delete(image["url"]).status == 204
    assert sent.deliver_once()
    assert sent.state()["state"] == "failed"
    assert sent.state()["error"]["detail"] == "The image was deleted before it was recognised."
    assert sent.images() == []
    assert [json.loads(callback["payload"]) for callback in sent.callbacks()] == [sent.state()]


def test_an_image_that_is_deleted_while_it_is_recognised_stays_deleted(
    moto_aws: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = tagged(7)

    def recognise(*_: object) -> list[Detection]:
        (image,) = sent.images()
        assert sent.api.delete(image["url"]).status == 204
        return [Detection("Cat", 99.0)]

    monkeypatch.setattr(recognisers, "chosen", lambda: recognise)
    sent.deliver()
    assert sent.images() == []
    assert sent.state()["state"] == "recognised"
    assert "image" not in sent.state()


def test_a_picture_that_is_an_image_with_another_weight_fails_and_says_so(moto_aws: None) -> None:
    label = new_label()
    existing = json_of(Api(Handlers(), label).upload(alike(8), "0.5"))
    sent = send(8, label=label)
    assert sent.deliver_once()
    error = sent.state()["error"]
    assert (sent.state()["state"], error["status"], error["errors"][0]["field"]) == ("failed", 409, "weight")
    assert (
        f"This picture already exists as {existing['id']} with weight 0.5; change the weight with PATCH"
        in error["detail"]
    )
    assert {**error["existing"], "probability": 1.0} == existing
    assert [image["id"] for image in sent.images()] == [existing["id"]]
    assert "Contents" not in aws.s3().list_objects_v2(Bucket="incoming")


# -- events without a file -------------------------------------------------------------------------------------------


def test_an_event_without_a_file_comes_again_and_changes_nothing(
    moto_aws: None, caplog: pytest.LogCaptureFixture
) -> None:
    sent = send(9)
    aws.s3().delete_object(Bucket="incoming", Key=f"incoming/{sent.shown['id']}")
    assert not sent.deliver_once()
    assert "FileMissing" in caplog.text
    assert sent.state()["state"] == "waiting"
    assert sent.callbacks() == []


@pytest.mark.parametrize(
    "event",
    [
        {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "incoming"},
        {"Records": []},
        {"Records": [{"s3": {"object": {"key": "incoming/0123456789abcdef0123456789abcdef"}}}]},
    ],
    ids=["S3's test", "nothing", "an unknown upload"],
)
def test_an_event_without_an_upload_does_nothing(moto_aws: None, event: Any) -> None:
    before = [MOTO.items(table) for table in cloud.TABLES]
    message = {"messageId": "m", "body": json.dumps(event)}
    assert ingest_files.handler({"Records": [message]}, None) == {"batchItemFailures": []}
    assert [MOTO.items(table) for table in cloud.TABLES] == before


def test_a_message_that_cannot_be_read_does_not_affect_the_others(moto_aws: None) -> None:
    sent = tagged(10)
    bad = {"messageId": "bad", "body": "no JSON"}
    answer = ingest_files.handler({"Records": [bad, *sent.event["Records"]]}, None)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "bad"}]}
    check(sent)


def test_an_upload_shows_its_image_as_it_is_now(moto_aws: None) -> None:
    """Each read of the image, for the callback and for GET, is consistent."""
    consistent: list[bool] = []

    def note(params: Any, **_: Any) -> None:
        if params["TableName"] == "ImageChunksTable":
            consistent.append(params["ConsistentRead"])

    sent = tagged(11)
    client: Any = aws.dynamodb()
    client.meta.events.register("provide-client-params.dynamodb.GetItem", note)
    sent.deliver()
    sent.state()
    assert len(consistent) >= 3
    assert all(consistent)


# -- tags from labels -------------------------------------------------------------------------------------------------

tags = st.lists(st.from_regex(images.LABEL, fullmatch=True).filter(str.isascii), max_size=images.TAGS_MAX, unique=True)
names = st.text("aB1 -_/é", max_size=40) | st.sampled_from(["Cat", "Pet", "Tabby Cat", "cat"])
found = st.lists(st.builds(Detection, names, st.floats(0, 100)), max_size=8)


@given(tags.map(tuple), found)
def test_the_strongest_detections_take_the_places_that_are_left_for_tags(
    given_tags: tuple[str, ...], detections: list[Detection]
) -> None:
    tags = ingest_upload.tags_from(given_tags, detections)
    assert set(given_tags) <= set(tags)
    assert tags == images.parse_tags(tags)
    assert ingest_upload.tags_from(tags, detections) == tags
    full = len(tags) == images.TAGS_MAX
    for count in range(len(detections)):
        weaker = ingest_upload.tags_from(given_tags, detections[:count])
        assert set(weaker) <= set(tags), "a stronger detection gave way to a weaker one"
        assert full or set(ingest_upload.tags_from((), detections[count : count + 1])) <= set(tags), "a place was left"


def test_a_detection_becomes_a_tag_in_lower_case_with_hyphens() -> None:
    detections = [
        Detection(name, 90) for name in ("Tabby Cat", "Pet", "3D", "Dog's  Toy!", "x" * 33, "pet", "...", "Été")
    ]
    assert ingest_upload.tags_from(("mine",), detections) == ("dog-s-toy", "mine", "pet", "t", "tabby-cat")
