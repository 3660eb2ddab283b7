"""The bucket or the index that a request is about: the same for the check of policies and for the work."""

import re
from collections.abc import Mapping
from typing import Any

from tools.local.vectors.refused import Invalid

NAME = r"([a-z0-9.-]{3,63})"  # the rest of the rules is for what is created
BUCKET_ARN = re.compile(r"arn:aws:s3vectors:[a-z0-9-]+:[0-9]{12}:bucket/" + NAME)
INDEX_ARN = re.compile(f"{BUCKET_ARN.pattern}/index/{NAME}")


def bucket_arn(request: Mapping[str, Any], account: str) -> str:
    """Return the bucket's ARN. `account` is how the ARNs of this service begin. Raise Invalid if none is named."""
    named, arn = request.get("vectorBucketName"), request.get("vectorBucketArn")
    if (named is None) == (arn is None):
        raise Invalid("Name the bucket by vectorBucketName or by vectorBucketArn.", "vectorBucketName")
    if named is not None:
        arn = f"{account}:bucket/{named}"
    if not isinstance(arn, str) or not BUCKET_ARN.fullmatch(arn):
        raise Invalid("The name or the ARN of the bucket is none.", "vectorBucketArn")
    return arn


def index_arn(request: Mapping[str, Any], account: str) -> str:
    """Return the index's ARN. `account` is how the ARNs of this service begin. Raise Invalid if none is named."""
    named = {name for name in ("vectorBucketName", "indexName", "indexArn") if request.get(name) is not None}
    if named == {"indexArn"}:
        arn = request["indexArn"]
    elif named == {"vectorBucketName", "indexName"}:
        arn = f"{account}:bucket/{request['vectorBucketName']}/index/{request['indexName']}"
    else:
        raise Invalid("Name the index by indexArn, or by vectorBucketName and indexName.", "indexArn")
    if not isinstance(arn, str) or not INDEX_ARN.fullmatch(arn):
        raise Invalid("The name or the ARN of the index is none.", "indexArn")
    return arn


def new_index_arn(request: Mapping[str, Any], account: str) -> str:
    """Return the ARN of an index that is to be created: the bucket may be named by its ARN there."""
    return f"{bucket_arn(request, account)}/index/{request.get('indexName')}"
