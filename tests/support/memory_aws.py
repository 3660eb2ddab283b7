"""DynamoDB and S3 in memory behind boto3's low-level calls, as far as petAPI uses them.

Every call first goes to `pause`, where a scheduler may let other clients run, kill the caller or force a conflict.
Writes are atomic; an eventually consistent read may return an item's previous value.  Expressions are parsed and
evaluated, and items are never changed in place.  `test_replay.py` replays the transactions on another engine, whose
outcomes must be the same.
"""

import io
import random
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

Item = dict[str, Any]
Key = tuple[str, ...]

IMAGES, CHUNKS, BUCKET, THUMBNAILS = "images-table", "chunks-table", "bucket", "thumbnails"
UPLOADS, DETECTIONS, INCOMING, TILES = "uploads-table", "detections-table", "incoming", "tiles-table"
KEYS = {
    IMAGES: ("label", "s3key"),
    CHUNKS: ("label", "chunkNumber"),
    UPLOADS: ("id",),
    DETECTIONS: ("digest", "recogniser"),
    TILES: ("label", "name"),
}


class Conflict(Exception):
    """Another transaction cancels the present one; raised by `pause`."""


class World:
    """The state of the tables and buckets, and the transactions in order."""

    def __init__(self, rng: random.Random, *, stale: float = 0.0) -> None:
        self.rng, self.stale = rng, stale
        self.pause: Callable[[str], None] = lambda call: None
        self.after_write: Callable[[], None] = lambda: None
        self.after_discard: Callable[[str], None] = lambda image_id: None
        self.tables: dict[str, dict[Key, Item]] = {table: {} for table in KEYS}
        self.previous: dict[str, dict[Key, Item | None]] = {table: {} for table in KEYS}
        self.objects: dict[str, dict[str, bytes]] = {}
        self.thumbnails: dict[str, bytes] = {}
        self.files: dict[str, bytes] = {}  # in the bucket of incoming files
        self.messages: list[str] = []  # in the queue of callbacks
        self.to_index: list[str] = []  # in the queue of images to index
        self.versions = 0
        self.stored: dict[str, int] = {}  # version -> the tick at which it was stored
        self.ticks = 0  # the time, in calls
        self.page = 0  # entries of the pages of paginators; 0 for all on one
        self.removed = ""  # the version of the image that was removed last
        self.page_sizes: list[int] = []  # how many items the next pages of a Query have; later pages are whole
        self.transactions: list[tuple[list[Any], list[str]]] = []  # the calls and their outcome, in order

    def time(self, tick: int) -> datetime:
        """Return the time of a tick, as S3 shows it."""
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=tick)

    def pages(self, call: str, read: Callable[[], list[tuple[Any, Item]]]) -> Iterator[list[Item]]:
        """Yield pages of what `read` returns, sorted by key, each as it is when the page is asked for."""
        after: Any = None
        while True:
            self.pause(call)
            found = [(key, item) for key, item in read() if after is None or key > after]
            size = self.page or len(found)
            after = found[size - 1][0] if len(found) > size else None
            yield [item for number, (key, item) in enumerate(found) if number < size or key == after]
            if after is None:
                return

    def read(self, table: str, key: Key, *, consistent: bool) -> Item | None:
        if not consistent and self.stale and self.rng.random() < self.stale and key in self.previous[table]:
            return self.previous[table][key]
        return self.tables[table].get(key)

    def write(self, table: str, key: Key, item: Item | None) -> None:
        self.previous[table][key] = before = self.tables[table].get(key)
        if table == IMAGES and before and not item and "#" not in key[0]:  # a row under a tag may be damaged
            self.removed = before["versionId"]["S"]
        if item is None:
            self.tables[table].pop(key, None)
        else:
            self.tables[table][key] = item


def key_of(table: str, item: Item) -> Key:
    return tuple([next(iter(item[name].values())) for name in KEYS[table]])


def cancelled(codes: list[str], items: list[Item | None] | None = None) -> ClientError:
    reasons: list[dict[str, Any]] = [{"Code": code} for code in codes]
    for reason, item in zip(reasons, items or [None] * len(codes), strict=True):
        if item is not None:
            reason["Item"] = item
    error = {"Error": {"Code": "TransactionCanceledException", "Message": ""}, "CancellationReasons": reasons}
    return ClientError(error, "TransactWriteItems")  # type: ignore[arg-type]


