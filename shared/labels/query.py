"""Query: items of one partition, in as many calls as DynamoDB needs.

DynamoDB may end a page early, and a page may even be empty.  Only a page without LastEvaluatedKey is the last.
"""

from typing import TYPE_CHECKING, Any

from shared.labels.items import Item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def read(client: "DynamoDBClient", request: dict[str, Any], *, limit: int | None = None) -> list[Item]:
    """Return the items that the request selects, at most `limit`, in the order of their keys."""
    found: list[Item] = []
    while True:
        if limit is not None:
            request = {**request, "Limit": limit - len(found)}
        page = client.query(**request)
        found += page["Items"]
        if "LastEvaluatedKey" not in page or len(found) == limit:
            return found
        request = {**request, "ExclusiveStartKey": page["LastEvaluatedKey"]}
