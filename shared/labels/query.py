"""Query: the items of one partition in one call, or in more if DynamoDB ends a page early.

A page may end before its limit, and may even be empty: only one without LastEvaluatedKey is the last.
"""

from typing import TYPE_CHECKING, Any

from shared.labels.items import Item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def read(client: "DynamoDBClient", request: dict[str, Any], *, limit: int | None = None) -> list[Item]:
    """Return the items that the request selects, in the order of their keys; at most `limit` of them."""
    found: list[Item] = []
    while True:
        if limit is not None:
            request = {**request, "Limit": limit - len(found)}
        page = client.query(**request)
        found += page["Items"]
        if "LastEvaluatedKey" not in page or len(found) == limit:
            return found
        request = {**request, "ExclusiveStartKey": page["LastEvaluatedKey"]}