class DynamoDB:
    """The calls of shared/labels and tools/reconcile/inventory.py."""

    def __init__(self, world: World) -> None:
        self.world = world

    def query(self, *, TableName: str, ConsistentRead: bool, ExpressionAttributeValues: Item, **more: Any) -> Any:
        self.world.pause("query")
        if TableName == TILES:
            return {"Items": self._tiles(ExpressionAttributeValues, **more)}
        if TableName == IMAGES:
            return self._ended(TableName, self._rows(ExpressionAttributeValues, **more), **more)
        label, below = ExpressionAttributeValues[":label"]["S"], int(ExpressionAttributeValues[":chunks"]["N"])
        keys = {key for key in (*self.world.tables[TableName], *self.world.previous[TableName]) if key[0] == label}
        lanes = sorted((key for key in keys if int(key[1]) < below), key=lambda key: int(key[1]))
        found = [self.world.read(TableName, key, consistent=ConsistentRead) for key in lanes]
        return self._ended(TableName, [item for item in found if item], **more)

    def _ended(self, table: str, items: list[Item], *, ExclusiveStartKey: Item | None = None, **_: Any) -> Any:
        """Return the next page of these items; where it ends early, LastEvaluatedKey says how to go on."""
        start = ExclusiveStartKey or {"s3key": {"S": ""}, "chunkNumber": {"N": "-1"}}  # before all items
        if table == CHUNKS:
            items = [item for item in items if int(item["chunkNumber"]["N"]) > int(start["chunkNumber"]["N"])]
        if not self.world.page_sizes:
            return {"Items": items}
        page = items[: self.world.page_sizes.pop(0)]
        return {"Items": page, "LastEvaluatedKey": page[-1] if page else start}

    def _rows(self, values: Item, *, Limit: int, ExclusiveStartKey: Item | None = None, **_: Any) -> list[Item]:
        """Return rows with these values by name, even where DynamoDB sorts by file name."""
        prefix = values.get(":prefix", {"S": ""})["S"]
        wanted = {name[1:]: value for name, value in values.items() if name != ":prefix"}
        after = ExclusiveStartKey["s3key"]["S"] if ExclusiveStartKey else ""
        rows = [row for (_, name), row in sorted(self.world.tables[IMAGES].items()) if name > after]
        fitting = [row for row in rows if all(row.get(name) == value for name, value in wanted.items())]
        if prefix:
            fitting = [row for row in fitting if row.get("filename", {"S": ""})["S"].startswith(prefix)]
        return fitting[:Limit]

    def _tiles(self, values: Item, *, KeyConditionExpression: str, Limit: int, **_: Any) -> list[Item]:
        """Return tiles of the size in `:bytes`, whose names come behind or before `:name` if the condition has it."""
        rows = [row for (label, _), row in sorted(self.world.tables[TILES].items()) if label == values[":label"]["S"]]
        if " > " in KeyConditionExpression:
            rows = [row for row in rows if row["name"]["S"] > values[":name"]["S"]]
        elif " < " in KeyConditionExpression:
            rows = [row for row in rows if row["name"]["S"] < values[":name"]["S"]]
        size = int(values[":bytes"]["N"])
        return [row for row in rows if "tile" in row and len(row["tile"]["B"]) == size][:Limit]

    def get_item(self, *, TableName: str, Key: Item, ConsistentRead: bool) -> Any:
        self.world.pause("get_item")
        item = self.world.read(TableName, key_of(TableName, Key), consistent=ConsistentRead)
        return {"Item": item} if item else {}

    def batch_get_item(self, *, RequestItems: Any) -> Any:
        self.world.pause("batch_get_item")
        ((table, request),) = RequestItems.items()
        keys = {key_of(table, key) for key in request["Keys"]}
        assert 1 <= len(keys) == len(request["Keys"]) <= 100, "DynamoDB would refuse it"
        found = [
            self.world.read(table, key_of(table, key), consistent=request["ConsistentRead"]) for key in request["Keys"]
        ]
        return {"Responses": {table: [item for item in found if item]}, "UnprocessedKeys": {}}

    def transact_write_items(self, *, TransactItems: list[Any]) -> Any:
        try:
            self.world.pause("transact_write_items")
        except Conflict as conflict:
            raise cancelled(["TransactionConflict", *["None"] * (len(TransactItems) - 1)]) from conflict
        writes = [next(iter(write.items())) for write in TransactItems]
        keys = {(w["TableName"], key_of(w["TableName"], w.get("Key") or w["Item"])) for _, w in writes}
        if len(keys) < len(writes):
            error = {
                "Code": "ValidationException",
                "Message": "Transaction request cannot include multiple operations on one item",
            }
            raise ClientError({"Error": error}, "TransactWriteItems")  # type: ignore[typeddict-item]
        befores = [
            self.world.tables[w["TableName"]].get(key_of(w["TableName"], w.get("Key") or w["Item"])) for _, w in writes
        ]
        codes = [
            "None" if holds(write, before) else "ConditionalCheckFailed"
            for (_, write), before in zip(writes, befores, strict=True)
        ]
        self.world.transactions.append((TransactItems, codes))
        if set(codes) != {"None"}:
            shown = [
                before if code != "None" and write.get("ReturnValuesOnConditionCheckFailure") else None
                for code, (_, write), before in zip(codes, writes, befores, strict=True)
            ]
            raise cancelled(codes, shown)
        for (kind, write), before in zip(writes, befores, strict=True):
            table = write["TableName"]
            self.world.write(table, key_of(table, write.get("Key") or write["Item"]), after(kind, write, before))
        self.world.after_write()
        return {}

    def transact_get_items(self, *, TransactItems: list[Any]) -> Any:
        try:
            self.world.pause("transact_get_items")
        except Conflict as conflict:
            raise cancelled(["TransactionConflict", *["None"] * (len(TransactItems) - 1)]) from conflict
        gets = [each["Get"] for each in TransactItems]
        found = [self.world.tables[get["TableName"]].get(key_of(get["TableName"], get["Key"])) for get in gets]
        return {"Responses": [{"Item": item} if item else {} for item in found]}

    def put_item(self, **write: Any) -> Any:
        return self._write("Put", write)

    def update_item(self, **write: Any) -> Any:
        return self._write("Update", write)

    def delete_item(self, **write: Any) -> Any:
        return self._write("Delete", write)

    def _write(self, kind: str, write: Any) -> Any:
        self.world.pause(f"{kind.lower()}_item")
        table, key = write["TableName"], key_of(write["TableName"], write.get("Key") or write["Item"])
        before = self.world.tables[table].get(key)
        if not holds(write, before):
            shown = {"Item": before} if before and write.get("ReturnValuesOnConditionCheckFailure") else {}
            error: Any = {"Error": {"Code": "ConditionalCheckFailedException", "Message": ""}, **shown}
            raise ClientError(error, f"{kind}Item")
        self.world.write(table, key, after(kind, write, before))
        return {}

    def get_paginator(self, call: str) -> Any:
        """Return a paginator: `scan` for lanes, `query` for the rows or the chunks of a partition."""

        def paginate(
            *, TableName: str, ExpressionAttributeValues: Any = None, ConsistentRead: bool = False, **_: Any
        ) -> Iterator[Any]:
            ExpressionAttributeValues = ExpressionAttributeValues or {}
            values, bound = ExpressionAttributeValues, int(ExpressionAttributeValues.get(":chunks", {"N": "0"})["N"])

            def fits(key: Key) -> bool:
                if TableName == TILES:
                    return True
                if call == "scan":
                    return int(key[1]) < bound
                return key[0] == values[":label"]["S"] and (TableName != CHUNKS or int(key[1]) >= bound)

            def read() -> list[tuple[Any, Item]]:
                keys = dict.fromkeys([*self.world.tables[TableName], *self.world.previous[TableName]])
                fitting = [key for key in keys if fits(key)]
                found = [(key, self.world.read(TableName, key, consistent=ConsistentRead)) for key in fitting]
                ordered = [(order(TableName, key), item) for key, item in found if item]
                return sorted(ordered, key=lambda pair: pair[0])

            return ({"Items": items} for items in self.world.pages(f"{call} page", read))

        return SimpleNamespace(paginate=paginate)


