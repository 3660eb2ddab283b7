"""Rows of images, written straight into the image table: many of them in a short time."""

from typing import Any

import boto3

from shared.images import Image
from shared.labels import items
from tests.support.hosts import Api, Handlers, Running, needs_aws
from tests.support.local_service import LocalService


def rows_of(api: Api) -> tuple[Any, str]:
    """Return a client of the host's DynamoDB, and the name of its image table."""
    if isinstance(api.host, Handlers):
        return boto3.client("dynamodb"), "ImageChunksTable"
    needs_aws(api.host)
    assert isinstance(api.host, Running)
    service: LocalService = api.host.service
    client = service.aws().client("dynamodb", endpoint_url=service.aws_endpoint)
    (table,) = [name for name in client.list_tables()["TableNames"] if "ImageChunksTable" in name]
    return client, table


def put_rows(api: Api, images: list[Image], *tags: str) -> list[str]:
    """Write rows without chunks or pictures, also for these tags; return the images' ids, sorted."""
    client, table = rows_of(api)
    rows = [items.image_item(image, 1) for image in images]
    keys = ("s3key", "chunkNumber", "weight", "versionId")
    for tag in tags:
        rows += [
            {"label": {"S": f"{api.label}#{tag}"}} | {key: row[key] for key in keys} for row in rows[: len(images)]
        ]
    for start in range(0, len(rows), 25):
        batch = [{"PutRequest": {"Item": row}} for row in rows[start : start + 25]]
        client.batch_write_item(RequestItems={table: batch})
    return sorted(image.id for image in images)


def image(label: str, number: int, **more: Any) -> Image:
    """Return an image whose name rises with its number."""
    return Image(label, f"{number * 7919:032x}.png", 500_000_000, "v", 1, 1, 1, "2026-01-01T00:00:00.000Z", **more)
