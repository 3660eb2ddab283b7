"""The transactions that add, remove and change an image: pure, as TransactWriteItems takes them.

Each is of one pool: a label, or a label with a tag, which is stored as a label is; those of all its pools together, in
one transaction, change an image.  Each keeps a lane's images of one class dense: all chunks full but the last, the
active chunk.  docs/explanation/transactions.md has the tables and the reasons.  The image's own write comes first, so
that its reason is the first of a cancelled transaction.
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from shared.images import Image, Pool
from shared.labels import chunks, items
from shared.labels.chunks import Lane
from shared.labels.items import Entry

Write = dict[str, Any]

UNCHANGED = "chunkNumber = :oldChunk AND weight = :oldWeight"  # what was read of the image still holds
IN_CHUNK = "attribute_exists(images.#image)"


@dataclass(frozen=True, slots=True)
class CountChange:
    """A lane's count of one class, one more or one less, and the counts (from, to) at which that may be written."""

    change: int
    attribute: str
    lowest: int
    highest: int


def one_more(lane: Lane, weight_class: int) -> CountChange:
    """One image more, while the open chunk stays the open one: uploads may follow each other without a new read."""
    volume = lane.volume(weight_class)
    index = chunks.chunk_of(volume)
    opens = chunks.opens_chunk(lane, weight_class)
    lowest, highest = (volume, volume) if opens else (chunks.first_place(index) + 1, chunks.first_place(index + 1) - 1)
    return CountChange(1, f"{items.VOLUME}{weight_class}", lowest, highest)


def one_less(lane: Lane, weight_class: int) -> CountChange:
    """One image less, while the active chunk stays the active one and keeps an image if it was to keep one."""
    volume = lane.volume(weight_class)
    index = chunks.chunk_of(volume - 1)
    empties = chunks.empties_chunk(lane, weight_class)
    lowest, highest = (volume, volume) if empties else (chunks.first_place(index) + 2, chunks.first_place(index + 1))
    return CountChange(-1, f"{items.VOLUME}{weight_class}", lowest, highest)


