"""What is stored of labels in DynamoDB: lanes, chunks, images, and the places of an image.

| pattern                  | request                                        | units               |
|--------------------------|------------------------------------------------|---------------------|
| a label's lanes          | Query chunk-info, chunkNumber < 10^11          | 0.5 read            |
| chunks by number         | BatchGetItem chunk-info                        | 0.5 read each       |
| one image                | GetItem image-chunks                           | 0.5 read            |
| items of one moment      | TransactGetItems                               | 2 read each         |
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from shared.images import Image, Pool
from shared.labels import batch_get, chunks, items, query, transactions
from shared.labels.chunks import Lane
from shared.labels.items import Chunk, Entry
from shared.labels.retries import LostRace
from shared.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Key = tuple[str, items.Item]  # a table, and the key of an item in it


class Reader:
    """The items of all labels."""

    def __init__(self, client: "DynamoDBClient", settings: Settings) -> None:
        self._client = client
        self._images_table, self._chunks_table = settings.image_chunks_table, settings.chunk_info_table
        self._consistent = settings.consistent_reads
        self._transactions = transactions.Transactions(self._images_table, self._chunks_table)

    def lanes(self, pool: Pool, *, consistent: bool = False) -> dict[int, Lane]:
        """Return the pool's lanes by number; none if it never had an image."""
        return {lane.number: lane for lane in map(items.lane, self._lane_items(pool, consistent=consistent))}

    def _lane_items(self, pool: Pool, *, consistent: bool) -> list[items.Item]:
        request = {
            "TableName": self._chunks_table,
            "KeyConditionExpression": "label = :label AND chunkNumber < :chunks",
            "ExpressionAttributeValues": {
                ":label": {"S": pool.key},
                ":chunks": items.number(chunks.FIRST_CHUNK_NUMBER),
            },
            "ConsistentRead": consistent or self._consistent,
        }
        return query.read(self._client, request)

    def chunks(self, wanted: Iterable[Chunk]) -> dict[Chunk, dict[str, int]]:
        """Return the chunks that exist: chunk -> {name: weight}."""
        read = batch_get.read(self._client, self._chunks_table, _chunk_keys(wanted), consistent=self._consistent)
        return {items.chunk(item): items.weights(item) for item in read}

    def chunks_now(self, wanted: Iterable[Chunk]) -> tuple[dict[Chunk, dict[str, int]], set[Chunk]]:
        """Return the chunks that exist, by one call, and those that throttling kept it from reading."""
        keys = _chunk_keys(wanted)
        read, unread = batch_get.read_now(self._client, self._chunks_table, keys, consistent=self._consistent)
        return {items.chunk(item): items.weights(item) for item in read}, {items.chunk(key) for key in unread}

    def image(self, label: str, name: str, *, consistent: bool = False) -> Image | None:
        """Return the image or None.  If it seems missing, read again consistently."""
        consistent = consistent or self._consistent
        item = self._image_item(label, name, consistent=consistent)
        if item is None and not consistent:
            item = self._image_item(label, name, consistent=True)
        return items.image(item) if item else None

    def _entry(self, pool: Pool, name: str) -> Entry | None:
        """Read the entry of an image in a pool consistently."""
        item = self._image_item(pool.key, name, consistent=True)
        return items.entry(item) if item else None

    def _image_item(self, key: str, name: str, *, consistent: bool) -> items.Item | None:
        request: Any = {"TableName": self._images_table, "Key": items.image_key(key, name)}
        return self._client.get_item(**request, ConsistentRead=consistent).get("Item")

    def _chunk_item(self, pool: Pool, chunk_number: int) -> items.Item:
        key = items.chunk_key(pool, chunk_number)
        response = self._client.get_item(TableName=self._chunks_table, Key=key, ConsistentRead=True)
        if "Item" not in response:
            raise LostRace
        return response["Item"]

    def _lane(self, entry: Entry) -> Lane:
        """Read the entry's lane consistently.  Raise LostRace if it has no image of the entry's class any more."""
        lane = items.lane(self._chunk_item(entry.pool, chunks.lane_of(entry.chunk_number)))
        if not lane.volume(chunks.class_of(entry.weight)):
            raise LostRace
        return lane

    def _filler(self, entry: Entry, lane: Lane) -> Entry | None:
        """Return an image of the active chunk that can take the entry's place; None if the entry is in that chunk."""
        active = chunks.active_chunk(lane, chunks.class_of(entry.weight))
        if active == entry.chunk_number:
            return None
        weights = items.weights(self._chunk_item(entry.pool, active))
        if not weights or entry.name in weights:  # it was moved between the reads
            raise LostRace
        name = min(weights)  # any would do; the first by name, so that equal chunks give equal transactions
        return Entry(entry.pool, name, weights[name], active)

    def row_key(self, pool: Pool, name: str) -> Key:
        """Return where the row of an image in a pool is stored."""
        return self._images_table, items.image_key(pool.key, name)

    def chunk_key(self, pool: Pool, chunk_number: int) -> Key:
        """Return where a chunk or a lane is stored."""
        return self._chunks_table, items.chunk_key(pool, chunk_number)

    def snapshot(self, keys: Sequence[Key]) -> list[items.Item | None]:
        """Return the items of these keys, all as they are at one moment.  Raise LostRace if another writer is there."""
        gets: list[Any] = [{"Get": {"TableName": table, "Key": key}} for table, key in keys]
        try:
            responses = self._client.transact_get_items(TransactItems=gets)["Responses"]
        except ClientError as error:
            if "CancellationReasons" in error.response or error.response["Error"]["Code"].startswith("TransactionConf"):
                raise LostRace from error
            raise
        return [response.get("Item") for response in responses]


def _chunk_keys(wanted: Iterable[Chunk]) -> list[items.Item]:
    return [items.chunk_key(pool, number) for pool, number in sorted(set(wanted))]
