"""The DynamoDB table of direct uploads.

| pattern                      | request                                                       | units         |
|------------------------------|---------------------------------------------------------------|---------------|
| add an upload                | PutItem, if its id is new                                     | 1 write       |
| get an upload by its id      | GetItem                                                       | 0.5 or 1 read |
| change its state             | UpdateItem, if it is in one of the states that may come first | 1 write       |
| `stored`, with a new image   | the same in the image's transaction                           | 2 write       |
"""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from shared.images import Image
from shared.labels.transactions import Write
from shared.uploads.upload import BEFORE_IMAGE, FORM_LIFETIME_BEFORE, LIFETIME, STATES, Detections, Upload

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Item = dict[str, Any]

CALLBACK_SENT = "told"  # the attribute's name in stored items


class Uploads:
    """The table with this name.

    Each `mark_` method returns False, and changes nothing, if the upload has gone on meanwhile or has expired.
    """

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client, self._table = client, table

    def add(self, upload: Upload) -> None:
        """Store a new upload, whose id no other one has.

        If it is there already, it was stored by an attempt whose answer was lost. It may have gone on meanwhile, so it
        is not stored again.
        """
        try:
            self._client.put_item(
                TableName=self._table, Item=_item(upload), ConditionExpression="attribute_not_exists(id)"
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise

    def get(self, upload_id: str, *, consistent: bool = False) -> Upload | None:
        """Return the upload of this id, or None if it never existed or has expired."""
        answer = self._client.get_item(TableName=self._table, Key={"id": {"S": upload_id}}, ConsistentRead=consistent)
        return _upload(answer["Item"]) if "Item" in answer else None

    def mark_received(self, upload: Upload) -> bool:
        """Mark the upload as received: its file has come."""
        return self._apply(self._change(upload, {"state": {"S": "received"}}, before=("waiting",)))

    def stored_write(self, upload: Upload, image: Image) -> Write:
        """Return the write that marks the upload as stored, for the transaction that adds its image."""
        values = {"state": {"S": "stored"}, "image": {"S": image.id}, "version": {"S": image.version_id}}
        return {"Update": self._change(upload, values, before=BEFORE_IMAGE)}

    def mark_stored(self, upload: Upload, image: Image) -> bool:
        """Mark the upload as stored: it is this image, which existed already."""
        return self._apply(self.stored_write(upload, image)["Update"])

    def mark_recognised(self, upload: Upload, detections: Detections) -> bool:
        """Mark the upload as recognised, with what its image shows."""
        values = {"state": {"S": "recognised"}, "labels": {"S": json.dumps(detections)}}
        return self._apply(self._change(upload, values, before=("stored",)))

    def mark_failed(self, upload: Upload, problem: Mapping[str, Any]) -> bool:
        """Mark the upload as failed: its file is no image or, if `upload` has one, that image cannot be recognised."""
        values = {"state": {"S": "failed"}, "problem": {"S": json.dumps(problem)}}
        return self._apply(self._change(upload, values, before=("stored",) if upload.image else BEFORE_IMAGE))

    def mark_given_up(self, upload: Upload, problem: Mapping[str, Any]) -> bool:
        """Mark the upload as given up, without changing its state."""
        values = {"problem": {"S": json.dumps(problem)}, "givenUp": {"BOOL": True}}
        return self._apply(self._change(upload, values, before=(*BEFORE_IMAGE, "stored")))

    def mark_callback_sent(self, upload: Upload) -> bool:
        """Note that the callback that is due was put into the queue."""
        return self._apply(self._change(upload, {CALLBACK_SENT: {"S": upload.callback_id}}, before=STATES))

    def _change(self, upload: Upload, values: Item, *, before: Sequence[str]) -> dict[str, Any]:
        """Return the update that sets these values if the upload is in one of the states `before`."""
        old = {f":before{number}": {"S": state} for number, state in enumerate(before)}
        return {
            "TableName": self._table,
            "Key": {"id": {"S": upload.id}},
            "UpdateExpression": "SET " + ", ".join(f"#{name} = :{name}" for name in values),
            "ConditionExpression": f"#state IN ({', '.join(old)})",
            "ExpressionAttributeNames": {f"#{name}": name for name in ("state", *values)},
            "ExpressionAttributeValues": {**{f":{name}": value for name, value in values.items()}, **old},
        }

    def _apply(self, update: dict[str, Any]) -> bool:
        """Make the update. Return False if its condition does not hold."""
        try:
            self._client.update_item(**update)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return False
            raise
        return True


def _item(upload: Upload) -> Item:
    """Convert a new upload to its item."""
    texts = {
        "id": upload.id,
        "baseUrl": upload.base_url,
        "label": upload.label,
        "state": upload.state,
        "tags": ",".join(upload.tags),
        "owner": upload.owner,
        "filename": upload.filename,
        "callbackUrl": upload.callback_url,
        "request": upload.request,
    }
    numbers = {
        "created": upload.created,
        "expires": upload.created + LIFETIME,
        "weight": upload.weight,
        "formLifetime": upload.form_lifetime,
    }
    flags = {"insecureCallback": upload.insecure_callback, "tagFromLabels": upload.tag_from_labels}
    return {
        **{name: {"S": text} for name, text in texts.items()},
        **{name: {"N": str(number)} for name, number in numbers.items()},
        **{name: {"BOOL": flag} for name, flag in flags.items()},
    }


def _upload(item: Item) -> Upload:
    """Convert an item to its upload. Attributes that come later than the item may be absent."""
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
        callback_sent=item[CALLBACK_SENT]["S"] if CALLBACK_SENT in item else "",
        request=item["request"]["S"] if "request" in item else "",
        form_lifetime=int(item["formLifetime"]["N"]) if "formLifetime" in item else FORM_LIFETIME_BEFORE,
    )
