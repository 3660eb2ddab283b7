"""The file of vectors follows the stacks.

The two may disagree at a start: the file is not part of the emulator's state, which is restored from a snapshot after a
kill. Then the stack's word counts. That loses vectors at most, which are made again from the pictures.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from tools.local.vectors.refused import Conflict, NotFound
from tools.local.vectors.service import Vectors
from tools.local.vectors.stack_types import BUCKET, make_bucket, make_index


@dataclass(frozen=True, slots=True)
class Resource:
    """A bucket or an index as its stack has it. `owner` names stack and logical id."""

    type: str
    owner: str
    properties: Mapping[str, Any]
    arn: str


def mend(vectors: Vectors, resources: Sequence[Resource]) -> bool:
    """Remove what no stack has, and make what one has. Return whether something was missing.

    What clients made stays. A file that holds nothing for anybody is not made.
    """
    if not resources and not vectors.path.exists():
        return False
    with vectors.alone() as catalogue:
        _remove_others(vectors, *catalogue.of_stacks(), {resource.arn for resource in resources})
        buckets_first = sorted(resources, key=lambda resource: resource.type != BUCKET)
        return bool([resource for resource in buckets_first if _make_if_missing(vectors, resource)])


def _remove_others(vectors: Vectors, indexes: Sequence[str], buckets: Sequence[str], kept: set[str]) -> None:
    for arn in indexes:
        if arn not in kept:
            vectors.answer("DeleteIndex", {"indexArn": arn})
    for arn in buckets:
        if arn not in kept:
            with suppress(Conflict):  # a client has made an index in it
                vectors.answer("DeleteVectorBucket", {"vectorBucketArn": arn})


def _make_if_missing(vectors: Vectors, resource: Resource) -> bool:
    name = resource.arn.rpartition("/")[2]
    try:
        if resource.type == BUCKET:
            vectors.answer("GetVectorBucket", {"vectorBucketArn": resource.arn})
        else:
            vectors.answer("GetIndex", {"indexArn": resource.arn})
    except NotFound:
        if resource.type == BUCKET:
            make_bucket(vectors, {**resource.properties, "VectorBucketName": name}, resource.owner)
        else:
            make_index(vectors, {**resource.properties, "IndexName": name}, resource.owner)
        return True
    return False
