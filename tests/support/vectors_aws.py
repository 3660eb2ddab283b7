"""The S3 Vectors of `make run` behind an unmodified client of botocore, without a process and a port between them.

with served(tmp_path / "vectors.db") as client:
    index = VectorIndex(client, new_index(client, dimension=3))
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import urllib3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from botocore.session import Session

from tools.local.vectors import wire
from tools.local.vectors.service import Vectors

if TYPE_CHECKING:
    from mypy_boto3_s3vectors import S3VectorsClient

ACCOUNT = "arn:aws:s3vectors:us-east-1:000000000000"
BUCKET, INDEX = "pets", "test-3-1"
HIDDEN = ["version", "state"]


@contextmanager
def served(path: Path) -> Iterator["S3VectorsClient"]:
    """Return a client of a service with its data in this file, until the end of the block."""
    vectors = Vectors(path, ACCOUNT)
    try:
        yield client_of(vectors)
    finally:
        vectors.close()


def client_of(vectors: Vectors) -> Any:
    """Return a client whose requests this service answers."""
    config = Config(retries={"total_max_attempts": 1})
    client = _session().create_client("s3vectors", "us-east-1", endpoint_url="http://vectors.test", config=config)
    return answered(client, vectors)


def answered(client: Any, vectors: Vectors) -> Any:
    """Let this service answer the requests of a client, before any other could."""

    def send(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        body = request.body.encode() if isinstance(request.body, str) else request.body
        status, headers, content = wire.answer(vectors, request.method, urlsplit(request.url).path, body)
        stream = urllib3.HTTPResponse(io.BytesIO(content), headers, status, preload_content=False)
        return AWSResponse(request.url, status, stream.headers, stream)

    client.meta.events.register_first("before-send.s3vectors", send)
    return client


@cache
def _session() -> Session:
    """Return one session for all clients. What it reads is the slow part of a client."""
    session = Session()
    session.set_credentials("testing", "testing")
    return session


def new_index(
    client: "S3VectorsClient", *, dimension: int = 3, metric: Any = "cosine", name: str = INDEX, bucket: str = BUCKET
) -> str:
    """Create a bucket with an index, as template.yaml has them, and return the index's ARN."""
    client.create_vector_bucket(vectorBucketName=bucket)
    return client.create_index(
        vectorBucketName=bucket,
        indexName=name,
        dataType="float32",
        dimension=dimension,
        distanceMetric=metric,
        metadataConfiguration={"nonFilterableMetadataKeys": HIDDEN},
    )["indexArn"]
