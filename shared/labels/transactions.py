"""The writes that add, remove and change an image, as TransactWriteItems takes them: pure.

Each function returns the writes for one pool; the store puts those of all pools of an image into one transaction.
They keep a lane's images of one class without gaps: all chunks are full but the last, the active chunk.  The write of
the image's own item comes first, so that its reason is the first one of a cancelled transaction.
docs/explanation/transactions.md has the tables and the reasons.
"""

from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

from shared.images import Image, Pool
from shared.labels import chunks, items
from shared.labels.chunks import Lane
from shared.labels.counts import CountChange, one_less, one_more
from shared.labels.items import Entry

Write = dict[str, Any]

UNCHANGED = "chunkNumber = :oldChunk AND weight = :oldWeight"  # the image's item is as it was read
IN_CHUNK = "attribute_exists(images.#image)"


class Transactions(NamedTuple):
    """The writes for these two tables."""

    image_chunks_table: str
    chunk_info_table: str

    def add(self, image: Image, pool: Pool, lane: Lane) -> list[Write]:
        """Add an image to a lane of a pool: 3 writes.

        In the pool of the label, the first write fails if the image exists already, and returns its item.
        """
        weight_class = chunks.class_of(image.weight)
        entry = Entry(pool, image.name, image.weight, chunks.next_chunk(lane, weight_class))
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
            self._enter(entry, new_chunk=chunks.starts_new_chunk(lane, weight_class)),
        ]

    def register(self, label: str) -> Write:
        """Put the label into the list of labels; this goes with its first image."""
        return {"Put": {"TableName": self.image_chunks_table, "Item": items.image_key(items.LABELS, label)}}

    def stay_away(self, pool: Pool, name: str) -> Write:
        """Write nothing, on the condition that the pool has no item of this image."""
        delete = {
            "TableName": self.image_chunks_table,
            "Key": items.image_key(pool.key, name),
            "ConditionExpression": "attribute_not_exists(s3key)",
        }
        return {"Delete": delete}

    def remove(self, described: items.Item, entry: Entry, lane: Lane, filler: Entry | None) -> list[Write]:
        """Remove an image of this description from a pool: 3 writes, or 5 if a filler of the active chunk replaces it.

        The condition names the version.  If the same picture was deleted and uploaded again since it was read, it may
        be in the same chunk with the same weight, but the caller would discard the wrong version.
        """
        delete = {
            "TableName": self.image_chunks_table,
            "Key": items.image_key(entry.pool.key, entry.name),
            "ConditionExpression": UNCHANGED,
            "ExpressionAttributeValues": _numbers({":oldChunk": entry.chunk_number, ":oldWeight": entry.weight}),
        }
        weight_class = chunks.class_of(entry.weight)
        return [
            _if_unchanged({"Delete": delete}, described, entry),
            self._change_lane(entry.pool, lane, -entry.weight, one_less(lane, weight_class)),
            *self._leave(entry, filler, empties=chunks.empties_chunk(lane, weight_class)),
        ]

    def give_back_row(self, image: Image, pool: Pool, chunk_number: int, weight: int) -> list[Write]:
        """Put the row of an image under a tag again, where it is missing: 2 writes.

        It has a place in this chunk with this weight.  Without a row, no other write can change that place.
        """
        entry = Entry(pool, image.name, weight, chunk_number, image.version_id)
        put = {
            "TableName": self.image_chunks_table,
            "Item": items.tag_item(replace(image, weight=weight), pool, chunk_number),
            "ConditionExpression": "attribute_not_exists(s3key)",
        }
        return [
            {"Put": put},
            self._change_chunk(entry, "SET images.#image = :weight", IN_CHUNK, {":weight": weight}),
        ]

    def change_description(self, image: Image, new: Image, entry: Entry) -> Write:
        """Change an image's tags, file name and version, and not its weight: 1 write."""
        return self._change_image(image, new, entry, replace(entry, version_id=new.version_id))

    def change_weight(self, image: Image, new: Image, entry: Entry, lane: Lane, filler: Entry | None) -> list[Write]:
        """Change an image's weight in a pool: 3 writes within its class, 4 or 6 into another class of its lane.

        The condition names the version, because one that was uploaded since may have another owner.
        """
        old_class, new_class = chunks.class_of(entry.weight), chunks.class_of(new.weight)
        change = new.weight - entry.weight
        if old_class == new_class:
            moved = replace(entry, weight=new.weight, version_id=new.version_id)
            return [
                self._change_image(image, new, entry, moved),
                self._change_lane(entry.pool, lane, change),
                self._change_chunk(moved, "SET images.#image = :weight", IN_CHUNK, {":weight": new.weight}),
            ]
        number = chunks.next_chunk(lane, new_class)
        moved = replace(entry, weight=new.weight, version_id=new.version_id, chunk_number=number)
        return [
            self._change_image(image, new, entry, moved),
            self._change_lane(entry.pool, lane, change, one_less(lane, old_class), one_more(lane, new_class)),
            *self._leave(entry, filler, empties=chunks.empties_chunk(lane, old_class)),
            self._enter(moved, new_chunk=chunks.starts_new_chunk(lane, new_class)),
        ]

    def _change_lane(self, pool: Pool, lane: Lane, weight: int, *counts: CountChange) -> Write:
        """Change a lane's total by `weight`, and its counts."""
        adds, conditions, names, values = ["totalWeight :weight"], [], {}, {":weight": weight}
        for i, count in enumerate(counts):
            adds.append(f"#volume{i} :change{i}")
            within = f"#volume{i} BETWEEN :lowest{i} AND :highest{i}"
            conditions.append(f"({within})" if count.lowest else f"(attribute_not_exists(#volume{i}) OR {within})")
            names[f"#volume{i}"] = count.attribute
            values |= {f":change{i}": count.change, f":lowest{i}": count.lowest, f":highest{i}": count.highest}
            if count.opens:
                adds.append(f"{items.OPENED} :opened")
                values[":opened"] = 1
        update: Write = {
            "TableName": self.chunk_info_table,
            "Key": items.chunk_key(pool, lane.number),
            "UpdateExpression": "ADD " + ", ".join(adds),
            "ExpressionAttributeValues": _numbers(values),
        }
        if counts:
            update |= {"ConditionExpression": " AND ".join(conditions), "ExpressionAttributeNames": names}
        return {"Update": update}

    def _enter(self, entry: Entry, *, new_chunk: bool) -> Write:
        """Put an image into its chunk.  The first image creates the chunk."""
        if not new_chunk:
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
        """Take an image out of its chunk, and move a filler from the active chunk into its place."""
        if filler is None:
            return [self._take(entry, last=empties)]
        change = self._change_chunk(
            entry, "SET images.#filler = :weight REMOVE images.#image", IN_CHUNK, {":weight": filler.weight}
        )
        change["Update"]["ExpressionAttributeNames"]["#filler"] = filler.name
        moved = replace(filler, chunk_number=entry.chunk_number)
        return [self._take(filler, last=empties), change, self._update_image(filler, moved)]

    def _take(self, entry: Entry, *, last: bool) -> Write:
        """Take an image out of the active chunk.  With its last image, the chunk's item is deleted."""
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
        """Update the entry's chunk.  In the expressions, #image is the entry's name."""
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
        """Update an image's item in a pool.  Only the item in the pool of the label has tags and file name."""
        write = _if_unchanged(self._update_image(old_entry, new_entry), items.description(image), old_entry)
        if not new_entry.pool.tag and (image.tags, image.filename) != (new.tags, new.filename):
            described = items.description(new)
            gone = [name for name in items.description(image) if name not in described]
            update = write["Update"]
            update["UpdateExpression"] += "".join(f", {name} = :new_{name}" for name in described)
            update["UpdateExpression"] += " REMOVE " + ", ".join(gone) if gone else ""
            update["ExpressionAttributeValues"] |= {f":new_{name}": value for name, value in described.items()}
        return write

    def _update_image(self, old: Entry, new: Entry) -> Write:
        """Update the chunk, weight and version of an image's item, if its chunk and weight are unchanged."""
        values = {
            ":oldChunk": old.chunk_number,
            ":oldWeight": old.weight,
            ":newChunk": new.chunk_number,
            ":newWeight": new.weight,
        }
        update: Write = {
            "TableName": self.image_chunks_table,
            "Key": items.image_key(old.pool.key, old.name),
            "UpdateExpression": "SET chunkNumber = :newChunk, weight = :newWeight",
            "ConditionExpression": UNCHANGED,
            "ExpressionAttributeValues": _numbers(values),
        }
        if new.version_id != old.version_id:
            update["UpdateExpression"] += ", versionId = :newVersion"
            update["ExpressionAttributeValues"][":newVersion"] = {"S": new.version_id}
        return {"Update": update}


def _if_unchanged(write: Write, described: items.Item, entry: Entry) -> Write:
    """Add to a write the condition that the image's item still has its version and, in the label's pool, what is given.

    The tags determine the pools.  With a tag added or removed since, the transaction would miss a pool's entry.  With
    another file name, the caller's If-Match would be passed over.
    """
    (call,) = write.values()
    call["ConditionExpression"] += " AND versionId = :version"
    call["ExpressionAttributeValues"][":version"] = {"S": entry.version_id}
    for name in () if entry.pool.tag else ("tags", "filename"):
        same = f"{name} = :{name}" if name in described else f"attribute_not_exists({name})"
        call["ConditionExpression"] += f" AND {same}"
        call["ExpressionAttributeValues"] |= {f":{name}": described[name]} if name in described else {}
    return write


def _numbers(values: dict[str, int]) -> dict[str, items.Item]:
    return {name: items.number(value) for name, value in values.items()}