def order(table: str, key: Key) -> tuple[Any, ...]:
    """Return what DynamoDB sorts keys by, with partitions in any order."""
    return (key[0], int(key[1])) if table == CHUNKS else key


class S3:
    """A versioned bucket of pictures, and unversioned ones of thumbnails and incoming files."""

    def __init__(self, world: World) -> None:
        self.world = world

    def put_object(self, *, Bucket: str = BUCKET, Key: str, Body: bytes, **_: Any) -> Any:
        self.world.pause("put_object" if Bucket == BUCKET else "put_thumbnail")
        if Bucket == THUMBNAILS:
            self.world.thumbnails[Key] = Body
            return {}
        self.world.versions += 1
        version = f"v{self.world.versions}"
        self.world.stored[version] = self.world.ticks
        self.world.objects.setdefault(Key, {})[version] = Body
        return {"VersionId": version}

    def get_object(self, *, Bucket: str, Key: str, VersionId: str = "", **_: Any) -> Any:
        self.world.pause("get_object")
        stored = self.world.objects.get(Key, {})
        versions = [stored[VersionId]] if VersionId in stored else [] if VersionId else list(stored.values())
        if Bucket in (THUMBNAILS, INCOMING):
            objects = self.world.thumbnails if Bucket == THUMBNAILS else self.world.files
            versions = [objects[Key]] if Key in objects else []
        if not versions:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": ""}}, "GetObject")
        return {"Body": io.BytesIO(versions[-1]), "ContentLength": len(versions[-1])}

    def delete_object(self, *, Key: str, Bucket: str = BUCKET, VersionId: str = "", **_: Any) -> Any:
        self.world.pause("delete_object")
        if Bucket == INCOMING:
            self.world.files.pop(Key, None)
            return {}
        self.world.objects.get(Key, {}).pop(VersionId, None)
        return {}

    def delete_objects(self, *, Delete: Any, **_: Any) -> Any:
        self.world.pause("delete_objects")
        for each in Delete["Objects"]:
            self.world.thumbnails.pop(each["Key"], None)
            self.world.after_discard(each["Key"].rpartition("/")[0])
        return {}

    def get_paginator(self, _: str) -> Any:
        """Return a paginator of `list_object_versions`."""

        def paginate(*, Prefix: str = "", Delimiter: str = "", **_: Any) -> Iterator[Any]:
            if Delimiter:
                self.world.pause("list_labels")
                labels = {key.split("/")[0] + "/" for key, versions in self.world.objects.items() if versions}
                return iter([{"CommonPrefixes": [{"Prefix": label} for label in sorted(labels)]}])

            def read() -> list[tuple[Any, Item]]:
                keys = [key for key in sorted(self.world.objects) if key.startswith(Prefix)]
                return [(key, self._version(key, version)) for key in keys for version in self.world.objects[key]]

            return ({"Versions": versions} for versions in self.world.pages("list_versions page", read))

        return SimpleNamespace(paginate=paginate)

    def _version(self, key: str, version: str) -> Item:
        size = len(self.world.objects[key][version])
        modified = self.world.time(self.world.stored[version])
        return {"Key": key, "VersionId": version, "LastModified": modified, "Size": size}

    def head_object(self, *, Key: str, VersionId: str, **_: Any) -> Any:
        self.world.pause("head_object")
        versions = self.world.objects.get(Key, {})
        if VersionId not in versions:
            error = {"Error": {"Code": "404", "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": 404}}
            raise ClientError(error, "HeadObject")  # type: ignore[arg-type]
        return {"ContentLength": len(versions[VersionId])}


