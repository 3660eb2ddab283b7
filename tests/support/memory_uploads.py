"""Direct uploads on the AWS in memory, whose calls are counted, and may be disturbed before and after each."""

import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from unittest import mock

from botocore.exceptions import ClientError

from shared import aws, settings
from tests.support import memory_aws
from tests.support.memory_aws import BUCKET, CHUNKS, DETECTIONS, IMAGES, INCOMING, THUMBNAILS, TILES, UPLOADS, World
from tests.support.simulation import shipped_code_on

SETTINGS = settings.Settings(
    BUCKET,
    CHUNKS,
    IMAGES,
    frozenset("*"),
    THUMBNAILS,
    incoming_bucket=INCOMING,
    uploads_table=UPLOADS,
    recognitions_table=DETECTIONS,
    callback_queue="https://sqs.test/callbacks",
    index_queue="https://sqs.test/index",
    tiles_table=TILES,
)
TABLES = {"ImageChunksTable": IMAGES, "ChunkInfoTable": CHUNKS}


class Calls:
    """The AWS calls of the code that runs, numbered from 0; `before` and `after` are called around each."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.ended = ""  # the call that ended last, which may have begun before others
        self.reset()

    def reset(self) -> None:
        """Forget the calls, and disturb no further ones."""
        self.names.clear()
        self.before: Callable[[int], object] = lambda number: None
        self.after: Callable[[int], object] = lambda number: None

    def begin(self, name: str) -> None:
        self.names.append(name)
        self.before(len(self.names) - 1)

    def end(self, name: str) -> None:
        self.ended = name
        self.after(len(self.names) - 1)


class Counted:
    """A client whose calls are counted."""

    def __init__(self, client: Any, calls: Calls) -> None:
        self._client, self._calls = client, calls

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)

        def call(**parameters: Any) -> Any:
            self._calls.begin(name)
            try:
                answer = method(**parameters)
            except ClientError:
                self._calls.end(name)
                raise
            self._calls.end(name)
            return answer

        return call

    def get_paginator(self, name: str) -> Any:
        return self._client.get_paginator(name)

    def generate_presigned_post(self, _: str, key: str, **__: Any) -> dict[str, Any]:
        return {"url": "https://s3.test/", "fields": {"key": key}}


class MemoryCloud:
    """The cloud of direct uploads, in memory. It is empty at first."""

    def __init__(self) -> None:
        self.calls, self.world = Calls(), World(random.Random(7))

    def put_file(self, key: str, content: bytes) -> None:
        self.world.files[key] = content

    def files(self) -> list[str]:
        return list(self.world.files)

    def callbacks(self) -> list[Any]:
        found = [json.loads(message) for message in self.world.messages]
        self.world.messages.clear()
        return found

    def items(self, table: str, label: str = "") -> list[dict[str, Any]]:
        items = self.world.tables[TABLES[table]].values()
        return [item for item in items if item["label"]["S"].startswith(label)]

    def state(self, upload_id: str) -> str:
        return str(self.world.tables[UPLOADS][(upload_id,)]["state"]["S"])

    def versions(self, label: str) -> list[str]:
        objects = self.world.objects.items()
        return [version for key, versions in objects if key.startswith(f"{label}/") for version in versions]


@contextmanager
def memory_cloud() -> Iterator[MemoryCloud]:
    """Let the shipped code run on an empty cloud in memory."""
    cloud = MemoryCloud()
    dynamodb, s3, sqs = (
        Counted(client(cloud.world), cloud.calls) for client in (memory_aws.DynamoDB, memory_aws.S3, memory_aws.SQS)
    )
    with (
        shipped_code_on(cloud.world),
        mock.patch.object(aws, "dynamodb", return_value=dynamodb),
        mock.patch.object(aws, "s3", return_value=s3),
        mock.patch.object(aws, "sqs", return_value=sqs),
        mock.patch.object(settings, "_cache", return_value=SimpleNamespace(read=lambda: SETTINGS)),
    ):
        yield cloud
