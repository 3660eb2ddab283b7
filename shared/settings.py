"""Names of buckets, tables and queues, and the labels that are taken: from SSM, kept for five minutes.

A function asks SSM for the names whose fallback variables it has; template.yaml gives each function those of the names
that it uses. A fallback serves where SSM lacks the name, and where SSM is down or throttled before it was ever read.
Where no fallback variable is there at all, as in `make reconcile`, SSM is asked for all names. Each function uses at
most ten names, which take one call.
"""

import logging
import os
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from shared import aws
from shared.cached import Refreshing
from shared.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

logger = logging.getLogger("petapi")

LIFETIME = 300.0  # seconds that a read of SSM is good for
PATIENCE = 10.0  # seconds that older settings or fallbacks are used before SSM, which did not answer, is asked again
YEAR = 31_536_000  # seconds
NAMES_MAX = 10  # that SSM takes in one call
NO_INDEX = "none"  # the vector index of a stack without an encoder; SSM takes no empty value

# Field of Settings -> name in SSM below /pet-api/<stage>/, and the variable that is its fallback
PARAMETERS = {
    "bucket": ("s3/upload-bucket-name", "fb_S3BucketName"),
    "thumbnail_bucket": ("s3/thumbnail-bucket-name", "fb_S3ThumbnailBucketName"),
    "chunk_info_table": ("dynamoDB/chunk-info-table-name", "fb_chunkInfoTableName"),
    "image_chunks_table": ("dynamoDB/image-chunks-table-name", "fb_chunkImageTableName"),
    "labels": ("labels", "fb_labels"),
    "incoming_bucket": ("s3/incoming-bucket-name", "fb_S3IncomingBucketName"),
    "uploads_table": ("dynamoDB/uploads-table-name", "fb_uploadsTableName"),
    "recognitions_table": ("dynamoDB/recognitions-table-name", "fb_recognitionsTableName"),
    "callback_queue": ("sqs/callback-queue-url", "fb_callbackQueueUrl"),
    "writes": ("writes", "fb_writes"),
    "vector_index": ("s3vectors/vector-index-arn", "fb_vectorIndexArn"),
    "tiles_table": ("dynamoDB/tiles-table-name", "fb_tilesTableName"),
    "index_queue": ("sqs/index-queue-url", "fb_indexQueueUrl"),
}


@dataclass(frozen=True, slots=True)
class Settings:
    """Where things are kept, and the labels that an upload may name (`*` among them allows any).

    A name that the function does not use is empty.
    """

    bucket: str = ""
    chunk_info_table: str = ""
    image_chunks_table: str = ""
    labels: frozenset[str] = frozenset()
    thumbnail_bucket: str = ""
    incoming_bucket: str = ""
    uploads_table: str = ""
    recognitions_table: str = ""
    callback_queue: str = ""  # its URL
    writes: str = "open"  # or closed
    vector_index: str = ""  # its ARN, or `none`
    tiles_table: str = ""
    index_queue: str = ""  # its URL
    consistent_reads: bool = False  # of lanes, chunks and images in draws, at twice the read units
    image_max_age: int = YEAR  # seconds that caches may keep a picture


class NamesMissing(Exception):
    """Neither SSM nor the environment has one of the names."""


class SettingsCache:
    """The settings of one stage: as SSM gave them at most five minutes ago, or older ones while SSM is down."""

    def __init__(
        self, client: Callable[[], "SSMClient"], stage: str, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client, self._prefix = client, f"/pet-api/{stage}/"
        self._settings = Refreshing(
            "settings from SSM",
            self._from_ssm,
            failures=(BotoCoreError, ClientError),
            lifetime=LIFETIME,
            patience=PATIENCE,
            fallback=lambda: _settings({}),
            clock=clock,
        )

    def read(self) -> Settings:
        """Return the settings; Unavailable if neither SSM nor the environment has all names that are used."""
        try:
            return self._settings.get()
        except NamesMissing as error:
            logger.error("neither SSM nor the environment has %s", error)
            raise Unavailable("The service is not configured. Its operators find the reason in the log.") from error

    def _from_ssm(self) -> Settings:
        names = [self._prefix + PARAMETERS[field][0] for field in _used()]
        some = [names[first : first + NAMES_MAX] for first in range(0, len(names), NAMES_MAX)]
        read = [found for each in some for found in self._client().get_parameters(Names=each)["Parameters"]]
        return _settings({found["Name"].removeprefix(self._prefix): found["Value"] for found in read})


def read_settings() -> Settings:
    """Return the settings of this function's stage; Unavailable if a name is nowhere to be had."""
    return _cache().read()


@cache
def _cache() -> SettingsCache:
    return SettingsCache(aws.ssm, os.environ.get("PET_API_STAGE", "production"))


def _used() -> Collection[str]:
    """Return the fields of Settings that this function uses."""
    return [field for field, (_, variable) in PARAMETERS.items() if variable in os.environ] or PARAMETERS


def _settings(parameters: dict[str, str]) -> Settings:
    """Make the settings from the values that SSM has, and the fallbacks where it has none."""
    values = {
        field: parameters.get(name) or os.environ.get(variable, "") for field, (name, variable) in PARAMETERS.items()
    }
    values["writes"] = values["writes"] or "open"  # a stack from before the parameter has no such name
    if missing := [PARAMETERS[field][0] for field in _used() if not values[field]]:
        raise NamesMissing(", ".join(missing))
    labels = frozenset(label.strip().lower() for label in values.pop("labels").split(",") if label.strip())
    return Settings(
        **values,
        labels=labels,
        consistent_reads=os.environ.get("CONSISTENT_READS") == "true",
        image_max_age=int(os.environ.get("IMAGE_MAX_AGE") or YEAR),
    )