class SQS:
    """The calls that put a callback into its queue, and images into theirs."""

    def __init__(self, world: World) -> None:
        self.world = world

    def send_message(self, *, QueueUrl: str, MessageBody: str) -> Any:
        self.world.pause("send_message")
        self.world.messages.append(MessageBody)
        return {}

    def send_message_batch(self, *, Entries: list[dict[str, str]], **_: Any) -> Any:
        self.world.pause("send_message_batch")
        self.world.to_index += [entry["MessageBody"] for entry in Entries]
        return {}


# --- the expression language of conditions and updates ---

TOKEN = re.compile(r"\s*(BETWEEN|AND|OR|<=|<>|[#:]?[A-Za-z_][A-Za-z0-9_]*(?:\.[#A-Za-z_][A-Za-z0-9_]*)*|[()=,])")


def holds(write: Any, before: Item | None) -> bool:
    """Return whether the write's condition holds for the present item."""
    expression = write.get("ConditionExpression")
    return expression is None or bool(_condition(expression)(_Scope(write, before or {})))


def after(kind: str, write: Any, before: Item | None) -> Item | None:
    """Return the item after the write; None if it is deleted."""
    if kind == "Delete":
        return None
    if kind == "Put":
        return dict(write["Item"])
    item = dict(before or write["Key"])
    if "images" in item:
        item["images"] = {"M": dict(item["images"]["M"])}
    scope = _Scope(write, item)
    for clause, body in re.findall(r"(SET|REMOVE|ADD)\s+(.*?)(?=\s+(?:SET|REMOVE|ADD)\s|$)", write["UpdateExpression"]):
        for action in body.split(","):
            parts = action.replace("=", " ").split()
            parent, name = scope.parent(parts[0])
            if clause == "REMOVE":
                parent.pop(name, None)
            elif clause == "SET":
                parent[name] = scope.value(parts[1])
            else:
                old = int(parent.get(name, {"N": "0"})["N"])
                parent[name] = {"N": str(old + int(scope.value(parts[1])["N"]))}
    return item


