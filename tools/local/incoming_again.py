"""Files of direct uploads whose reports a kill may have lost: S3 reports them again.

The queue that has the reports is kept by snapshots only. A file stays in its bucket until its upload has ended, and a
report that comes twice does nothing twice (ingest/ingest_files.py).
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def report(s3: "S3Client", bucket: str) -> int:
    """Let S3 report every file in the bucket once more: copy each onto itself. Return how many there are."""
    count = 0
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for file in page.get("Contents", []):
            key = file["Key"]
            s3.copy_object(
                Bucket=bucket, Key=key, CopySource={"Bucket": bucket, "Key": key}, MetadataDirective="REPLACE"
            )
            count += 1
    return count