@dataclass(frozen=True, slots=True)
class Transactions:
    """The three transactions on these two tables."""

    image_chunks_table: str
    chunk_info_table: str

    def add(self, image: Image, pool: Pool, lane: Lane) -> list[Write]:
        """Add an image to a lane of its label, or of its label with a tag: 3 writes.

        To the label, the first fails, and gives the item, if the image is there already.
        """
        weight_class = chunks.class_of(image.weight)
        entry = Entry(pool, image.name, image.weight, chunks.open_chunk(lane, weight_class))
        item = partial(items.tag_item, pool=pool) if pool.tag else items.image_item
        put = {
            "TableName": self.image_chunks_table,
            "Item": item(image, chunk_number=entry.chunk_number),
            "ConditionExpression": "attribute_not_exists(s3key)",
        }
        if not pool.tag:
            put["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        return [
            {"Put": put},
            self._change_lane(pool, lane, image.weight, one_more(lane, weight_class)),
            self._enter(entry, opens=chunks.opens_chunk(lane, weight_class)),
        ]

    def register(self, label: str) -> Write:
        """List the label, with its first image."""
        return {"Put": {"TableName": self.image_chunks_table, "Item": items.image_key(items.LABELS, label)}}

    def remove(self, image: Image, entry: Entry, lane: Lane, filler: Entry | None) -> list[Write]:
        """Remove an image from a pool: 3 writes, or 5 when a filler from the active chunk takes its place.

        The version is in the condition: the same bytes, deleted and uploaded again since they were read, may stand in
        the same chunk with the same weight, but under a version that the caller would not know to discard.
        """
        delete = {
            "TableName": self.image_chunks_table,
            "Key": items.image_key(entry.pool.key, entry.name),
            "ConditionExpression": UNCHANGED,
            "ExpressionAttributeValues": _numbers({":oldChunk": entry.chunk_number, ":oldWeight": entry.weight}),
        }
        weight_class = chunks.class_of(entry.weight)
        return [
            _if_unchanged({"Delete": delete}, image, entry),
            self._change_lane(entry.pool, lane, -entry.weight, one_less(lane, weight_class)),
            *self._leave(entry, filler, empties=chunks.empties_chunk(lane, weight_class)),
        ]

    def describe(self, image: Image, new: Image, entry: Entry) -> Write:
        """Change an image's tags and file name where its weight stays."""
        return self._change_image(image, new, entry, entry)

    def reweigh(self, image: Image, new: Image, entry: Entry, lane: Lane, filler: Entry | None) -> list[Write]:
        """Change an image's weight in a pool: 3 writes within its class, 4 or 6 into another class of the same lane.

        The version is in the condition, because another one, uploaded since, may have another owner.
        """
        old_class, new_class = chunks.class_of(entry.weight), chunks.class_of(new.weight)
        change = new.weight - entry.weight
        if old_class == new_class:
            moved = replace(entry, weight=new.weight)
            return [
                self._change_image(image, new, entry, moved),
                self._change_lane(entry.pool, lane, change),
                self._change_chunk(moved, "SET images.#image = :weight", IN_CHUNK, {":weight": new.weight}),
            ]
        moved = replace(entry, weight=new.weight, chunk_number=chunks.open_chunk(lane, new_class))
        return [
            self._change_image(image, new, entry, moved),
            self._change_lane(entry.pool, lane, change, one_less(lane, old_class), one_more(lane, new_class)),
            *self._leave(entry, filler, empties=chunks.empties_chunk(lane, old_class)),
            self._enter(moved, opens=chunks.opens_chunk(lane, new_class)),
        ]

    def _change_lane(self, pool: Pool, lane: Lane, weight: int, *counts: CountChange) -> Write:
        """The lane's write: its total by `weight`, and its counts."""
        adds, conditions, names, values = ["totalWeight :weight"], [], {}, {":weight": weight}
        for i, count in enumerate(counts):
            adds.append(f"#volume{i} :change{i}")
            within = f"#volume{i} BETWEEN :lowest{i} AND :highest{i}"
            conditions.append(f"({within})" if count.lowest else f"(attribute_not_exists(#volume{i}) OR {within})")
            names[f"#volume{i}"] = count.attribute
            values |= {f":change{i}": count.change, f":lowest{i}": count.lowest, f":highest{i}": count.highest}
        update: Write = {
            "TableName": self.chunk_info_table,
            "Key": items.chunk_key(pool, lane.number),
            "UpdateExpression": "ADD " + ", ".join(adds),
            "ExpressionAttributeValues": _numbers(values),
        }
        if counts:
            update |= {"ConditionExpression": " AND ".join(conditions), "ExpressionAttributeNames": names}
        return {"Update": update}

    def _enter(self, entry: Entry, *, opens: bool) -> Write:
        """The image goes into its chunk; the first one makes the chunk."""
        if not opens:
            return self._change_chunk(
                entry, "SET images.#image = :weight", "attribute_exists(chunkNumber)", {":weight": entry.weight}
            )
        put = {
            "TableName": self.chunk_info_table,
            "Item": items.chunk_item(entry.pool, entry.chunk_number, {entry.name: entry.weight}),
            "ConditionExpression": "attribute_not_exists(chunkNumber)",
        }
        return {"Put": put}

    def _leave(self, entry: Entry, filler: Entry | None, *, empties: bool) -> list[Write]:
        """The image leaves its chunk; a filler moves from the active chunk into its place."""
        if filler is None:
            return [self._take(entry, last=empties)]
        change = self._change_chunk(
            entry, "SET images.#filler = :weight REMOVE images.#image", IN_CHUNK, {":weight": filler.weight}
        )
        change["Update"]["ExpressionAttributeNames"]["#filler"] = filler.name
        moved = replace(filler, chunk_number=entry.chunk_number)
        return [self._take(filler, last=empties), change, self._update_image(filler, moved)]

    def _take(self, entry: Entry, *, last: bool) -> Write:
        """This image leaves its chunk, the active one; the last image takes the item with it."""
        if not last:
            return self._change_chunk(entry, "REMOVE images.#image", IN_CHUNK)
        delete = {
            "TableName": self.chunk_info_table,
            "Key": items.chunk_key(entry.pool, entry.chunk_number),
            "ConditionExpression": f"size(images) = :one AND {IN_CHUNK}",
            "ExpressionAttributeNames": {"#image": entry.name},
            "ExpressionAttributeValues": _numbers({":one": 1}),
        }
        return {"Delete": delete}

    def _change_chunk(self, entry: Entry, update: str, condition: str, values: dict[str, int] | None = None) -> Write:
        """A write to the entry's chunk, in which #image is the entry's name."""
        write: Write = {
            "TableName": self.chunk_info_table,
            "Key": items.chunk_key(entry.pool, entry.chunk_number),
            "UpdateExpression": update,
            "ConditionExpression": condition,
            "ExpressionAttributeNames": {"#image": entry.name},
        }
        if values:
            write["ExpressionAttributeValues"] = _numbers(values)
        return {"Update": write}

    def _change_image(self, image: Image, new: Image, old_entry: Entry, new_entry: Entry) -> Write:
        """The image's item in a pool tells what is new of it; tags and file name in its label alone."""
        write = _if_unchanged(self._update_image(old_entry, new_entry), image, old_entry)
        if not new_entry.pool.tag and (image.tags, image.filename) != (new.tags, new.filename):
            described = items.description(new)
            gone = [name for name in items.description(image) if name not in described]
            update = write["Update"]
            update["UpdateExpression"] += "".join(f", {name} = :new_{name}" for name in described)
            update["UpdateExpression"] += " REMOVE " + ", ".join(gone) if gone else ""
            update["ExpressionAttributeValues"] |= {f":new_{name}": value for name, value in described.items()}
        return write

    def _update_image(self, old: Entry, new: Entry) -> Write:
        """The image's item tells its new chunk and weight, if it still tells the old ones."""
        values = {
            ":oldChunk": old.chunk_number,
            ":oldWeight": old.weight,
            ":newChunk": new.chunk_number,
            ":newWeight": new.weight,
        }
        update = {
            "TableName": self.image_chunks_table,
            "Key": items.image_key(old.pool.key, old.name),
            "UpdateExpression": "SET chunkNumber = :newChunk, weight = :newWeight",
            "ConditionExpression": UNCHANGED,
            "ExpressionAttributeValues": _numbers(values),
        }
        return {"Update": update}


def _if_unchanged(write: Write, image: Image, entry: Entry) -> Write:
    """The write of an image's item, if that names this version, too, and in its label has these tags.

    Its pools follow from its tags: a tag that came or went since would leave an entry behind, or take none along.
    """
    (call,) = write.values()
    call["ConditionExpression"] += " AND versionId = :version"
    call["ExpressionAttributeValues"][":version"] = {"S": image.version_id}
    if not entry.pool.tag and image.tags:
        call["ConditionExpression"] += " AND tags = :tags"
        call["ExpressionAttributeValues"][":tags"] = {"SS": list(image.tags)}
    elif not entry.pool.tag:
        call["ConditionExpression"] += " AND attribute_not_exists(tags)"
    return write


def _numbers(values: dict[str, int]) -> dict[str, items.Item]:
    return {name: items.number(value) for name, value in values.items()}
