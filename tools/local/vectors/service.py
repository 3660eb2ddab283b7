"""The operations of S3 Vectors that petAPI calls, by their names in its API. All others are refused.

The answers are exact, and a change is on the disk before its caller has the response. An operation has the service for
itself; the longest, a query of 10,000 vectors, takes a hundredth of a second.
"""

import json
import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.local.vectors import filters, rules, targets
from tools.local.vectors.catalogue import BY_CLIENT, Catalogue, check_choices
from tools.local.vectors.database import Database, IndexRow, VectorRow, set_aside
from tools.local.vectors.further_pages import FurtherPages
from tools.local.vectors.refused import Invalid, NotServed, Unavailable

if TYPE_CHECKING:
    from tools.local.vectors.loaded_index import Hit, LoadedIndex

QUERY_PAGE = 50  # results on a page of a query; how many AWS has is not documented

logger = logging.getLogger(__name__)

Request = Mapping[str, Any]
Response = dict[str, Any]


class Vectors:
    """The service of one account, with its data in the file `path`. `account` is how its ARNs begin."""

    def __init__(self, path: Path, account: str) -> None:
        self.path, self.account = path, account
        self._lock = threading.RLock()
        self._loaded: dict[int, LoadedIndex] = {}
        self._pages = FurtherPages()

    def answer(self, operation: str, request: Request, owner: str = BY_CLIENT) -> Response:
        """Carry out an operation and return its response. Raise Refused if that cannot be.

        `owner` is the resource of a stack for which a bucket or an index is created.
        """
        if operation not in OPERATIONS:
            raise NotServed(f"`make run` serves of S3 Vectors {', '.join(OPERATIONS)}.")
        members, carry_out = OPERATIONS[operation]
        if other := sorted(name for name, value in request.items() if name not in members and value is not None):
            raise NotServed(f"`make run` does not serve {', '.join(other)} of {operation}.", other[0])
        with self.alone():
            return carry_out(self, request, *filter(None, [owner]))

    @contextmanager
    def alone(self) -> Iterator[Catalogue]:
        """Have the service for oneself in this block. Raise Unavailable if the file cannot be read or written."""
        try:
            with self._lock:
                yield self._catalogue
        except sqlite3.Error as error:
            raise Unavailable(f"The vectors in {self.path} cannot be read or written ({error}).") from error

    def close(self) -> None:
        """Close the file, which no further call opens again."""
        with self._lock:
            if "_database" in self.__dict__:
                self._database.close()

    @cached_property
    def _database(self) -> Database:
        """Return the file. One that cannot be used is set aside: the pictures are indexed anew."""
        try:
            return Database(self.path)
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:
            aside = set_aside(self.path)
            logger.warning("%s cannot be used (%s). It was moved to %s.", self.path, error, aside)
            return Database(self.path)

    @cached_property
    def _catalogue(self) -> Catalogue:
        return Catalogue(self._database, self.account)

    def create_bucket(self, request: Request, owner: str = BY_CLIENT) -> Response:
        """Create a bucket."""
        check_choices(request)
        return {"vectorBucketArn": self._catalogue.create_bucket(request.get("vectorBucketName"), owner)}

    def get_bucket(self, request: Request) -> Response:
        """Describe a bucket."""
        arn = targets.bucket_arn(request, self.account)
        bucket = self._catalogue.bucket(arn)
        known = {"vectorBucketName": bucket.name, "vectorBucketArn": arn, "creationTime": bucket.created}
        return {"vectorBucket": {**known, "encryptionConfiguration": {"sseType": "AES256"}}}

    def delete_bucket(self, request: Request) -> Response:
        """Remove an empty bucket."""
        self._catalogue.delete_bucket(targets.bucket_arn(request, self.account))
        return {}

    def create_index(self, request: Request, owner: str = BY_CLIENT) -> Response:
        """Create an index."""
        check_choices(request)
        return {"indexArn": self._catalogue.create_index(request, owner)}

    def get_index(self, request: Request) -> Response:
        """Describe an index."""
        row = self._index(request)
        described = {
            "vectorBucketName": row.bucket,
            "indexName": row.name,
            "indexArn": self._catalogue.arn(row),
            "creationTime": row.created,
            "dataType": "float32",
            "dimension": row.dimension,
            "distanceMetric": row.metric,
            "encryptionConfiguration": {"sseType": "AES256"},
        }
        if row.hidden:
            described["metadataConfiguration"] = {"nonFilterableMetadataKeys": list(row.hidden)}
        return {"index": described}

    def delete_index(self, request: Request) -> Response:
        """Remove an index with its vectors."""
        index = self._catalogue.delete_index(targets.index_arn(request, self.account))
        self._loaded.pop(index.id, None)
        return {}

    def put_vectors(self, request: Request) -> Response:
        """Add vectors, or replace those whose keys exist: all or none."""
        from tools.local.vectors.loaded_index import vector

        index, rows = self._index(request), []
        for each in rules.some(request.get("vectors"), rules.PUT_MAX, "vectors"):
            if not isinstance(each, dict) or not {"key", "data"} <= each.keys() <= {"key", "data", "metadata"}:
                raise Invalid("A vector has key, data and perhaps metadata.", "vectors")
            key = rules.key(each["key"])
            data = vector(each["data"], index.dimension, index.metric, f"data of the key '{key}'").tobytes()
            rows.append(VectorRow(key, data, rules.metadata(each.get("metadata"), index.hidden, key)))
        if len({row.key for row in rows}) != len(rows):
            raise Invalid("A key is in the request twice.", "vectors")
        self._database.put_vectors(index.id, rows)
        if loaded := self._loaded.get(index.id):
            loaded.put(rows)
        return {}

    def get_vectors(self, request: Request) -> Response:
        """Return the vectors of these keys. Those that do not exist are left out."""
        index, keys = self._index(request), rules.keys(request.get("keys"), rules.GET_MAX)
        found = (self._database.vector(index.id, key) for key in keys)
        return {"vectors": [_shown(row, request) for row in found if row]}

    def delete_vectors(self, request: Request) -> Response:
        """Remove the vectors of these keys. It does no harm if one does not exist."""
        index, keys = self._index(request), rules.keys(request.get("keys"), rules.DELETE_MAX)
        self._database.delete_vectors(index.id, keys)
        if loaded := self._loaded.get(index.id):
            loaded.delete(keys)
        return {}

    def list_vectors(self, request: Request) -> Response:
        """Return a page of all vectors, in the order of their keys. The token is the last key of the page before."""
        most = rules.whole(request.get("maxResults", rules.PAGE), 1, rules.PAGE_MAX, "maxResults")
        after, size = rules.key(request["nextToken"]) if request.get("nextToken") else "", 0
        page: list[Response] = []
        for row in self._database.vectors_after(self._index(request).id, after):
            if len(page) == most or size > rules.PAGE_BYTES:
                return {"vectors": page, "nextToken": page[-1]["key"]}
            page.append(_shown(row, request))
            size += len(json.dumps(page[-1]))
        return {"vectors": page}

    def query_vectors(self, request: Request) -> Response:
        """Return a page of the nearest vectors that pass the filter."""
        index = self._index(request)
        most = rules.whole(request.get("topK"), 1, rules.TOP_K_MAX, "topK")
        hits = self._pages.left(request) if request.get("nextToken") else self._nearest(index, request, most)
        page, left = hits[:QUERY_PAGE], hits[QUERY_PAGE:]
        answer = {"vectors": [_hit(hit, request) for hit in page], "distanceMetric": index.metric}
        return {**answer, "nextToken": self._pages.keep(request, left)} if left else answer

    def _nearest(self, index: IndexRow, request: Request, most: int) -> "Sequence[Hit]":
        from tools.local.vectors.loaded_index import LoadedIndex, vector

        query = vector(request.get("queryVector"), index.dimension, index.metric, "queryVector")
        wanted = request.get("filter")
        holds = filters.parse(wanted, index.hidden) if wanted is not None else lambda metadata: True
        if index.id not in self._loaded:
            rows = self._database.vectors(index.id)
            self._loaded[index.id] = LoadedIndex(index.dimension, index.metric, rows)
        return self._loaded[index.id].nearest(query, most, holds)

    def _index(self, request: Request) -> IndexRow:
        return self._catalogue.index(targets.index_arn(request, self.account))


