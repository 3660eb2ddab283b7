"""The index in memory, beside the tables and the bucket of memory_aws.py: vectors, a model, and the queue of images.

Each call goes to the world's `pause`, as those of memory_aws.py. The table of images has a stream.
"""

import io
import json
import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from hashlib import sha256
from types import SimpleNamespace
from typing import Any
from unittest import mock

from botocore.exceptions import ClientError

import index_images
from shared import aws, settings
from shared.vectors import bedrock
from tests.support import memory_aws
from tests.support.memory_aws import BUCKET, CHUNKS, DETECTIONS, IMAGES, THUMBNAILS, TILES, Item, Key, World
from tests.support.memory_uploads import Calls, Counted

CONTEXT = SimpleNamespace(get_remaining_time_in_millis=lambda: 60_000)  # the function's timeout
INDEX = "arn:aws:s3vectors:us-east-1:123456789012:bucket/vectors/index/titan-1024-1"
SETTINGS = settings.Settings(
    BUCKET,
    CHUNKS,
    IMAGES,
    frozenset("*"),
    THUMBNAILS,
    recognitions_table=DETECTIONS,
    vector_index=INDEX,
    tiles_table=TILES,
    index_queue="https://sqs.test/index",
)


class IndexWorld(World):
    """A world with an index. `refused` has pictures that the model refuses, by their digest."""

    def __init__(self, rng: random.Random, *, stale: float = 0.0) -> None:
        super().__init__(rng, stale=stale)
        self.vectors: dict[str, dict[str, Any]] = {}
        self.stream: list[dict[str, Any]] = []  # what the table of images had to say
        self.queue: list[dict[str, Any]] = []  # bodies and receive counts of messages that wait
        self.postponed: list[int] = []  # the seconds of each ChangeMessageVisibility
        self.asked = 0  # pictures that the model was asked about
        self.throttled = 0.0  # the share of the model's answers that are ThrottlingException
        self.refuses = False  # whether the model refuses every picture

    def write(self, table: str, key: Key, item: Item | None) -> None:
        before = self.tables[table].get(key)
        super().write(table, key, item)
        if table == IMAGES and "bytes" in (item or before or {}):  # as the filter of the mapping has it
            images = {"OldImage": before, "NewImage": item}
            found = {name: image for name, image in images.items() if image}
            keys = {"label": {"S": key[0]}, "s3key": {"S": key[1]}}
            self.stream.append({"eventSource": "aws:dynamodb", "dynamodb": {"Keys": keys, **found}})


class Vectors:
    """The calls of shared/vectors/vector_index.py."""

    def __init__(self, world: IndexWorld) -> None:
        self.world = world

    def get_vectors(self, *, keys: list[str], returnData: bool, **_: Any) -> Any:
        self.world.pause("get_vectors")
        assert 1 <= len(keys) == len(set(keys)) <= 100
        found = [self.world.vectors[key] for key in keys if key in self.world.vectors]
        return {"vectors": [each if returnData else without_data(each) for each in found]}

    def put_vectors(self, *, vectors: list[dict[str, Any]], **_: Any) -> Any:
        self.world.pause("put_vectors")
        assert 1 <= len({each["key"] for each in vectors}) == len(vectors) <= 500
        self.world.vectors |= {each["key"]: each for each in vectors}
        return {}

    def delete_vectors(self, *, keys: list[str], **_: Any) -> Any:
        self.world.pause("delete_vectors")
        for key in keys:
            self.world.vectors.pop(key, None)
        return {}

    def get_paginator(self, _: str) -> Any:
        """Return a paginator of `list_vectors`."""

        def paginate(**_: Any) -> Iterator[Any]:
            def read() -> list[tuple[Any, Item]]:
                return [(key, without_data(vector)) for key, vector in sorted(self.world.vectors.items())]

            return ({"vectors": vectors} for vectors in self.world.pages("list_vectors page", read))

        return SimpleNamespace(paginate=paginate)


def without_data(vector: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in vector.items() if name != "data"}


class Bedrock:
    """Titan's call, whose vectors follow from the bytes of what it is asked about."""

    def __init__(self, world: IndexWorld) -> None:
        self.world = world

    def invoke_model(self, *, body: str, **_: Any) -> Any:
        self.world.pause("invoke_model")
        if self.world.rng.random() < self.world.throttled:
            raise ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, "InvokeModel")
        request = json.loads(body)
        if self.world.refuses and "inputImage" in request:
            raise ClientError({"Error": {"Code": "ValidationException", "Message": "No."}}, "InvokeModel")
        self.world.asked += "inputImage" in request
        digest = sha256(body.encode()).digest()
        numbers = [1.0 + digest[number % 32] for number in range(bedrock.NUMBERS)]
        return {"body": io.BytesIO(json.dumps({"embedding": numbers}).encode())}


