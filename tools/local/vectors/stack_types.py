"""The types AWS::S3Vectors::VectorBucket and AWS::S3Vectors::Index of CloudFormation.

Ref of both is the ARN, which Fn::GetAtt has, too, beside CreationTime. All properties replace a resource that they
change in.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from tools.local.vectors import rules
from tools.local.vectors.refused import Invalid, NotFound
from tools.local.vectors.service import Vectors

BUCKET, INDEX = "AWS::S3Vectors::VectorBucket", "AWS::S3Vectors::Index"
REPLACING = {
    BUCKET: ("VectorBucketName", "EncryptionConfiguration"),
    INDEX: (
        *("VectorBucketName", "VectorBucketArn", "IndexName", "DataType", "Dimension", "DistanceMetric"),
        *("MetadataConfiguration", "EncryptionConfiguration"),
    ),
}
NAME_MAX = 63

Properties = Mapping[str, Any]
Made = tuple[str, dict[str, str]]  # what Ref gives, and what Fn::GetAtt gives


class StackTypes:
    """What CloudFormation calls. `generate_name` makes the name of a resource that has none."""

    def __init__(self, vectors: Vectors, generate_name: Callable[..., str]) -> None:
        self._vectors, self._generate_name = vectors, generate_name

    def handlers(self) -> dict[str, dict[str, Callable[..., Any]]]:
        """Return the handlers of each type."""
        return {
            BUCKET: {"create": self._create_bucket, "delete": self._delete_bucket},
            INDEX: {"create": self._create_index, "delete": self._delete_index},
        }

    def _create_bucket(self, logical_id: str, properties: Properties, stack: str) -> Made:
        name = self._generate_name(stack, logical_id, lowercase=True, max_len=NAME_MAX)
        arn = make_bucket(self._vectors, {"VectorBucketName": name, **properties}, owner_of(stack, logical_id))
        bucket = self._vectors.answer("GetVectorBucket", {"vectorBucketArn": arn})["vectorBucket"]
        return arn, {"VectorBucketArn": arn, "CreationTime": _iso(bucket["creationTime"])}

    def _create_index(self, logical_id: str, properties: Properties, stack: str) -> Made:
        name = self._generate_name(stack, logical_id, lowercase=True, max_len=NAME_MAX)
        arn = make_index(self._vectors, {"IndexName": name, **properties}, owner_of(stack, logical_id))
        index = self._vectors.answer("GetIndex", {"indexArn": arn})["index"]
        return arn, {"IndexArn": arn, "CreationTime": _iso(index["creationTime"])}

    def _delete_bucket(self, arn: str, properties: Properties) -> None:
        with suppress(NotFound):
            self._vectors.answer("DeleteVectorBucket", {"vectorBucketArn": arn})

    def _delete_index(self, arn: str, properties: Properties) -> None:
        with suppress(NotFound):
            self._vectors.answer("DeleteIndex", {"indexArn": arn})


def owner_of(stack: str, logical_id: str) -> str:
    """Return how the file names the resource of a stack."""
    return f"{stack}/{logical_id}"


def make_bucket(vectors: Vectors, properties: Properties, owner: str) -> str:
    """Create the bucket with these properties and return its ARN."""
    arn: str = vectors.answer("CreateVectorBucket", _as_in_api(properties), owner)["vectorBucketArn"]
    return arn


def make_index(vectors: Vectors, properties: Properties, owner: str) -> str:
    """Create the index with these properties and return its ARN. A template may have the dimension as a text."""
    try:
        dimension = int(str(properties.get("Dimension")))
    except ValueError as error:
        raise Invalid(f"Dimension is a whole number from 1 to {rules.DIMENSION_MAX}.", "dimension") from error
    arn: str = vectors.answer("CreateIndex", _as_in_api({**properties, "Dimension": dimension}), owner)["indexArn"]
    return arn


def _as_in_api(properties: Properties) -> dict[str, Any]:
    """Return properties as the API spells them: with a small letter first."""
    return {
        name[:1].lower() + name[1:]: _as_in_api(value) if isinstance(value, dict) else value
        for name, value in properties.items()
    }


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
