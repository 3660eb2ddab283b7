"""The bucket of files that came by a form and are not ingested yet: incoming/<upload id>, for 15 days at most."""

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from shared.limits import FILE_MAX

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ANY_TYPE = "application/octet-stream"  # what the file is, is decided from its bytes


class IncomingBucket:
    """The bucket with this name."""

    def __init__(self, client: "S3Client", name: str) -> None:
        self._client, self._name = client, name

    def create_form(self, key: str, lifetime: int) -> dict[str, Any]:
        """Return `url` and `fields` of a form that stores a file under this key for `lifetime` seconds.

        S3 enforces its limits, unless the session ends before whose keys sign it: S3 then takes no file any more.

        Clients may send another Content-Type. The fields have one, because S3 refuses a form that lacks a field with a
        condition, even if the condition allows any text.
        """
        return self._client.generate_presigned_post(
            self._name,
            key,
            Fields={"Content-Type": ANY_TYPE},
            Conditions=[["content-length-range", 1, FILE_MAX], ["starts-with", "$Content-Type", ""]],
            ExpiresIn=lifetime,
        )

    def get(self, key: str) -> bytes | None:
        """Return the bytes of a file, or None if it is not there (any more)."""
        try:
            return self._client.get_object(Bucket=self._name, Key=key)["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "AccessDenied"):
                return None
            raise

    def has(self, key: str) -> bool:
        """Return whether a file is there, without reading its bytes."""
        try:
            self._client.get_object(Bucket=self._name, Key=key)["Body"].close()
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "AccessDenied"):
                return False
            raise
        return True

    def discard(self, key: str) -> None:
        """Remove a file."""
        self._client.delete_object(Bucket=self._name, Key=key)
