"""The DynamoDB table of direct uploads.

| pattern                     | request                                                   | units   |
|-----------------------------|-----------------------------------------------------------|---------|
| ask for an upload           | PutItem, if there is none                                 | 1 write |
| an upload by its id         | GetItem                                                   | 0.5 or 1 read |
| go on from one state        | UpdateItem, if it is in one of the states before          | 1 write |
| `stored`, with a new image  | the same in the image's transaction                       | 2 write |
"""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from shared.images import Image
from shared.labels.transactions import Write
from shared.uploads.upload import BEFORE_IMAGE, LIFETIME, STATES, Detections, Upload

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Item = dict[str, Any]


class Uploads:
    """The uploads in this table."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client, self._table = client, table

    def add(self, upload: Upload) -> None:
        """Keep a new upload; no other may have its id."""
        self._client.put_item(TableName=self._table, Item=_item(upload), ConditionExpression="attribute_not_exists(id)")

    def get(self, upload_id: str, *, consistent: bool = False) -> Upload | None:
        """The upload of this id; None if there is none, or none any more."""
        answer = self._client.get_item(TableName=self._table, Key={"id": {"S": upload_id}}, ConsistentRead=consistent)
        return _upload(answer["Item"]) if "Item" in answer else None

    def received(self, upload: Upload) -> bool:
        """The file has come; False, here and below, if the upload has gone on meanwhile, or is gone."""
        return self._done(self._step(upload, {"state": {"S": "received"}}, before=("waiting",)))

    def storing(self, upload: Upload, image: Image) -> Write:
        """It becomes this image: a write for the transaction that adds it."""
        values = {"state": {"S": "stored"}, "image": {"S": image.id}, "version": {"S": image.version_id}}
        return {"Update": self._step(upload, values, before=BEFORE_IMAGE)}

    def stored(self, upload: Upload, image: Image) -> bool:
        """It is this image, which was there already."""
        return self._done(self.storing(upload, image)["Update"])

    def recognised(self, upload: Upload, detections: Detections) -> bool:
        """It is known what the image shows."""
        values = {"state": {"S": "recognised"}, "labels": {"S": json.dumps(detections)}}
        return self._done(self._step(upload, values, before=("stored",)))

    def failed(self, upload: Upload, problem: Mapping[str, Any]) -> bool:
        """It becomes no image, or, if it is one as read, cannot be recognised."""
        values = {"state": {"S": "failed"}, "problem": {"S": json.dumps(problem)}}
        return self._done(self._step(upload, values, before=("stored",) if upload.image else BEFORE_IMAGE))

    def give_up(self, upload: Upload, problem: Mapping[str, Any]) -> bool:
        """It is not received for now."""
        values = {"problem": {"S": json.dumps(problem)}, "givenUp": {"BOOL": True}}
        return self._done(self._step(upload, values, before=(*BEFORE_IMAGE, "stored")))

    def mark_callback_sent(self, upload: Upload) -> bool:
        """Its callback is in the queue."""
        return self._done(self._step(upload, {"told": {"S": upload.callback_id}}, before=STATES))

    def _step(self, upload: Upload, values: Item, *, before: Sequence[str]) -> dict[str, Any]:
        """The update that gives the upload these values if it is in one of the states before."""
        old = {f":before{number}": {"S": state} for number, state in enumerate(before)}
        return {
            "TableName": self._table,
            "Key": {"id": {"S": upload.id}},
            "UpdateExpression": "SET " + ", ".join(f"#{name} = :{name}" for name in values),
            "ConditionExpression": f"#state IN ({', '.join(old)})",
            "ExpressionAttributeNames": {f"#{name}": name for name in ("state", *values)},
            "ExpressionAttributeValues": {**{f":{name}": value for name, value in values.items()}, **old},
        }

    def _done(self, update: dict[str, Any]) -> bool:
        try:
            self._client.update_item(**update)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return False
            raise
        return True


def _item(upload: Upload) -> Item:
    texts = {
        "id": upload.id,
        "baseUrl": upload.base_url,
        "label": upload.label,
        "state": upload.state,
        "tags": ",".join(upload.tags),
        "owner": upload.owner,
        "filename": upload.filename,
        "callbackUrl": upload.callback_url,
    }
    numbers = {"created": upload.created, "expires": upload.created + LIFETIME, "weight": upload.weight}
    flags = {"insecureCallback": upload.insecure_callback, "tagFromLabels": upload.tag_from_labels}
    return {
        **{name: {"S": text} for name, text in texts.items()},
        **{name: {"N": str(number)} for name, number in numbers.items()},
        **{name: {"BOOL": flag} for name, flag in flags.items()},
    }


def _upload(item: Item) -> Upload:
    return Upload(
        id=item["id"]["S"],
        created=int(item["created"]["N"]),
        base_url=item["baseUrl"]["S"],
        label=item["label"]["S"],
        weight=int(item["weight"]["N"]),
        tags=tuple(filter(None, item["tags"]["S"].split(","))),
        owner=item["owner"]["S"],
        filename=item["filename"]["S"],
        callback_url=item["callbackUrl"]["S"],
        insecure_callback=item["insecureCallback"]["BOOL"],
        tag_from_labels=item["tagFromLabels"]["BOOL"],
        state=item["state"]["S"],
        image=item["image"]["S"] if "image" in item else "",
        version=item["version"]["S"] if "version" in item else "",
        detections=[(name, share) for name, share in json.loads(item["labels"]["S"])] if "labels" in item else (),
        problem=json.loads(item["problem"]["S"]) if "problem" in item else None,
        given_up="givenUp" in item,
        callback_sent=item["told"]["S"] if "told" in item else "",
    )
