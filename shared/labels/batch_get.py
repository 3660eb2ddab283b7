"""BatchGetItem: many items of one table in one call, repeated until DynamoDB has returned them all."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from shared.labels.items import Item
from shared.labels.retries import LostRace, retried

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEYS_MAX = 100  # that BatchGetItem takes in one call


def read(
    client: "DynamoDBClient", table: str, keys: Sequence[Item], *, consistent: bool, only: Sequence[str] = ()
) -> list[Item]:
    """Return the items that exist, in no particular order, with the attributes `only` or with all.

    The keys must differ.
    """
    names = {f"#{number}": name for number, name in enumerate(only)}
    chosen = {"ProjectionExpression": ", ".join(names), "ExpressionAttributeNames": names} if only else {}
    found: list[Item] = []
    for first in range(0, len(keys), KEYS_MAX):
        some = keys[first : first + KEYS_MAX]
        found += retried(_Call(client, {table: {"Keys": some, "ConsistentRead": consistent, **chosen}}))
    return found


def read_now(
    client: "DynamoDBClient", table: str, keys: Sequence[Item], *, consistent: bool
) -> tuple[list[Item], Sequence[Item]]:
    """Return the items that exist, by one call for at most KEYS_MAX keys, and the keys that throttling left unread."""
    response = client.batch_get_item(RequestItems={table: {"Keys": keys, "ConsistentRead": consistent}})
    unread: Any = response.get("UnprocessedKeys", {}).get(table, {})
    return response["Responses"].get(table, []), unread.get("Keys", [])


class _Call:
    """One call as `retried` takes it: each attempt asks for the keys that throttling left unprocessed."""

    def __init__(self, client: "DynamoDBClient", request: Any) -> None:
        self._client, self._request = client, request
        self._found: list[Item] = []

    def __call__(self, _: bool) -> list[Item]:
        response = self._client.batch_get_item(RequestItems=self._request)
        for found in response["Responses"].values():
            self._found += found
        self._request = response.get("UnprocessedKeys")
        if self._request:
            raise LostRace
        return self._found