def _shown(row: VectorRow, request: Request) -> Response:
    """Return a vector as GetVectors and ListVectors show it."""
    from tools.local.vectors.loaded_index import numbers

    shown: Response = {"key": row.key}
    if rules.flag(request.get("returnData"), "returnData"):
        shown["data"] = {"float32": numbers(row.data)}
    if rules.flag(request.get("returnMetadata"), "returnMetadata"):
        shown["metadata"] = json.loads(row.metadata)
    return shown


def _hit(hit: "Hit", request: Request) -> Response:
    shown: Response = {"key": hit.key}
    if rules.flag(request.get("returnDistance"), "returnDistance"):
        shown["distance"] = hit.distance
    if rules.flag(request.get("returnMetadata"), "returnMetadata"):
        shown["metadata"] = hit.metadata
    return shown


BUCKET = {"vectorBucketName", "vectorBucketArn"}
INDEX = {"vectorBucketName", "indexName", "indexArn"}
SHOWN = {"returnData", "returnMetadata"}
NEW_INDEX = {"indexName", "dataType", "dimension", "distanceMetric", "metadataConfiguration"}
NEW = {"encryptionConfiguration", "tags"}
QUERY = {"topK", "queryVector", "filter", "returnMetadata", "returnDistance", "nextToken"}
# The members that each operation reads, and what carries it out. Any other member is refused.
OPERATIONS: Mapping[str, tuple[set[str], Callable[..., Response]]] = {
    "CreateVectorBucket": ({"vectorBucketName"} | NEW, Vectors.create_bucket),
    "GetVectorBucket": (BUCKET, Vectors.get_bucket),
    "DeleteVectorBucket": (BUCKET, Vectors.delete_bucket),
    "CreateIndex": (BUCKET | NEW_INDEX | NEW, Vectors.create_index),
    "GetIndex": (INDEX, Vectors.get_index),
    "DeleteIndex": (INDEX, Vectors.delete_index),
    "PutVectors": (INDEX | {"vectors"}, Vectors.put_vectors),
    "GetVectors": (INDEX | {"keys"} | SHOWN, Vectors.get_vectors),
    "DeleteVectors": (INDEX | {"keys"}, Vectors.delete_vectors),
    "ListVectors": (INDEX | {"maxResults", "nextToken"} | SHOWN, Vectors.list_vectors),
    "QueryVectors": (INDEX | QUERY, Vectors.query_vectors),
}
