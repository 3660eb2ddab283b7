"""The images of labels in DynamoDB: read lanes, chunks and images; add, remove and edit in one transaction each.

| pattern                  | request                                        | units               |
|--------------------------|------------------------------------------------|---------------------|
| a label's lanes          | Query chunk-info, chunkNumber < 10^11          | 0.5 read            |
| chunks by number         | BatchGetItem chunk-info                        | 0.5 read each       |
| one image                | GetItem image-chunks                           | 0.5 read            |
| add                      | lanes + TransactWriteItems of 3                | 0.5 read, 6 write   |
| add a label's first      | lanes + TransactWriteItems of 4                | 0.5 read, 8 write   |
| remove                   | 2-3 consistent GetItem + 3 or 5 writes         | 2-3 read, 6 or 10 write |
| edit the weight          | 2-3 consistent GetItem + 3, 4 or 6 writes      | 2-3 read, 6-12 write |

Adding, removing or editing an image costs the same reads and writes once more for each tag, in the same transaction.

An `attempt(again)` below is what `retried` calls until it succeeds: `again` is true from the second time on, and then
all reads are consistent.
"""

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from shared.images import Image, Pool
from shared.labels import batch_get, chunks, items, query, transactions
from shared.labels.chunks import Lane
from shared.labels.items import Entry
from shared.labels.retries import TRANSIENT, LostRace, retried
from shared.labels.transactions import Write
from shared.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

RNG: random.Random = random.SystemRandom()


Check = Callable[[Image], None]  # raises an ApiError if the image, as it was read, must not be changed


def allow_all(_: Image) -> None:
    """Accept every image."""


class CompanionWriteFailed(Exception):
    """The condition of the companion failed: a write that the caller added to the transaction."""


class Exists(Exception):
    """The image exists already."""

    def __init__(self, image: Image) -> None:
        super().__init__(image.id)
        self.image = image


