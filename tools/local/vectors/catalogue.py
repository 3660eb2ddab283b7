"""The buckets and indexes: made and removed by clients and by stacks."""

import time
from collections.abc import Mapping
from typing import Any

from tools.local.vectors import rules, targets
from tools.local.vectors.database import BucketRow, Database, IndexRow
from tools.local.vectors.refused import Conflict, Invalid, NotFound, NotServed

BY_CLIENT = ""  # the owner of what no stack made


class Catalogue:
    """The buckets and indexes of one account. `account` is how its ARNs begin."""

    def __init__(self, database: Database, account: str) -> None:
        self._database, self.account = database, account

    def create_bucket(self, name: Any, owner: str = BY_CLIENT) -> str:
        """Create a bucket for this owner and return its ARN."""
        if self._database.bucket(rules.name(rules.BUCKET_NAME, name, "vectorBucketName")):
            raise Conflict(f"A vector bucket {name} exists.")
        self._database.add_bucket(BucketRow(name, time.time(), owner))
        return self.bucket_arn(name)

    def create_index(self, request: Mapping[str, Any], owner: str = BY_CLIENT) -> str:
        """Create an index for this owner and return its ARN."""
        bucket = self.bucket(targets.bucket_arn(request, self.account))
        wanted = _index_row(request, bucket.name, owner)
        if self._database.index(wanted.bucket, wanted.name):
            raise Conflict(f"A vector index {wanted.name} exists in the bucket {wanted.bucket}.")
        self._database.add_index(wanted)
        return self.arn(wanted)

    def of_stacks(self) -> tuple[list[str], list[str]]:
        """Return the ARNs of the indexes and of the buckets that stacks have made."""
        indexes, buckets = self._database.owned()
        return [self.arn(row) for row in indexes], [self.bucket_arn(row.name) for row in buckets]

    def bucket(self, arn: str) -> BucketRow:
        """Return the bucket with this ARN. Raise NotFound if there is none."""
        match = targets.BUCKET_ARN.fullmatch(arn)
        found = self._database.bucket(match[1]) if match and arn.startswith(f"{self.account}:") else None
        if not found:
            raise NotFound("The specified vector bucket could not be found.")
        return found

    def index(self, arn: str) -> IndexRow:
        """Return the index with this ARN. Raise NotFound if there is none."""
        match = targets.INDEX_ARN.fullmatch(arn)
        found = self._database.index(match[1], match[2]) if match and arn.startswith(f"{self.account}:") else None
        if not found:
            raise NotFound("The specified index could not be found.")
        return found

    def delete_bucket(self, arn: str) -> None:
        """Remove a bucket. Raise Conflict if it has indexes."""
        bucket = self.bucket(arn)
        if self._database.has_indexes(bucket.name):
            raise Conflict(f"The vector bucket {bucket.name} has indexes. Delete them first.")
        self._database.remove_bucket(bucket.name)

    def delete_index(self, arn: str) -> IndexRow:
        """Remove an index with its vectors, and return what it was."""
        index = self.index(arn)
        self._database.remove_index(index.id)
        return index

    def arn(self, row: IndexRow) -> str:
        """Return the ARN of an index."""
        return f"{self.bucket_arn(row.bucket)}/index/{row.name}"

    def bucket_arn(self, name: str) -> str:
        """Return the ARN of a bucket."""
        return f"{self.account}:bucket/{name}"


def _index_row(request: Mapping[str, Any], bucket: str, owner: str) -> IndexRow:
    if request.get("dataType") != "float32":
        raise Invalid("dataType is float32.", "dataType")
    if request.get("distanceMetric") not in rules.METRICS:
        raise Invalid(f"distanceMetric is one of {', '.join(rules.METRICS)}.", "distanceMetric")
    return IndexRow(
        id=0,
        bucket=bucket,
        name=rules.name(rules.INDEX_NAME, request.get("indexName"), "indexName"),
        dimension=rules.whole(request.get("dimension"), 1, rules.DIMENSION_MAX, "dimension"),
        metric=request["distanceMetric"],
        hidden=tuple(rules.hidden_keys(request.get("metadataConfiguration"))),
        created=time.time(),
        owner=owner,
    )


def check_choices(request: Mapping[str, Any]) -> None:
    """Refuse what this service does not keep: tags, and keys of the customer."""
    if request.get("tags"):
        raise NotServed("`make run` keeps no tags of buckets and indexes of vectors.", "tags")
    if request.get("encryptionConfiguration") not in (None, {}, {"sseType": "AES256"}):
        raise NotServed("`make run` has no encryption of vectors but AES256.", "encryptionConfiguration")
