"""The store, with the operations that only reconcile needs: list everything, and mend the rows of an image."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from shared.images import Image, Pool
from shared.labels import chunks, items
from shared.labels.items import Item
from shared.labels.retries import LostRace, retried
from shared.labels.store import Store
from shared.labels.transactions import Write
from shared.settings import Settings
from tools.reconcile import streams
from tools.reconcile.rebuild_writes import RebuildWrites
from tools.reconcile.streams import Rows

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# Rows of tags that are held in memory, in all; but at least PAGE_MIN for each tag, so that a label with thousands of
# tags does not take a request for every few rows.
TAGGED_ROWS = 20_000
PAGE_MIN = 20
STRAYS_MAX = 5  # rows that one transaction takes from tags that the image does not have; the next pass takes more


class Inventory(Store):
    """A store that can list all labels and all images, mend rows, and rebuild what follows from them."""

    def __init__(self, client: "DynamoDBClient", settings: Settings) -> None:
        super().__init__(client, settings)
        self.rebuilding = RebuildWrites(self._images_table, self._chunks_table)

    def labels(self) -> dict[str, set[str]]:
        """Return each label that is in the list of labels or has lanes, with its tags that have lanes.

        This reads the whole chunk-info table.
        """
        found: dict[str, set[str]] = {label: set() for label in self.listed()}
        for item in self._pages(
            "scan",
            TableName=self._chunks_table,
            FilterExpression="chunkNumber < :chunks",
            ProjectionExpression="label",
            ExpressionAttributeValues={":chunks": items.number(chunks.FIRST_CHUNK_NUMBER)},
        ):
            pool = Pool.of_key(item["label"]["S"])
            found.setdefault(pool.label, set()).update({pool.tag} - {""})
        return found

    def listed(self) -> set[str]:
        """Return the labels in the list of labels."""
        return {item["s3key"]["S"] for item in self.rows_under(items.LABELS)}

    def list_label(self, label: str) -> None:
        """Put the label into the list of labels, where labels from before there was a list are missing."""
        retried(lambda _: self._write([self._transactions.register(label)]))

    def images(self, label: str) -> Iterator[Image]:
        """Yield all images of a label, sorted by name."""
        return map(items.image, self.rows_under(label))

    def rows_under(self, key: str, *, consistent: bool = False, page: int | None = None) -> Iterator[Item]:
        """Yield the rows of a partition of the image table, sorted by name; `page` of them are read at a time."""
        return self._pages(
            "query",
            page=page,
            TableName=self._images_table,
            KeyConditionExpression="label = :label",
            ExpressionAttributeValues={":label": {"S": key}},
            ConsistentRead=consistent,
        )

    def chunk_items(self, pool: Pool) -> Iterator[Item]:
        """Yield the chunks of a pool by number, read consistently."""
        return self._pages(
            "query",
            TableName=self._chunks_table,
            KeyConditionExpression="label = :label AND chunkNumber >= :chunks",
            ExpressionAttributeValues={
                ":label": {"S": pool.key},
                ":chunks": items.number(chunks.FIRST_CHUNK_NUMBER),
            },
            ConsistentRead=True,
        )

    def rows(self, label: str, tags: Collection[str], *, consistent: bool = False) -> Iterator[Rows]:
        """Yield the rows of each image of a label and of these tags, sorted by name."""
        page = max(PAGE_MIN, TAGGED_ROWS // max(1, len(tags)))
        tagged = {tag: self.rows_under(Pool(label, tag).key, consistent=consistent, page=page) for tag in sorted(tags)}
        return streams.by_name(label, self.rows_under(label, consistent=consistent), tagged)

    def disagreements(self, label: str, name: str, tags: Collection[str]) -> list[str]:
        """Return how an image's rows under its tags, and under these, differ from its own row, all at one moment."""

        def attempt(_: bool) -> list[str]:
            seen = Rows(label, name, self._image_item(label, name, consistent=True)).image
            every = sorted({*tags, *(seen.tags if seen else ())})
            own, *tagged = self.snapshot([self.row_key(Pool(label, tag), name) for tag in ("", *every)])
            rows = Rows(label, name, own, {tag: item for tag, item in zip(every, tagged, strict=True) if item})
            if rows.image and not set(rows.image.tags) <= set(every):
                raise LostRace
            return streams.differences(rows)

        return retried(attempt)

    def mend(self, label: str, name: str, tags: Collection[str]) -> bool:
        """Let an image's rows under its tags, and under these, agree with its own row.  Return whether they did not."""

        def attempt(_: bool) -> bool:
            given_back = self._give_back_rows(label, name)
            own = self._image_item(label, name, consistent=True)
            image = items.image(own) if own else None
            others = [Pool(label, tag) for tag in sorted(set(tags) - set(image.tags if image else ()))]
            strays = [(pool, entry) for pool in others if (entry := self._entry(pool, name))][:STRAYS_MAX]
            if image and own:
                writes = self._edit(image, image, own, again=True, others=strays)
            else:  # an image that comes meanwhile has another version, so what names this one is no row of it
                writes = [write for _, stray in strays for write in self._take({}, stray)]
            if writes:
                self._write(writes)
            return given_back or bool(writes)

        return self._retried(attempt, label, name, sorted(tags))

    def _give_back_rows(self, label: str, name: str) -> bool:
        """Put rows under tags again that are missing although a chunk has the image.  Return whether there were any.

        Adding the image to such a tag would give it a second place there, and twice its probability.  This reads all
        chunks of the tag.
        """
        own = self._image_item(label, name, consistent=True)
        if own is None:
            return False
        image = items.image(own)
        writes: list[Write] = []
        for pool in image.pools[1:]:
            if self._entry(pool, name) is None and (place := self._place(pool, name)):
                writes += self._transactions.give_back_row(image, pool, *place)
        if writes:
            self._write([self._transactions.change_description(image, image, items.entry(own)), *writes])
        return bool(writes)

    def _place(self, pool: Pool, name: str) -> tuple[int, int] | None:
        """Return the chunk of a pool that has the image, and the weight there, or None."""
        for item in self.chunk_items(pool):
            if weight := items.weights(item).get(name):
                return int(item["chunkNumber"]["N"]), weight
        return None

    def rename_version(self, image: Image, version_id: str) -> bool:
        """Let the image and its tags name another version of its picture.

        Return False, and change nothing, if it does not name the version that was read any more.
        """
        renamed = False

        def rename(now: Image) -> Image:
            nonlocal renamed
            renamed = now.version_id == image.version_id
            return replace(now, version_id=version_id) if renamed else now

        return self.edit(image.label, image.name, rename) and renamed

    def write(self, writes: list[Write]) -> None:
        """Do these writes, all or none."""
        retried(lambda _: self._write(writes))

    def _pages(self, call: Any, *, page: int | None = None, **request: Any) -> Iterator[Item]:
        config = {"PaginationConfig": {"PageSize": page}} if page else {}
        for found in self._client.get_paginator(call).paginate(**request, **config):
            yield from found["Items"]
