"""The index of vectors in Amazon S3 Vectors: all calls of it are here.

It is a hint that may be late: the tables say what is stored. Limits of a request:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-vectors-limitations.html
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError  # noqa: A004 (botocore's name)

from shared.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_s3vectors import S3VectorsClient

PUT_MAX = DELETE_MAX = 500  # vectors in a request
GET_MAX = 100
LIST_MAX = 1_000  # vectors on a page
BODY_MAX = 20 * 2**20 - 2_048  # bytes of a request, without the index's name and the other members
NUMBER_MAX = 26  # bytes of a number in JSON with its comma: -1.7976931348623157e+308

BUSY = {
    *("TooManyRequestsException", "ServiceUnavailableException", "InternalServerException"),
    *("RequestTimeoutException", "ServiceQuotaExceededException"),
}


class IndexBusy(Exception):
    """The index is busy or out of reach. The same call may succeed a little later."""


@dataclass(frozen=True, slots=True)
class Vector:
    """A vector of the index: its key, its metadata, and its numbers, none where they were not asked for."""

    key: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    numbers: Sequence[float] = ()


class Hit(NamedTuple):
    """A vector that a query found, with its cosine distance from the query's vector: 0 to 2."""

    key: str
    distance: float
    metadata: Mapping[str, Any]


class VectorIndex:
    """One index. Each method raises IndexBusy where another try may succeed."""

    def __init__(self, client: "S3VectorsClient", index_arn: str) -> None:
        self._client, self._arn = client, index_arn

    def get(self, keys: Iterable[str], *, with_data: bool = False) -> dict[str, Vector]:
        """Return the vectors of these keys, by key, with their metadata, and with their numbers if `with_data`."""
        found: dict[str, Vector] = {}
        for some in _slices(keys, GET_MAX):
            with _patience():
                answer = self._client.get_vectors(
                    indexArn=self._arn, keys=some, returnMetadata=True, returnData=with_data
                )
            found |= {each["key"]: _vector(each) for each in answer["vectors"]}
        return found

    def put(self, vectors: Iterable[Vector]) -> None:
        """Add these vectors, or replace those whose keys exist. The last of several with one key counts.

        Each request is carried out whole or not at all; those before a failed one are.
        """
        for some in _batches({vector.key: vector for vector in vectors}.values()):
            with _patience():
                self._client.put_vectors(indexArn=self._arn, vectors=some)

    def delete(self, keys: Iterable[str]) -> None:
        """Remove the vectors of these keys. It does no harm if one does not exist."""
        for some in _slices(keys, DELETE_MAX):
            with _patience():
                self._client.delete_vectors(indexArn=self._arn, keys=some)

    def query(self, vector: Sequence[float], k: int, filter: Mapping[str, Any] | None = None) -> list[Hit]:  # noqa: A002
        """Return the `k` nearest vectors that pass the filter, fewer if there are fewer, the nearest first.

        A condition on a field that a vector lacks should not be relied on, except `{"$exists": False}`: AWS does not
        say what `$ne` and `$nin` do there.
        """
        arguments: dict[str, Any] = {"filter": filter} if filter else {}
        pages = self._client.get_paginator("query_vectors").paginate(
            indexArn=self._arn,
            topK=k,
            queryVector={"float32": list(vector)},
            returnMetadata=True,
            returnDistance=True,
            **arguments,
        )
        with _patience():
            found = [hit for page in pages for hit in page["vectors"]]
        return [Hit(hit["key"], hit["distance"], _metadata(hit)) for hit in found]

    def pages(self) -> Iterator[list[Vector]]:
        """Yield all vectors with their metadata, in pages as large as the service makes them."""
        pages = iter(
            self._client.get_paginator("list_vectors").paginate(
                indexArn=self._arn, returnMetadata=True, PaginationConfig={"PageSize": LIST_MAX}
            )
        )
        while True:
            with _patience():
                page = next(pages, None)
            if page is None:
                return
            yield [_vector(each) for each in page["vectors"]]


@contextmanager
def _patience() -> Iterator[None]:
    """Raise IndexBusy if a call in this block may succeed a little later."""
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in BUSY or error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500:
            raise IndexBusy(f"The index of vectors is busy: {code}.") from error
        raise
    except (ConnectionError, HTTPClientError, Unavailable) as error:
        raise IndexBusy("S3 Vectors cannot be reached.") from error


def _slices(keys: Iterable[str], most: int) -> Iterator[list[str]]:
    """Yield the keys, each once, in lists of at most so many."""
    each_once = list(dict.fromkeys(keys))
    return (each_once[start : start + most] for start in range(0, len(each_once), most))


def _batches(vectors: Iterable[Vector]) -> Iterator[list[Any]]:
    """Yield the vectors in lists that fit into a request."""
    batch: list[dict[str, Any]] = []
    size = 0
    for vector in vectors:
        bytes_ = _size(vector)
        if batch and (len(batch) == PUT_MAX or size + bytes_ > BODY_MAX):
            yield batch
            batch, size = [], 0
        batch.append({"key": vector.key, "data": {"float32": list(vector.numbers)}, "metadata": dict(vector.metadata)})
        size += bytes_
    if batch:
        yield batch


def _size(vector: Vector) -> int:
    """Return how many bytes of a request the vector takes at most."""
    names = 64  # {"key": , "data": {"float32": []}, "metadata": },
    texts = len(json.dumps(vector.key)) + len(json.dumps(dict(vector.metadata)))
    return names + texts + len(vector.numbers) * NUMBER_MAX


def _vector(found: Any) -> Vector:
    return Vector(found["key"], _metadata(found), found.get("data", {}).get("float32", ()))


def _metadata(found: Any) -> Mapping[str, Any]:
    metadata: Mapping[str, Any] = found.get("metadata", {})
    return metadata