class _Scope:
    def __init__(self, write: Any, item: Item) -> None:
        self.names = write.get("ExpressionAttributeNames", {})
        self.values = write.get("ExpressionAttributeValues", {})
        self.item = item

    def value(self, name: str) -> Any:
        return self.values[name]

    def parent(self, path: str) -> tuple[Any, str]:
        *parents, last = [self.names[part] if part.startswith("#") else part for part in path.split(".")]
        holder: Any = self.item
        for part in parents:
            holder = holder[part]["M"]
        return holder, last

    def get(self, path: str) -> Any:
        try:
            holder, name = self.parent(path)
        except KeyError:
            return None
        return holder.get(name)


@cache
def _condition(expression: str) -> Callable[[_Scope], bool]:
    tokens = TOKEN.findall(expression)
    result = _either(tokens)
    assert not tokens, expression
    return result


def _either(tokens: list[str]) -> Callable[[_Scope], bool]:
    terms = [_both(tokens)]
    while tokens[:1] == ["OR"]:
        tokens.pop(0)
        terms.append(_both(tokens))
    return lambda scope: any(term(scope) for term in terms)


def _both(tokens: list[str]) -> Callable[[_Scope], bool]:
    terms = [_test(tokens)]
    while tokens[:1] == ["AND"]:
        tokens.pop(0)
        terms.append(_test(tokens))
    return lambda scope: all(term(scope) for term in terms)


def _test(tokens: list[str]) -> Callable[[_Scope], bool]:
    word = tokens.pop(0)
    if word == "(":
        inner = _either(tokens)
        assert tokens.pop(0) == ")"
        return inner
    if word in ("attribute_exists", "attribute_not_exists"):
        _, path, _ = (tokens.pop(0) for _ in range(3))
        return lambda scope: (scope.get(path) is not None) == (word == "attribute_exists")
    if word == "size":
        _, path, _, _, name = (tokens.pop(0) for _ in range(5))
        return lambda scope: (found := scope.get(path)) is not None and len(found["M"]) == int(scope.value(name)["N"])
    operator = tokens.pop(0)
    if operator == "=":
        name = tokens.pop(0)
        return lambda scope: scope.get(word) == scope.value(name)
    if operator == "<>":
        name = tokens.pop(0)
        return lambda scope: scope.get(word) != scope.value(name)
    if operator == "<=":
        name = tokens.pop(0)
        return lambda scope: (found := scope.get(word)) is not None and int(found["N"]) <= int(scope.value(name)["N"])
    if operator == "IN":
        end = tokens.index(")")
        names = [name for name in tokens[1:end] if name != ","]
        del tokens[: end + 1]
        return lambda scope: scope.get(word) in [scope.value(name) for name in names]
    lowest, _, highest = (tokens.pop(0) for _ in range(3))
    return lambda scope: (
        (found := scope.get(word)) is not None
        and (int(scope.value(lowest)["N"]) <= int(found["N"]) <= int(scope.value(highest)["N"]))
    )
