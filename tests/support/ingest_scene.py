"""Files that have come by a form: the events that S3 sends to the function, and what it leaves."""

import json
from dataclasses import dataclass
from typing import Any, Protocol

import boto3

import ingest_files
from shared import aws, images
from tests.support import invariants, pictures
from tests.support.hosts import Api, Handlers, json_of, new_label

DELIVERIES = 3  # of one message at most; SQS makes five
WEIGHT = 0.3
URL = "https://example.com/done"


class Killed(BaseException):
    """The process is killed at this point."""


class Cloud(Protocol):
    """Where uploads are: in moto, or in memory (memory_uploads.py)."""

    def put_file(self, key: str, content: bytes) -> None:
        """Store a file in the bucket of incoming files."""

    def files(self) -> list[str]:
        """Return the keys in the bucket of incoming files."""

    def callbacks(self) -> list[Any]:
        """Take the callbacks out of the queue and return them."""

    def items(self, table: str, label: str = "") -> list[dict[str, Any]]:
        """Return the items of a table, or only those of a label and its tags."""


class MotoCloud:
    """The cloud by moto."""

    def put_file(self, key: str, content: bytes) -> None:
        aws.s3().put_object(Bucket="incoming", Key=key, Body=content)

    def files(self) -> list[str]:
        return [found["Key"] for found in aws.s3().list_objects_v2(Bucket="incoming").get("Contents", [])]

    def callbacks(self) -> list[Any]:
        sqs, found = aws.sqs(), []
        url = sqs.get_queue_url(QueueName="callbacks")["QueueUrl"]
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                found.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return found

    def items(self, table: str, label: str = "") -> list[dict[str, Any]]:
        only: Any = {
            "FilterExpression": "begins_with(label, :label)",
            "ExpressionAttributeValues": {":label": {"S": label}},
        }
        pages = boto3.client("dynamodb").get_paginator("scan").paginate(TableName=table, **(only if label else {}))
        return [item for page in pages for item in page["Items"]]


MOTO = MotoCloud()


@dataclass
class Sent:
    """An upload whose file has come. No other upload has its label."""

    api: Api
    shown: Any
    cloud: Cloud

    @property
    def event(self) -> dict[str, Any]:
        """The event that SQS sends to the function."""
        file = {"key": f"incoming%2F{self.shown['id']}", "size": 1}
        body = {"Records": [{"eventVersion": "2.1", "s3": {"object": file, "s3SchemaVersion": "1.0"}}]}
        return {"Records": [{"messageId": "m", "body": json.dumps(body)}]}

    def deliver_once(self, attempt: int = 1) -> bool:
        """Call the function. Return False if the message must come again."""
        event = self.event
        event["Records"][0]["attributes"] = {"ApproximateReceiveCount": str(attempt)}
        answer = ingest_files.handler(event, None)
        assert answer in ({"batchItemFailures": []}, {"batchItemFailures": [{"itemIdentifier": "m"}]})
        return not answer["batchItemFailures"]

    def deliver(self) -> None:
        """Call the function until the message is done."""
        assert any(self.deliver_once() for _ in range(DELIVERIES))

    def state(self) -> Any:
        return json_of(self.api.get(self.shown["status_url"]))

    def images(self) -> Any:
        return json_of(self.api.get(f"/images?label={self.api.label}"))["images"]

    def callbacks(self) -> list[Any]:
        """Take the callbacks out of the queue and return them."""
        return self.cloud.callbacks()


def alike(number: int) -> bytes:
    """Return a picture that differs from others in one pixel only, so that its tags take the same calls."""
    image = pictures.raster(1)
    image.putpixel((0, 0), (number % 256, number // 256, 0))
    return pictures.saved(image, "PNG")


def send(number: int, content: bytes | None = None, label: str = "", cloud: Cloud = MOTO, **document: Any) -> Sent:
    """Ask for a form and store a file by it; each number is another picture."""
    api = Api(Handlers(), label or new_label())
    asked = {"label": api.label, "weight": WEIGHT, "callback_url": URL} | document
    answer = api.host.request("POST", "/uploads", json.dumps(asked).encode(), {"Content-Type": "application/json"})
    shown = json_of(answer)
    assert answer.status == 201, shown
    key = shown["upload_info"]["fields"]["key"]
    cloud.put_file(key, content or alike(number))
    return Sent(api, shown, cloud)


def tagged(number: int, cloud: Cloud = MOTO) -> Sent:
    """Send a file whose image gets tags, also from detections: that takes the most calls."""
    return send(number, cloud=cloud, tags=["mine"], tag_from_labels=True)


def check(sent: Sent) -> None:
    """Check that there is one image with its weight, detections and callback, and that the file is gone."""
    sent_callbacks, shown = sent.callbacks(), sent.state()
    (image,) = sent.images()
    assert (shown["state"], shown["image"]) == ("recognised", image), shown
    assert (image["weight"], "mine" in image["tags"]) == (WEIGHT, True)
    assert set(image["tags"]) > {"mine"}
    label = sent.api.label
    kept = sent.cloud.items("ImageChunksTable", label)
    entries, lanes, chunks = invariants.label_of(label, kept, sent.cloud.items("ChunkInfoTable", label))
    invariants.check(entries, lanes, chunks)
    assert [entry.weight for entry in entries] == [WEIGHT * images.UNITS]
    invariants.check_tags(kept)
    assert {callback["id"] for callback in sent_callbacks} == {shown["id"]}
    assert all(json.loads(callback["payload"]) == shown for callback in sent_callbacks)
    assert sent.cloud.files() == []
