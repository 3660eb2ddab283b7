"""The clouds that faults are injected in front of: the AWS in memory, and the emulator of `make run`."""

import random
import socket
from collections.abc import Mapping
from typing import Any, Protocol

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.httpsession import URLLib3Session

from shared.labels import items
from shared.settings import PARAMETERS
from tests.support import cloud, memory_aws
from tests.support.local_service import LocalService
from tests.support.memory_aws import World
from tests.support.memory_wire import ENDPOINT, MemoryWire

LABEL = "cat"
STAGE = "faults"  # of the parameters in SSM; an emulator has another stage besides
NO_DELAY: Any = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]  # as botocore has it for its own sessions

Version = tuple[str, str]  # name of the image and id of the version


class Cloud(Protocol):
    """What answers botocore, and a view of it that meets no faults."""

    tables: tuple[str, str]  # of images and of chunks
    variables: Mapping[str, str]  # that the shipped code needs to reach it

    def send(self, request: AWSPreparedRequest) -> AWSResponse:
        """Return the response to one HTTP attempt."""

    def items(self, table: str) -> list[Any]:
        """Return all items of the table, but the list of labels, which only grows."""

    def put_item(self, table: str, item: Any) -> None: ...

    def delete_item(self, table: str, item: Any) -> None: ...

    def versions(self) -> set[Version]:
        """Return all versions in the bucket."""

    def put_version(self, name: str, content: bytes) -> str:
        """Store a version and return its id."""

    def delete_version(self, version: Version) -> None: ...

    def discard_thumbnails(self) -> None: ...


def _settings(bucket: str, thumbnails: str, tables: tuple[str, str], tiles: str) -> dict[str, str]:
    """Return the fields of Settings that the requests of these tests use."""
    return {
        "bucket": bucket,
        "thumbnail_bucket": thumbnails,
        "image_chunks_table": tables[0],
        "chunk_info_table": tables[1],
        "tiles_table": tiles,
        "labels": LABEL,
    }


def _parameters(values: Mapping[str, str]) -> dict[str, str]:
    """Return these settings as SSM has them."""
    return {f"/pet-api/{STAGE}/{PARAMETERS[field][0]}": value for field, value in values.items()}


def _variables(values: Mapping[str, str]) -> dict[str, str]:
    """Return the environment in which a function reads these settings: its stage, and a fallback for each."""
    return {"PET_API_STAGE": STAGE, **{PARAMETERS[field][1]: value for field, value in values.items()}}


class InMemory:
    """The AWS in memory: a call takes a twentieth of what it takes the emulator."""

    tables = (memory_aws.IMAGES, memory_aws.CHUNKS)

    def __init__(self) -> None:
        values = _settings(memory_aws.BUCKET, memory_aws.THUMBNAILS, self.tables, memory_aws.TILES)
        self.world = World(random.Random(1))
        self._wire = MemoryWire(self.world, _parameters(values))
        self.variables: Mapping[str, str] = {
            "AWS_ENDPOINT_URL": ENDPOINT,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            **_variables(values),
        }

    def send(self, request: AWSPreparedRequest) -> AWSResponse:
        return self._wire.send(request)

    def items(self, table: str) -> list[Any]:
        return [item for item in self.world.tables[table].values() if item["label"]["S"] != items.LABELS]

    def put_item(self, table: str, item: Any) -> None:
        self.world.tables[table][memory_aws.key_of(table, item)] = item

    def delete_item(self, table: str, item: Any) -> None:
        del self.world.tables[table][memory_aws.key_of(table, item)]

    def versions(self) -> set[Version]:
        kept = self.world.objects.items()
        return {(key.removeprefix(f"{LABEL}/"), version) for key, versions in kept for version in versions}

    def put_version(self, name: str, content: bytes) -> str:
        put = memory_aws.S3(self.world).put_object(Key=f"{LABEL}/{name}", Body=content)
        return str(put["VersionId"])

    def delete_version(self, version: Version) -> None:
        del self.world.objects[f"{LABEL}/{version[0]}"][version[1]]

    def discard_thumbnails(self) -> None:
        self.world.thumbnails.clear()


class OnEmulator:
    """Tables and buckets of these tests' own in the emulator of `make run`, and what its owner sees of them."""

    tables = ("ImageChunks-faults", "ChunkInfo-faults")
    bucket, thumbnails, tiles = "pictures-faults", "thumbnails-faults", "Tiles-faults"

    def __init__(self, service: LocalService) -> None:
        values = _settings(self.bucket, self.thumbnails, self.tables, self.tiles)
        self.variables: Mapping[str, str] = {**service.aws_variables(), **_variables(values)}
        owner, endpoint = service.aws(), service.aws_endpoint
        self.raw: dict[Any, Any] = {
            name: owner.client(name, endpoint_url=endpoint)  # type: ignore[call-overload]
            for name in ("dynamodb", "s3", "ssm")
        }
        self._session = URLLib3Session(socket_options=NO_DELAY)
        self._make(_parameters(values))

    def _make(self, parameters: Mapping[str, str]) -> None:
        templates = (*cloud.TABLES, "TilesTable")
        for name, template in zip((*self.tables, self.tiles), templates, strict=True):
            self.raw["dynamodb"].create_table(TableName=name, **cloud.table(template))
        for name in (self.bucket, self.thumbnails):
            self.raw["s3"].create_bucket(Bucket=name)
        versioned = cloud.template()["Resources"]["Bucket"]["Properties"]["VersioningConfiguration"]
        self.raw["s3"].put_bucket_versioning(Bucket=self.bucket, VersioningConfiguration=versioned)
        for name, value in parameters.items():
            self.raw["ssm"].put_parameter(Name=name, Value=value, Type="String")

    def send(self, request: AWSPreparedRequest) -> AWSResponse:
        response: AWSResponse = self._session.send(request)
        return response

    def items(self, table: str) -> list[Any]:
        found = self.raw["dynamodb"].scan(TableName=table, ConsistentRead=True)["Items"]
        return [item for item in found if item["label"]["S"] != items.LABELS]

    def put_item(self, table: str, item: Any) -> None:
        self.raw["dynamodb"].put_item(TableName=table, Item=item)

    def delete_item(self, table: str, item: Any) -> None:
        sort_key = "s3key" if "s3key" in item else "chunkNumber"
        key = {name: item[name] for name in ("label", sort_key)}
        self.raw["dynamodb"].delete_item(TableName=table, Key=key)

    def versions(self) -> set[Version]:
        listed = self.raw["s3"].list_object_versions(Bucket=self.bucket, Prefix=f"{LABEL}/")
        assert "DeleteMarkers" not in listed
        return {(v["Key"].removeprefix(f"{LABEL}/"), v["VersionId"]) for v in listed.get("Versions", [])}

    def put_version(self, name: str, content: bytes) -> str:
        put = self.raw["s3"].put_object(Bucket=self.bucket, Key=f"{LABEL}/{name}", Body=content)
        return str(put["VersionId"])

    def delete_version(self, version: Version) -> None:
        self.raw["s3"].delete_object(Bucket=self.bucket, Key=f"{LABEL}/{version[0]}", VersionId=version[1])

    def discard_thumbnails(self) -> None:
        for found in self.raw["s3"].list_objects_v2(Bucket=self.thumbnails).get("Contents", []):
            self.raw["s3"].delete_object(Bucket=self.thumbnails, Key=found["Key"])
