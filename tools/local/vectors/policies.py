"""What a caller must be allowed for a request: the actions of IAM, and the bucket or index that they are about.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3vectors.html has actions and resources.
"""

from collections.abc import Mapping
from typing import Any

from tools.local.vectors import targets
from tools.local.vectors.refused import Refused

ANY = "*"
OF_BUCKETS = ("CreateVectorBucket", "GetVectorBucket", "DeleteVectorBucket", "ListIndexes")
NEED_MORE = ("QueryVectors", "ListVectors")


def action(operation: str) -> str:
    """Return the action of an operation."""
    return f"s3vectors:{operation}"


def resource(operation: str, request: Mapping[str, Any], account: str) -> str:
    """Return the ARN that the operation is about, `*` if the request names none."""
    try:
        if operation == "CreateIndex":
            return targets.new_index_arn(request, account)
        find = targets.bucket_arn if operation in OF_BUCKETS else targets.index_arn
        return find(request, account)
    except Refused:
        return ANY


def further_action(operation: str, request: Mapping[str, Any]) -> str | None:
    """Return the action that the request needs besides its own: what shows or compares metadata reads vectors."""
    reads = request.get("filter") is not None or request.get("returnData") or request.get("returnMetadata")
    return action("GetVectors") if operation in NEED_MORE and reads else None
