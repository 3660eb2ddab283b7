"""Searches over the handlers: the AWS by moto, our own S3 Vectors, a small encoder, and images that are indexed."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import boto3

import searching
from shared import aws
from shared.images import Image
from shared.labels import items
from shared.pictures.scaling import scaled
from shared.settings import PARAMETERS, read_settings
from shared.tiles import Tile, Tiles
from shared.vectors.encoder import index_name
from shared.vectors.entry import metadata_of, names_of
from shared.vectors.vector_index import Vector, VectorIndex
from tests.support import vectors_aws
from tests.support.answers import conforms
from tests.support.hosts import Api, Handlers, json_of, new_label
from tests.support.pictures import File, multipart_body
from tests.support.small_encoder import SmallEncoder
from tools.local.vectors.service import Vectors

Label = tuple[str, float]


@dataclass(frozen=True)
class SearchScene:
    """petAPI with a label, its index and its encoder."""

    api: Api
    index: VectorIndex
    encoder: SmallEncoder
    vectors: Vectors

    def add(self, content: bytes, tags: str = "", labels: Sequence[Label] = (), **more: Any) -> Any:
        """Upload a picture and index it. Return the image's JSON."""
        image = self.upload(content, tags, **more)
        self.follow(image["id"], labels)
        return image

    def upload(self, content: bytes, tags: str = "", *, label: str = "", filename: str = "") -> Any:
        """Upload a picture. Return the image's JSON."""
        answer = self.api.upload(content, label=label or self.api.label)
        assert answer.status == 201, answer
        image = json_of(answer)
        if tags or filename:
            changed = self.api.patch(image["url"], {"tags": tags.split(",") if tags else [], "filename": filename})
            assert changed.status == 200, changed
            image = json_of(changed)
        return image

    def follow(self, image_id: str, labels: Sequence[Label] | None = ()) -> None:
        """Let the index follow the row of an image, with these recognised labels; None if they are unknown."""
        image = self.row(image_id)
        if image is None:
            self.index.delete([image_id])
            self.tiles.delete(*image_id.split("/"))
            return
        content = (
            boto3.client("s3").get_object(Bucket="pictures", Key=image.id, VersionId=image.version_id)["Body"].read()
        )
        vector = self.encoder.encode_picture(scaled(content, 1024, "jpg"), names_of(image))
        known = None if labels is None else tuple(labels)
        self.tiles.put(Tile(image.label, image.name, image.version_id, b"", known))
        self.index.put([Vector(image.id, metadata_of(image, known), vector)])

    def row(self, image_id: str) -> Image | None:
        """Read the row of an image."""
        key = items.image_key(*image_id.split("/"))
        found = boto3.client("dynamodb").get_item(TableName="ImageChunksTable", Key=key)
        return items.image(found["Item"]) if "Item" in found else None

    @property
    def tiles(self) -> Tiles:
        return Tiles(aws.dynamodb(), "TilesTable")


@contextmanager
def scene(folder: Path) -> Iterator[SearchScene]:
    """Provide the scene, on an AWS by moto that has begun."""
    encoder, vectors = SmallEncoder(), Vectors(folder / "vectors.db", vectors_aws.ACCOUNT)
    arn = vectors_aws.new_index(vectors_aws.client_of(vectors), dimension=encoder.dimension, name=index_name(encoder))
    name = f"/pet-api/production/{PARAMETERS['vector_index'][0]}"
    boto3.client("ssm").put_parameter(Name=name, Value=arn, Type="String", Overwrite=True)
    with mock.patch.object(searching, "encoder", return_value=encoder):
        client = vectors_aws.answered(aws.s3vectors(), vectors)
        assert read_settings().vector_index == arn
        yield SearchScene(Api(Handlers(), new_label()), VectorIndex(client, arn), encoder, vectors)
    vectors.close()


def found(answer: Any) -> list[Any]:
    """Return the hits of an answer, after checking that it follows the contract."""
    assert answer.status == 200, answer
    assert answer.headers["cache-control"] == "no-store"
    document = json_of(answer)
    conforms(document, "Hits")
    assert document["encoder"] == "lite0"
    hits: list[Any] = document["images"]
    return hits


def by_picture(api: Api, content: bytes, *fields: tuple[str, str], query: str = "") -> Any:
    body, content_type = multipart_body([*fields, ("img", File(content))])
    return api.host.request("POST", f"/search{query}", body, {"Content-Type": content_type})
