"""The types AWS::S3Vectors::VectorBucket and AWS::S3Vectors::Index of CloudFormation.

Ref of both is the ARN, which Fn::GetAtt has, too, beside CreationTime. All properties replace a resource that they
change in. A stack that was restored to an earlier state finds its bucket and its index again.
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
        request = self._request(logical_id, properties, stack, "vectorBucketName")
        arn = self._vectors.answer("CreateVectorBucket", request, f"{stack}/{logical_id}")["vectorBucketArn"]
        bucket = self._vectors.answer("GetVectorBucket", {"vectorBucketArn": arn})["vectorBucket"]
        return arn, {"VectorBucketArn": arn, "CreationTime": _iso(bucket["creationTime"])}

    def _create_index(self, logical_id: str, properties: Properties, stack: str) -> Made:
        request = self._request(logical_id, properties, stack, "indexName")
        arn = self._vectors.answer("CreateIndex", request, f"{stack}/{logical_id}")["indexArn"]
        index = self._vectors.answer("GetIndex", {"indexArn": arn})["index"]
        return arn, {"IndexArn": arn, "CreationTime": _iso(index["creationTime"])}

    def _delete_bucket(self, arn: str, properties: Properties) -> None:
        with suppress(NotFound):
            self._vectors.answer("DeleteVectorBucket", {"vectorBucketArn": arn})

    def _delete_index(self, arn: str, properties: Properties) -> None:
        with suppress(NotFound):
            self._vectors.answer("DeleteIndex", {"indexArn": arn})

    def _request(self, logical_id: str, properties: Properties, stack: str, name: str) -> dict[str, Any]:
        """Return the request that creates the resource: the properties in the API's spelling, and a name."""
        request = {_as_in_api(each): _value(each, value) for each, value in properties.items()}
        return {name: self._generate_name(stack, logical_id, lowercase=True, max_len=NAME_MAX), **request}


def _value(name: str, value: Any) -> Any:
    """Return a property's value as the API has it. A template may have a number as a text."""
    if name == "Dimension":
        return _whole(value)
    return {_as_in_api(each): inner for each, inner in value.items()} if isinstance(value, dict) else value


def _whole(value: Any) -> int:
    try:
        return int(str(value))
    except ValueError as error:
        raise Invalid(f"Dimension is a whole number from 1 to {rules.DIMENSION_MAX}.", "dimension") from error


def _as_in_api(name: str) -> str:
    return name[:1].lower() + name[1:]


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
