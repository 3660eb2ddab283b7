"""Results of recognition in DynamoDB, by the picture's digest, so that one picture is paid for once.

| key                | attributes                                                              |
|--------------------|-------------------------------------------------------------------------|
| digest, recogniser | labels: a list of {name, confidence}; expires: seconds since 1970       |
| digest, recogniser | failure: a sentence; it never expires, since the picture never changes, |
|                    | or expires after an hour if the picture took too much time or memory    |

`digest` is the SHA-256 of the stored bytes in hex, `recogniser` is the text of `recognisers.identity`. DynamoDB's TTL
removes expired items hours later. Until then they count as absent.
"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from botocore.exceptions import ClientError

from shared import recognised_label
from shared.labels.items import Item, number
from shared.pictures.budget import RETRIED_AFTER
from shared.recognition.detections import Detection, Unrecognisable, UnrecognisableNow

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DetectionCache:
    """The results in the table with this name; new detections are used for `lifetime` seconds."""

    def __init__(
        self, client: "DynamoDBClient", table: str, lifetime: int, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._client, self._table, self._lifetime, self._clock = client, table, lifetime, clock

    def get_or_recognise(
        self, digest: str, recogniser: str, recognise: Callable[[], list[Detection]]
    ) -> list[Detection]:
        """Return the detections that are stored, or call `recognise` and store what it finds.

        Unrecognisable is stored for ever, UnrecognisableNow for an hour, RecognitionUnavailable and other errors never.
        """
        key = _key(digest, recogniser)
        return _detections(self._stored(key) or self._store(key | self._result(recognise)))

    def known(self, digest: str, recogniser: str) -> list[Detection] | None:
        """Return the detections that are stored, or None if there are none. Raise Unrecognisable if that is stored."""
        item = self._stored(_key(digest, recogniser))
        return _detections(item) if item else None

    def _stored(self, key: Item) -> Item | None:
        """Return the item, or None if there is none or it has expired.

        The read is consistent: a second recognition would cost far more.
        """
        item = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")
        return None if item is None or self._is_expired(item) else item

    def _is_expired(self, item: Item) -> bool:
        return "expires" in item and int(item["expires"]["N"]) <= self._now()

    def _result(self, recognise: Callable[[], list[Detection]]) -> Item:
        """Call the recogniser and return the attributes of its result."""
        try:
            detections = recognise()
        except UnrecognisableNow as error:
            return {"failure": {"S": str(error)}, "expires": number(self._now() + RETRIED_AFTER)}
        except Unrecognisable as error:
            return {"failure": {"S": str(error)}}
        return {
            "labels": {"L": [recognised_label.item(each.name, each.confidence) for each in detections]},
            "expires": number(self._now() + self._lifetime),
        }

    def _store(self, item: Item) -> Item:
        """Store the item and return it, or the one that another call stored meanwhile: all get one result."""
        try:
            self._client.put_item(
                TableName=self._table,
                Item=item,
                ConditionExpression="attribute_not_exists(digest) OR expires <= :now",
                ExpressionAttributeValues={":now": number(self._now())},
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return cast("Item", error.response["Item"])  # type: ignore[typeddict-item]  # its types lack it
        return item

    def _now(self) -> int:
        return int(self._clock())


def _key(digest: str, recogniser: str) -> Item:
    return {"digest": {"S": digest}, "recogniser": {"S": recogniser}}


def _detections(item: Item) -> list[Detection]:
    """Return the detections of an item. Raise Unrecognisable if it has a failure."""
    if "failure" in item:
        raise Unrecognisable(item["failure"]["S"])
    return [Detection(*recognised_label.of_item(each)) for each in item["labels"]["L"]]