class Store:
    """The images of all labels, one at a time: read, add, remove and edit.

    `may_still_commit` is true after a transaction without a response: DynamoDB may have done it, or may still do it.
    """

    def __init__(self, client: "DynamoDBClient", settings: Settings) -> None:
        self._client = client
        self._images_table, self._chunks_table = settings.image_chunks_table, settings.chunk_info_table
        self._consistent = settings.consistent_reads
        self._transactions = transactions.Transactions(self._images_table, self._chunks_table)
        self.may_still_commit = False

    def lanes(self, pool: Pool, *, consistent: bool = False) -> dict[int, Lane]:
        """Return the pool's lanes by number; none if it never had an image."""
        request = {
            "TableName": self._chunks_table,
            "KeyConditionExpression": "label = :label AND chunkNumber < :chunks",
            "ExpressionAttributeValues": {
                ":label": {"S": pool.key},
                ":chunks": items.number(chunks.FIRST_CHUNK_NUMBER),
            },
            "ConsistentRead": consistent or self._consistent,
        }
        return {lane.number: lane for lane in map(items.lane, query.read(self._client, request))}

    def chunks(self, pool: Pool, chunk_numbers: Iterable[int]) -> dict[int, dict[str, int]]:
        """Return the chunks that exist: chunk number -> {name: weight}."""
        keys = [items.chunk_key(pool, number) for number in sorted(set(chunk_numbers))]
        read = batch_get.read(self._client, self._chunks_table, keys, consistent=self._consistent)
        return {int(item["chunkNumber"]["N"]): items.weights(item) for item in read}

    def image(self, label: str, name: str, *, consistent: bool = False) -> Image | None:
        """Return the image or None.  If it seems missing, read again consistently."""
        consistent = consistent or self._consistent
        item = self._image_item(label, name, consistent=consistent)
        if item is None and not consistent:
            item = self._image_item(label, name, consistent=True)
        return items.image(item) if item else None

    def with_total_weight(self, label: str, name: str, *, consistent: bool = False) -> tuple[Image, int] | None:
        """Return the image and its label's total weight, never less than the image's; None if there is no image."""

        def attempt(again: bool) -> tuple[Image, int] | None:
            image = self.image(label, name, consistent=consistent or again)
            if image is None:
                return None
            total_weight = chunks.total_weight(self.lanes(Pool(label), consistent=consistent or again))
            if total_weight < image.weight:  # the two reads straddle a write
                raise LostRace
            return image, total_weight

        return retried(attempt)

    def add(self, image: Image, *, companion: Write | None = None) -> tuple[Image, int]:
        """Add the image.  Return it and its label's total weight, as read.

        If the label has an image of this name already, change nothing and return that one.
        `companion` is another write for the same transaction.  Raise CompanionWriteFailed if its condition fails.
        """

        def attempt(again: bool) -> tuple[Image, int]:
            lanes = [self.lanes(pool, consistent=again) for pool in image.pools]
            total_weight = chunks.total_weight(lanes[0])
            try:
                pools = zip(image.pools, lanes, strict=True)
                writes = [write for pool, its_lanes in pools for write in self._add(image, pool, its_lanes)]
                self._write(writes if lanes[0] else [*writes, self._transactions.register(image.label)], companion)
            except Exists as found:
                if found.image.version_id == image.version_id:  # this image, added by a transaction that was late
                    total_weight = chunks.total_weight(self.lanes(image.pools[0], consistent=True))
                if total_weight < found.image.weight:  # the lanes were read before that image was added
                    raise LostRace from found
                return found.image, total_weight
            return image, total_weight + image.weight

        return retried(attempt)

    def remove(self, label: str, name: str, *, check: Check = allow_all) -> Image | None:
        """Remove the image unless `check` raises.  Return the removed image, or None if there was none."""

        def attempt(_: bool) -> Image | None:
            item = self._image_item(label, name, consistent=True)
            if not item:
                return None
            image = items.image(item)
            check(image)
            self._write([write for entry in self._entries(image, item) for write in self._remove(image, entry)])
            return image

        return retried(attempt)

    def edit(self, label: str, name: str, change: Callable[[Image], Image], *, check: Check = allow_all) -> bool:
        """Give the image the weight, tags and file name that `change` returns, unless `check` raises.

        Return False if there is no such image.
        """

        def attempt(_: bool) -> bool:
            item = self._image_item(label, name, consistent=True)
            if not item:
                return False
            image = items.image(item)
            check(image)
            new = change(image)
            if new != image:
                self._write(list(self._edit(image, new, self._entries(image, item))))
            return True

        return retried(attempt)

    def _add(self, image: Image, pool: Pool, lanes: dict[int, Lane]) -> list[Any]:
        lane = chunks.choose_lane(lanes, chunks.class_of(image.weight), RNG)
        return self._transactions.add(image, pool, lane)

    def _remove(self, image: Image, entry: Entry) -> list[Any]:
        lane = self._lane(entry)
        return self._transactions.remove(image, entry, lane, self._filler(entry, lane))

    def _edit(self, image: Image, new: Image, entries: list[Entry]) -> Iterator[Any]:
        """Yield the writes of a change, those for the label first."""
        for entry in entries:
            if entry.pool not in new.pools:
                yield from self._remove(image, entry)
            elif entry.weight != new.weight:
                lane = self._lane(entry)
                leaves = chunks.class_of(new.weight) != chunks.class_of(entry.weight)
                filler = self._filler(entry, lane) if leaves else None
                yield from self._transactions.change_weight(image, new, entry, lane, filler)
            elif not entry.pool.tag:
                yield self._transactions.change_description(image, new, entry)
        for pool in new.pools:
            if pool not in image.pools:
                yield from self._add(new, pool, self.lanes(pool, consistent=True))

    def _entries(self, image: Image, item: items.Item) -> list[Entry]:
        """Return the image's entry in each of its pools, its label first.  Raise LostRace if it has just left one."""
        found = [item, *(self._image_item(pool.key, image.name, consistent=True) for pool in image.pools[1:])]
        if not all(found):
            raise LostRace
        return [items.entry(each) for each in found if each]

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
        if entry.name in weights:  # it was moved between the reads
            raise LostRace
        name = min(weights)  # any would do; the first by name, so that equal chunks give equal transactions
        return Entry(entry.pool, name, weights[name], active)

    def _write(self, writes: Sequence[Any], companion: Write | None = None) -> None:
        """Do all of the writes, or none and raise LostRace, Exists or CompanionWriteFailed."""
        all_writes: Sequence[Any] = [*writes, companion] if companion else writes
        before, self.may_still_commit = self.may_still_commit, True
        try:
            self._client.transact_write_items(TransactItems=all_writes)
            self.may_still_commit = before
        except ClientError as error:
            reasons: list[Any] = error.response.get("CancellationReasons", [])
            # If botocore sent the request again, an earlier one had no response.
            tried_again = error.response.get("ResponseMetadata", {}).get("RetryAttempts", 0) > 0
            self.may_still_commit = before or not reasons or tried_again
            if reasons and reasons[0].get("Item"):
                raise Exists(items.image(reasons[0]["Item"])) from error
            if companion and reasons and reasons[-1]["Code"] == "ConditionalCheckFailed":
                raise CompanionWriteFailed from error
            if reasons and {reason["Code"] for reason in reasons} <= TRANSIENT:
                raise LostRace from error
            raise