class IndexQueueInMemory:
    """The calls of shared/index_queue.py."""

    def __init__(self, world: IndexWorld) -> None:
        self.world = world

    def send_message_batch(self, *, Entries: list[dict[str, str]], **_: Any) -> Any:
        self.world.pause("send_message_batch")
        assert 1 <= len(Entries) <= 10
        self.world.queue += [{"body": entry["MessageBody"], "received": 0} for entry in Entries]
        return {}

    def change_message_visibility(self, *, VisibilityTimeout: int, **_: Any) -> Any:
        self.world.pause("change_message_visibility")
        self.world.postponed.append(VisibilityTimeout)
        return {}

    def get_queue_attributes(self, *, AttributeNames: list[str], **_: Any) -> Any:
        self.world.pause("get_queue_attributes")
        waiting = dict.fromkeys(AttributeNames, "0") | {"ApproximateNumberOfMessages": str(len(self.world.queue))}
        return {"Attributes": waiting}


CLIENTS = {
    "dynamodb": memory_aws.DynamoDB,
    "s3": memory_aws.S3,
    "s3vectors": Vectors,
    "bedrock": Bedrock,
    "sqs": IndexQueueInMemory,
}


@contextmanager
def index_on(world: IndexWorld, *, calls: Calls | None = None, encoder: str = "titan") -> Iterator[None]:
    """Let the shipped code of the index run on this world, with this encoder. `calls` counts its calls."""
    index_images._encoder.cache_clear()
    own = SETTINGS if encoder != "none" else replace(SETTINGS, vector_index=settings.NO_INDEX)
    with ExitStack() as stack:
        stack.enter_context(mock.patch.dict("os.environ", {"ENCODER": encoder}))
        for name, client in CLIENTS.items():
            made = Counted(client(world), calls) if calls else client(world)
            stack.enter_context(mock.patch.object(aws, name, return_value=made))
        cached = SimpleNamespace(read=lambda: own)
        stack.enter_context(mock.patch.object(settings, "_cache", return_value=cached))
        yield
    index_images._encoder.cache_clear()


def follow(world: IndexWorld, records: list[dict[str, Any]]) -> None:
    """Let the function have records of the stream. It fails none."""
    if records:
        assert index_images.handler({"Records": records}, CONTEXT) == {"batchItemFailures": []}


def message(image_id: str, *, recognised: bool = False) -> dict[str, Any]:
    """Return a message of the queue about an image."""
    label, _, name = image_id.partition("/")
    more = {"recognised": True} if recognised else {}
    return {"body": json.dumps({"label": label, "name": name, **more}), "received": 0}


def take(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Let the function have messages of the queue, and return those that must come again."""
    for message in messages:
        message["received"] += 1
    records = [
        {
            "messageId": str(number),
            "receiptHandle": str(number),
            "body": message["body"],
            "attributes": {"ApproximateReceiveCount": str(message["received"])},
            "eventSource": "aws:sqs",
        }
        for number, message in enumerate(messages)
    ]
    failed = index_images.handler({"Records": records}, CONTEXT)["batchItemFailures"]
    return [messages[int(failure["itemIdentifier"])] for failure in failed]


def drain(world: IndexWorld, *, rounds: int = 1_000) -> None:
    """Let the function have all that waits in the queue, until nothing waits."""
    for _ in range(rounds):
        if not world.queue:
            return
        some, world.queue = world.queue[:10], world.queue[10:]
        world.queue += take(some)
    raise AssertionError(f"{len(world.queue)} messages still wait")


def differences(world: IndexWorld) -> list[str]:
    """Return how the index differs from the rows; none if all is indexed as it is."""
    rows = {f"{label}/{name}": row for (label, name), row in world.tables[IMAGES].items() if "bytes" in row}
    tiles = {f"{label}/{name}": tile for (label, name), tile in world.tables[TILES].items()}
    found = [f"{key}: no image, but a tile or a vector" for key in {*tiles, *world.vectors} - {*rows}]
    for key, row in rows.items():
        metadata = world.vectors.get(key, {}).get("metadata", {})
        version = row["versionId"]["S"]
        if tiles.get(key, {}).get("version", {}).get("S") != version:
            found.append(f"{key}: its tile is missing or of another version")
        if "refused" not in tiles.get(key, {}) and metadata.get("version") != version:
            found.append(f"{key}: its vector is missing or of another version")
        elif metadata and metadata.get("tags", []) != sorted(row.get("tags", {"SS": []})["SS"]):
            found.append(f"{key}: its vector has other tags")
    return sorted(found)
