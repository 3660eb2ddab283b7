"""Files that have come by a form, as S3's events tell the function of them, and the AWS calls that it makes."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import boto3

import ingest_files
from shared import aws, images
from tests.support import invariants, pictures
from tests.support.hosts import Api, Handlers, json_of, new_label

DELIVERIES = 3  # of one event at most; SQS makes five
WEIGHT = 0.3
URL = "https://example.com/done"


class Killed(BaseException):
    """The process dies here."""


@dataclass
class Calls:
    """The AWS calls of what runs, each by its number from 0; `before` and `after` are asked at each."""

    names: list[str] = field(default_factory=list)
    before: Callable[[int], object] = lambda number: None
    after: Callable[[int], object] = lambda number: None
    ended: str = ""  # the name of the one that ended last, which may have begun before others

    def __post_init__(self) -> None:
        clients: list[Any] = [aws.dynamodb(), aws.s3(), aws.sqs(), aws.ssm()]
        for client in clients:
            client.meta.events.register("before-call", self._begins)
            client.meta.events.register("after-call", self._ended)

    def reset(self) -> None:
        self.names.clear()
        self.before = self.after = lambda number: None

    def _begins(self, model: Any, **_: Any) -> None:
        self.names.append(model.name)
        self.before(len(self.names) - 1)

    def _ended(self, model: Any, **_: Any) -> None:
        self.ended = model.name
        self.after(len(self.names) - 1)


@dataclass
class Sent:
    """An upload whose file has come; everything of it is in a label of its own."""

    api: Api
    shown: Any

    @property
    def event(self) -> dict[str, Any]:
        """As SQS brings it to the function."""
        file = {"key": f"incoming%2F{self.shown['id']}", "size": 1}
        body = {"Records": [{"eventVersion": "2.1", "s3": {"object": file, "s3SchemaVersion": "1.0"}}]}
        return {"Records": [{"messageId": "m", "body": json.dumps(body)}]}

    def deliver_once(self, attempt: int = 1) -> bool:
        """Whether the message need not come again."""
        event = self.event
        event["Records"][0]["attributes"] = {"ApproximateReceiveCount": str(attempt)}
        answer = ingest_files.handler(event, None)
        assert answer in ({"batchItemFailures": []}, {"batchItemFailures": [{"itemIdentifier": "m"}]})
        return not answer["batchItemFailures"]

    def deliver(self) -> None:
        """Until it is done."""
        assert any(self.deliver_once() for _ in range(DELIVERIES))

    def state(self) -> Any:
        return json_of(self.api.get(self.shown["status_url"]))

    def kept_state(self) -> str:
        """The state in the table itself, read by a client whose calls are not counted."""
        key = {"id": {"S": self.shown["id"]}}
        item = boto3.client("dynamodb").get_item(TableName="UploadsTable", Key=key, ConsistentRead=True)["Item"]
        return str(item["state"]["S"])

    def images(self) -> Any:
        return json_of(self.api.get(f"/images?label={self.api.label}"))["images"]

    def callbacks(self) -> list[Any]:
        """The callbacks in the queue, which are taken out of it."""
        sqs, found = aws.sqs(), []
        url = sqs.get_queue_url(QueueName="callbacks")["QueueUrl"]
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                found.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return found


def alike(number: int) -> bytes:
    """A picture that differs from others in one pixel: its colours, and so the calls that its tags take, do not."""
    image = pictures.raster(1)
    image.putpixel((0, 0), (number % 256, number // 256, 0))
    return pictures.saved(image, "PNG")


def send(number: int, content: bytes | None = None, label: str = "", **document: Any) -> Sent:
    """A file that has come, of another picture for each number."""
    api = Api(Handlers(), label or new_label())
    asked = {"label": api.label, "weight": WEIGHT, "callback_url": URL} | document
    answer = api.host.request("POST", "/uploads", json.dumps(asked).encode(), {"Content-Type": "application/json"})
    shown = json_of(answer)
    assert answer.status == 201, shown
    key = shown["upload_info"]["fields"]["key"]
    aws.s3().put_object(Bucket="incoming", Key=key, Body=content or alike(number))
    return Sent(api, shown)


def tagged(number: int) -> Sent:
    """One whose image is given tags, also from labels: the longest way."""
    return send(number, tags=["mine"], tag_from_labels=True)


def items(table: str, label: str = "") -> list[dict[str, Any]]:
    """What is in a table, or what is there of a label and of its tags."""
    only: Any = {
        "FilterExpression": "begins_with(label, :label)",
        "ExpressionAttributeValues": {":label": {"S": label}},
    }
    pages = boto3.client("dynamodb").get_paginator("scan").paginate(TableName=table, **(only if label else {}))
    return [item for page in pages for item in page["Items"]]


def check(sent: Sent) -> None:
    """It is one image, drawn by its weight, recognised, called back, and nothing is left of the file."""
    sent_callbacks, shown = sent.callbacks(), sent.state()
    (image,) = sent.images()
    assert (shown["state"], shown["image"]) == ("recognised", image), shown
    assert (image["weight"], "mine" in image["tags"]) == (WEIGHT, True)
    assert set(image["tags"]) > {"mine"}
    kept, label = items("ImageChunksTable", sent.api.label), sent.api.label
    entries, lanes, chunks = invariants.label_of(label, kept, items("ChunkInfoTable", label))
    invariants.check(entries, lanes, chunks)
    assert [entry.weight for entry in entries] == [WEIGHT * images.UNITS]
    invariants.check_tags(kept)
    assert {callback["id"] for callback in sent_callbacks} == {shown["id"]}
    assert all(json.loads(callback["payload"]) == shown for callback in sent_callbacks)
    assert "Contents" not in aws.s3().list_objects_v2(Bucket="incoming")
