"""Results of recognition in DynamoDB, by the picture's digest: what costs money is asked for once.

| key                | attributes                                                             |
|--------------------|------------------------------------------------------------------------|
| digest, recogniser | labels: a list of {name, confidence}; expires: seconds since 1970      |
| digest, recogniser | failure: a sentence; it never expires, for the picture will not change |

`digest` is the SHA-256 of the stored bytes in hex, `recogniser` what `recognisers.identity` says.  DynamoDB's TTL
removes what is expired, hours later; until then it counts as absent.
"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from botocore.exceptions import ClientError

from detections import Detection, Unrecognisable
from shared.labels.items import Item, number

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


DECIMALS = 6  # of a confidence in percent: DynamoDB takes no number below 1e-130, and softmax makes such


class DetectionCache:
    """The results in this table; new detections are good for `lifetime` seconds."""

    def __init__(
        self, client: "DynamoDBClient", table: str, lifetime: int, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._client, self._table, self._lifetime, self._clock = client, table, lifetime, clock

    def get_or_recognise(
        self, digest: str, recogniser: str, recognise: Callable[[], list[Detection]]
    ) -> list[Detection]:
        """The detections that are kept, or else those that `recognise` finds, which are kept from now on.

        Unrecognisable is kept for ever, RecognitionUnavailable and other errors never.
        """
        key = {"digest": {"S": digest}, "recogniser": {"S": recogniser}}
        return _detections(self._kept(key) or self._keep(key | self._result(recognise)))

    def _kept(self, key: Item) -> Item | None:
        """The item, None if there is none or it is expired; read consistently, for a needless call costs far more."""
        item = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")
        return None if item is None or self._is_expired(item) else item

    def _is_expired(self, item: Item) -> bool:
        return "expires" in item and int(item["expires"]["N"]) <= self._now()

    def _result(self, recognise: Callable[[], list[Detection]]) -> Item:
        try:
            detections = recognise()
        except Unrecognisable as error:
            return {"failure": {"S": str(error)}}
        return {"labels": {"L": list(map(_map, detections))}, "expires": number(self._now() + self._lifetime)}

    def _keep(self, item: Item) -> Item:
        """The item, or the one that somebody else kept meanwhile: all get the same result."""
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


def _map(detection: Detection) -> Item:
    return {"M": {"name": {"S": detection.name}, "confidence": {"N": f"{detection.confidence:.{DECIMALS}f}"}}}


def _detections(item: Item) -> list[Detection]:
    """The detections of an item; Unrecognisable if it is a failure."""
    if "failure" in item:
        raise Unrecognisable(item["failure"]["S"])
    return [Detection(each["M"]["name"]["S"], float(each["M"]["confidence"]["N"])) for each in item["labels"]["L"]]
