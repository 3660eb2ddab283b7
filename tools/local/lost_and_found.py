"""The bucket of pictures while reconciling after a kill: what no image names is set aside in a folder, not deleted."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from shared.pictures.bucket import Bucket
from tools.local import durable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

NO_BYTES = (404, 405)  # what S3 answers for a version that is gone, and for a delete marker

logger = logging.getLogger(__name__)


class LostAndFound(Bucket):
    """The bucket, with `lost` as the folder for versions that are discarded. `kept` counts them."""

    def __init__(self, client: "S3Client", name: str, lost: Path) -> None:
        super().__init__(client, name)
        self._lost = lost
        self.kept = 0

    def discard(self, key: str, version_id: str) -> bool:
        """Move a version to the folder, as label/name, and return whether it is gone from the bucket.

        If the disk has no room for that, leave it where it is. Equal names have equal bytes, so a later version of the
        same picture replaces the earlier one in the folder.
        """
        try:
            self._keep(key, version_id)
        except OSError:
            logger.exception("version %s of %s was not moved to %s", version_id, key, self._lost)
            return False
        return super().discard(key, version_id)

    def _keep(self, key: str, version_id: str) -> None:
        """Write the version to the folder. A delete marker has no bytes to keep."""
        try:
            content = self._client.get_object(Bucket=self._name, Key=key, VersionId=version_id)["Body"].read()
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] in NO_BYTES:
                return
            raise
        path = self._lost / key
        path.parent.mkdir(parents=True, exist_ok=True)
        durable.write(path, content)
        self.kept += 1
