"""A wrong bucket policy, key or role does not look like a deleted image to what works through queues."""

import json

import pytest
from botocore.exceptions import ClientError

import ingest_files
from shared import aws
from tests.support import memory_index
from tests.support.index_scene import index_scene
from tests.support.ingest_scene import check, tagged
from tests.support.log_lines import extracted, fields_of
from tests.support.memory_aws import TILES
from tests.support.pictures import tiny

SENTENCE = "S3 denied the picture of an image: look at the bucket's policy, its key and this function's role"
DENIED = ClientError({"Error": {"Code": "AccessDenied", "Message": ""}}, "GetObject")


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records if record.levelname == "ERROR"]


def test_an_upload_whose_picture_s3_denies_waits_and_is_recognised_once_it_can_be_read(
    moto_aws: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    sent, real = tagged(21), aws.s3().get_object

    def get_object(**names: str) -> object:
        if names["Bucket"] == "pictures":
            raise DENIED
        return real(**names)

    with monkeypatch.context() as denied:
        denied.setattr(aws.s3(), "get_object", get_object)
        for attempt in range(1, ingest_files.ATTEMPTS + 1):
            assert not sent.deliver_once(attempt)
            assert (sent.state()["state"], "error" in sent.state()) == ("stored", False)
        failed = [record for record in caplog.records if record.message == "m failed"]
        assert [extracted(fields_of(record)) for record in failed] == [
            {("Denied", "petapi"): 1, ("Failed", "petapi", "ingest"): 1}
        ] * ingest_files.ATTEMPTS
        assert errors(caplog) == [SENTENCE, "m failed"] * ingest_files.ATTEMPTS
        assert not sent.deliver_once(ingest_files.ATTEMPTS + 1), "the message must go to the dead-letter queue"
    assert sent.state()["error"]["status"] == 503
    assert [json.loads(each["payload"]) for each in sent.callbacks()] == [sent.state()]
    assert len(sent.cloud.files()) == 1, "the file must stay until somebody redrives the message"
    sent.deliver()
    shown = sent.state()
    assert (shown["state"], "error" in shown) == ("recognised", False)
    assert sent.cloud.files() == []


def test_an_upload_whose_image_is_deleted_meanwhile_fails_although_s3_denies_it(
    moto_aws: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    sent, real = tagged(22), aws.s3().get_object

    def get_object(**names: str) -> object:
        if names["Bucket"] != "pictures":
            return real(**names)
        sent.api.delete(f"/images/{names['Key']}")
        raise DENIED

    monkeypatch.setattr(aws.s3(), "get_object", get_object)
    assert sent.deliver_once()
    assert (sent.state()["state"], sent.state()["error"]["status"]) == ("failed", 422)
    assert SENTENCE not in caplog.text


def test_a_lost_picture_of_an_upload_is_its_end(
    moto_aws: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Where a role may list the bucket, S3 says so."""
    sent, real = tagged(23), aws.s3().get_object

    def get_object(**names: str) -> object:
        if names["Bucket"] == "pictures":
            raise ClientError({"Error": {"Code": "NoSuchVersion", "Message": ""}}, "GetObject")
        return real(**names)

    monkeypatch.setattr(aws.s3(), "get_object", get_object)
    assert sent.deliver_once()
    assert sent.state()["error"]["status"] == 422
    assert SENTENCE not in caplog.text


def test_a_file_that_s3_denies_stays_and_comes_again(moto_aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def get_object(**_: str) -> object:
        raise DENIED

    sent = tagged(24)
    with monkeypatch.context() as denied:
        denied.setattr(aws.s3(), "get_object", get_object)
        assert not sent.deliver_once()
        assert sent.state()["state"] == "waiting"
    sent.deliver()
    check(sent)


def test_an_image_whose_picture_s3_denies_is_an_error_and_is_indexed_once_it_can_be_read(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with index_scene() as scene:
        image = scene.upload(tiny(1))

        def deny(at: int) -> None:
            if scene.calls.names[at] == "get_object":
                raise DENIED

        scene.calls.reset()
        scene.calls.before = deny
        caplog.clear()
        caplog.set_level("INFO")
        scene.follow()
        assert errors(caplog) == [SENTENCE]
        assert extracted(fields_of(caplog.records[-1])) == {("Denied", "petapi"): 1}
        messages = memory_index.take([memory_index.message(image)])
        assert errors(caplog) == [SENTENCE] * 2
        assert extracted(fields_of(caplog.records[-1])) == {("Denied", "petapi"): 1}
        scene.calls.reset()
        assert memory_index.take(messages) == []
        scene.drain()
        assert scene.differences() == []


def test_an_image_that_is_deleted_while_it_is_indexed_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    with index_scene() as scene:
        image = scene.upload(tiny(1))

        def delete(at: int) -> None:
            if scene.calls.names[at] == "get_object":
                scene.calls.reset()
                scene.delete(image)
                raise DENIED

        scene.calls.reset()
        scene.calls.before = delete
        scene.follow()
        scene.drain()
        assert errors(caplog) == []
        assert (scene.world.vectors, scene.world.tables[TILES]) == ({}, {})
