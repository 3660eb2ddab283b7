"""Names of buckets and tables and the allowed labels: read from SSM in one call and kept for five minutes."""

import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from shared import aws, errors

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

logger = logging.getLogger("petapi")

LIFETIME = 300.0  # seconds that a read of SSM is good for
PATIENCE = 10.0  # seconds that older settings are used before SSM, which did not answer, is asked again

YEAR = 31_536_000  # seconds

FALLBACKS = {
    "s3/upload-bucket-name": "fb_S3BucketName",
    "s3/thumbnail-bucket-name": "fb_S3ThumbnailBucketName",
    "dynamoDB/chunk-info-table-name": "fb_chunkInfoTableName",
    "dynamoDB/image-chunks-table-name": "fb_chunkImageTableName",
    "labels": "fb_labels",
    "s3/incoming-bucket-name": "fb_S3IncomingBucketName",
    "dynamoDB/uploads-table-name": "fb_uploadsTableName",
    "dynamoDB/recognitions-table-name": "fb_recognitionsTableName",
    "sqs/callback-queue-url": "fb_callbackQueueUrl",
}


@dataclass(frozen=True, slots=True)
class Settings:
    """Where things are kept, and the labels that an upload may name (`*` among them allows any)."""

    bucket: str
    chunk_info_table: str
    image_chunks_table: str
    labels: frozenset[str]
    thumbnail_bucket: str
    incoming_bucket: str = ""
    uploads_table: str = ""
    recognitions_table: str = ""
    callback_queue: str = ""  # its URL
    consistent_reads: bool = False  # of lanes, chunks and images in draws, at twice the read units
    image_max_age: int = YEAR  # seconds that caches may keep a picture


class SettingsCache:
    """The settings of one stage, as SSM gave them at most five minutes ago; older ones while SSM is down."""

    def __init__(
        self, client: Callable[[], "SSMClient"], stage: str, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client, self._prefix, self._clock = client, f"/pet-api/{stage}/", clock
        self._settings: Settings | None = None
        self._good_until = 0.0

    def read(self) -> Settings:
        """The settings; Unavailable when they were never read and neither SSM nor the environment has them."""
        if self._settings and self._clock() < self._good_until:
            return self._settings
        try:
            self._settings = _settings(self._parameters())
            self._good_until = self._clock() + LIFETIME
        except (BotoCoreError, ClientError) as error:
            if not self._settings:
                logger.exception("SSM is not answering, and nothing was read before")
                raise errors.Unavailable("The configuration cannot be read now; retry in a moment.") from error
            logger.warning("SSM is not answering; the settings read before go on being used", exc_info=True)
            self._good_until = self._clock() + PATIENCE
        return self._settings

    def _parameters(self) -> dict[str, str]:
        answer = self._client().get_parameters(Names=[self._prefix + name for name in FALLBACKS])
        return {found["Name"].removeprefix(self._prefix): found["Value"] for found in answer["Parameters"]}


def read() -> Settings:
    """The settings of this function's stage."""
    return _cache().read()


@cache
def _cache() -> SettingsCache:
    return SettingsCache(aws.ssm, os.environ.get("PET_API_STAGE", "production"))


def _settings(parameters: dict[str, str]) -> Settings:
    values = {name: parameters.get(name) or os.environ.get(variable, "") for name, variable in FALLBACKS.items()}
    missing = [name for name, value in values.items() if not value]
    if missing:
        logger.error("neither SSM nor the environment has %s", ", ".join(missing))
        raise errors.Unavailable("The service is not configured; its operators find the reason in the log.")
    return Settings(
        bucket=values["s3/upload-bucket-name"],
        chunk_info_table=values["dynamoDB/chunk-info-table-name"],
        image_chunks_table=values["dynamoDB/image-chunks-table-name"],
        labels=frozenset(label.strip().lower() for label in values["labels"].split(",") if label.strip()),
        thumbnail_bucket=values["s3/thumbnail-bucket-name"],
        incoming_bucket=values["s3/incoming-bucket-name"],
        uploads_table=values["dynamoDB/uploads-table-name"],
        recognitions_table=values["dynamoDB/recognitions-table-name"],
        callback_queue=values["sqs/callback-queue-url"],
        consistent_reads=os.environ.get("CONSISTENT_READS") == "true",
        image_max_age=int(os.environ.get("IMAGE_MAX_AGE") or YEAR),
    )
