"""The images of labels in DynamoDB: add, remove and edit them, in one transaction each.

| pattern                  | request                                        | units               |
|--------------------------|------------------------------------------------|---------------------|
| add                      | lanes + TransactWriteItems of 3                | 0.5 read, 6 write   |
| add a label's first      | lanes + TransactWriteItems of 4                | 0.5 read, 8 write   |
| remove                   | lanes + 1-2 consistent GetItem + 3 or 5 writes | 2-3 read, 6 or 10 write |
| edit the weight          | 2-3 consistent GetItem + 3, 4 or 6 writes      | 2-3 read, 6-12 write |

Each tag of the image costs the same reads and writes once more, in the same transaction; the reads for all tags are
made at a time (reading_ahead.py).  A store is for one request at a time.
A tag's row that is missing or names another version or weight is no obstacle: removing takes what is there, and editing
leaves it as it should be.

An `attempt(again)` below is what `retried` calls until it succeeds: `again` is true from the second time on, and then
all reads are consistent.
"""

import random
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import ClientError

from shared.errors import Unavailable
from shared.images import Image, Pool
from shared.labels import chunks, items
from shared.labels.chunks import Lane
from shared.labels.items import Entry
from shared.labels.reading_ahead import AheadReader
from shared.labels.retries import TRANSIENT, LostRace, retried
from shared.labels.transactions import Write
from shared.parallel import beside
from shared.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

T = TypeVar("T")

RNG: random.Random = random.SystemRandom()

Entries = Sequence[tuple[Pool, Entry | None]]  # of an image, in these pools
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


class Store(AheadReader):
    """The images of all labels, one at a time: read, add, remove and edit.

    `may_still_commit` is true after a transaction without a response: DynamoDB may have done it, or may still do it.
    Where what is stored disagrees so that no attempt can succeed, Damaged is raised instead of Unavailable.
    """

    def __init__(self, client: "DynamoDBClient", settings: Settings) -> None:
        super().__init__(client, settings)
        self.may_still_commit = False

    def with_total_weight(self, label: str, name: str, *, consistent: bool = False) -> tuple[Image, int] | None:
        """Return the image and its label's total weight, never less than the image's; None if there is no image.

        `consistent` is for an image that was written before, so both are read at a time.  Otherwise the lanes are read
        after the image, because they must count it.
        """

        def attempt(again: bool) -> tuple[Image, int] | None:
            read = partial(self.lanes, Pool(label), consistent=consistent or again)
            with beside(read) if consistent else nullcontext(read) as lanes:
                image = self.image(label, name, consistent=consistent or again)
                total_weight = chunks.total_weight(lanes()) if image else 0
            if image is None:
                return None
            if total_weight < image.weight:  # the two reads straddle a write
                raise LostRace
            return image, total_weight

        return self._retried(attempt, label, name)

    def add(self, image: Image, *, companion: Write | None = None) -> tuple[Image, int]:
        """Add the image.  Return it and its label's total weight, as read.

        If the label has an image of this name already, change nothing and return that one.
        `companion` is another write for the same transaction.  Raise CompanionWriteFailed if its condition fails.
        """

        def attempt(again: bool) -> tuple[Image, int]:
            lanes = [self._lanes_to_add(pool, consistent=again) for pool in image.pools]
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

        return self._retried(attempt, image.label, image.name, image.tags)

    def remove(self, label: str, name: str, *, check: Check = allow_all) -> Image | None:
        """Remove the image unless `check` raises.  Return the removed image, or None if there was none."""

        def attempt(_: bool) -> Image | None:
            with beside(partial(self._read_lanes, Pool(label))) as lanes:
                item = self._image_item(label, name, consistent=True)
                if not item:
                    return None
                image = items.image(item)
                check(image)
                lanes()
            self._read_ahead(image, None, item)
            entries = self._entries(image, item)
            self._write([write for pool, entry in entries for write in self._remove(image, pool, entry)])
            return image

        return self._retried(attempt, label, name)

    def edit(self, label: str, name: str, change: Callable[[Image], Image], *, check: Check = allow_all) -> bool:
        """Give the image the weight, tags, file name and version that `change` returns, unless `check` raises.

        Return False if there is no such image.
        """

        def attempt(again: bool) -> bool:
            item = self._image_item(label, name, consistent=True)
            if not item:
                return False
            image = items.image(item)
            check(image)
            new = change(image)
            self._read_ahead(image, new, item, again=again)
            if writes := self._edit(image, new, item, again=again):
                self._write(writes)
            return True

        return self._retried(attempt, label, name)

    def _retried(self, attempt: Callable[[bool], T], label: str, name: str, tags: Sequence[str] = ()) -> T:
        """Return what `attempt` returns.  Raise Damaged if what is stored of this image is why it gave up."""
        try:
            return retried(partial(self._afresh, attempt))
        except Unavailable:
            from shared.labels import damage  # here, because a cold start need not wait for it

            damage.check(self, label, name, tags)
            raise

    def _add(self, image: Image, pool: Pool, lanes: dict[int, Lane]) -> list[Any]:
        lane = chunks.choose_lane(lanes, chunks.class_of(image.weight), RNG)
        return self._transactions.add(image, pool, lane)

    def _remove(self, image: Image, pool: Pool, entry: Entry | None) -> list[Any]:
        if entry is None:
            return [self._transactions.stay_away(pool, image.name)]
        return self._take(items.description(image), entry)

    def _take(self, described: items.Item, entry: Entry) -> list[Any]:
        """Return the writes that remove an image of this description from the entry's pool."""
        lane = self._lane(entry)
        return self._transactions.remove(described, entry, lane, self._filler(entry, lane))

    def _edit(self, image: Image, new: Image, item: items.Item, *, again: bool, others: Entries = ()) -> list[Any]:
        """Return the writes of a change, those for the label first; none if all is as it should be.

        `others` are entries of the image in pools that are not its own.
        """
        (_, own), *tagged = self._entries(image, item)
        tagged += others
        came = [pool for pool in new.pools if pool not in image.pools]
        tagged += [(pool, self._entry(pool, image.name) if again else None) for pool in came]
        writes = [write for pool, entry in tagged for write in self._change_tagged(image, new, pool, entry)]
        if own and own.weight != new.weight:
            return [*self._change_weight(image, new, own), *writes]
        if own and (writes or new != image):
            return [self._transactions.change_description(image, new, own), *writes]
        return []

    def _change_tagged(self, image: Image, new: Image, pool: Pool, entry: Entry | None) -> list[Any]:
        """Return the writes that leave the pool of a tag as the changed image wants it, whatever is there now."""
        if pool not in new.pools:
            return self._remove(image, pool, entry)
        if entry is None:
            return self._add(new, pool, self._lanes(pool))
        if entry.weight != new.weight:
            return self._change_weight(image, new, entry)
        if entry.version_id != new.version_id:
            return [self._transactions.change_description(image, new, entry)]
        return []

    def _change_weight(self, image: Image, new: Image, entry: Entry) -> list[Any]:
        lane = self._lane(entry)
        leaves = chunks.class_of(new.weight) != chunks.class_of(entry.weight)
        filler = self._filler(entry, lane) if leaves else None
        return self._transactions.change_weight(image, new, entry, lane, filler)

    def _entries(self, image: Image, item: items.Item) -> Entries:
        """Return each of the image's pools with the image's entry there, its label first.

        A tag's entry is None if the image has just left the pool or, after damage, if its row is missing.
        """
        tagged = [(pool, self._entry(pool, image.name)) for pool in image.pools[1:]]
        return [(image.pools[0], items.entry(item)), *tagged]

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
