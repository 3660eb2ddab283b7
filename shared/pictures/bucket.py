"""The versioned S3 bucket of pictures, under label/name, and the bucket of their thumbnails."""

import base64
import logging
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from shared import images, metrics
from shared.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class Version(NamedTuple):
    """A version of an object, or a marker that hides the versions below it.  `size` is in bytes."""

    key: str
    id: str
    modified: datetime
    is_marker: bool
    size: int = 0


logger = logging.getLogger("petapi")

# A missing object is NoSuchKey to a role that may list the bucket and AccessDenied to ours, which may not.
GONE = {"NoSuchKey", "NoSuchVersion", "AccessDenied"}
URL_LIFETIME = 300  # seconds that a presigned URL is valid

SIDES = (256, 512, 1024)  # pixels of the longest side of a thumbnail
# How thumbnails look and what recognisers see, as keys, ETags and identities name it. Raise it when shown.py shows any
# picture in another way, so that nothing that was made before is used any more.
LOOK = "v2"
EXTENSIONS = ("webp", "jpg")


class TooLarge(Exception):
    """A picture with more bytes than its reader takes."""


def denial(*, is_known: bool) -> Unavailable | None:
    """Make the refusal if S3 denied a picture in this call, and its image is still known; otherwise return None.

    To a role that may not list the bucket, S3 denies what is not there, too. But of an image that is known, a wrong
    policy, key or role is more likely than a lost picture: that is an outage, which the log and the alarms see.
    """
    if not (is_known and metrics.counted("Denied")):
        return None
    logger.error("S3 denied the picture of an image: look at the bucket's policy, its key and this function's role")
    return Unavailable("The picture cannot be read just now; retry in a moment.")


class Bucket:
    """The pictures in the bucket of this name."""

    def __init__(self, client: "S3Client", name: str) -> None:
        self._client, self._name = client, name

    def put(self, key: str, content: bytes, content_type: str, digest: bytes) -> str:
        """Store a new version and return its id. S3 refuses bytes that were damaged on the way, by their SHA-256."""
        checksum = base64.b64encode(digest).decode()
        response = self._client.put_object(
            Bucket=self._name, Key=key, Body=content, ContentType=content_type, ChecksumSHA256=checksum
        )
        return response["VersionId"]

    def get(self, key: str, version_id: str | None = None, *, at_most: int | None = None) -> bytes | None:
        """Return the bytes of this version, or of the newest one, or None if there is none.

        Raise TooLarge, without reading them, if they are more than `at_most`.
        """
        return _content(self._client, {"Bucket": self._name, "Key": key, **_version(version_id)}, at_most, "Denied")

    def discard(self, key: str, version_id: str) -> bool:
        """Remove a version that no image names any more, and return whether it is gone.

        If S3 fails, log that; reconcile removes it later.
        """
        try:
            self._client.delete_object(Bucket=self._name, Key=key, VersionId=version_id)
        except (BotoCoreError, ClientError, Unavailable):
            logger.exception("version %s of %s was not removed; reconcile will remove it", version_id, key)
            return False
        return True

    def url(self, key: str, headers: Mapping[str, str], version_id: str | None = None) -> str:
        """Presign a URL of this version, or of the newest one, valid for five minutes.

        S3 sends the content type and disposition given here.
        """
        parameters = {
            "Bucket": self._name,
            "Key": key,
            **_version(version_id),
            "ResponseContentType": headers["Content-Type"],
            "ResponseContentDisposition": headers["Content-Disposition"],
        }
        return self._client.generate_presigned_url("get_object", Params=parameters, ExpiresIn=URL_LIFETIME)

    def size(self, key: str, version_id: str) -> int | None:
        """Return the bytes of this version, or None if it does not exist."""
        try:
            return self._client.head_object(Bucket=self._name, Key=key, VersionId=version_id)["ContentLength"]
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] in (404, 405):
                return None
            raise

    def labels(self) -> Iterator[str]:
        """Yield the labels that have any version."""
        pages = self._client.get_paginator("list_object_versions").paginate(Bucket=self._name, Delimiter="/")
        for page in pages:
            for prefix in page.get("CommonPrefixes", []):
                yield prefix["Prefix"].removesuffix("/")

    def versions(self, prefix: str) -> Iterator[Version]:
        """Yield all versions and delete markers whose keys begin with the prefix, sorted by key."""
        pages = self._client.get_paginator("list_object_versions").paginate(Bucket=self._name, Prefix=prefix)
        for page in pages:
            found = [
                Version(v["Key"], v["VersionId"], v["LastModified"], False, v["Size"]) for v in page.get("Versions", [])
            ]
            found += [Version(v["Key"], v["VersionId"], v["LastModified"], True) for v in page.get("DeleteMarkers", [])]
            yield from sorted(found, key=lambda version: version.key)


class ThumbnailBucket:
    """The thumbnails in the bucket of this name, under label/name/side.look.extension, without versions.

    They can be made again, so a lifecycle rule removes them after some days.  That also removes leftovers of a killed
    function or of a failure of S3.
    """

    def __init__(self, client: "S3Client", name: str) -> None:
        self._client, self._name = client, name

    def get(self, image_id: str, side: int, extension: str) -> bytes | None:
        """Return the bytes of a thumbnail, or None if it was never made or has expired."""
        return _content(self._client, {"Bucket": self._name, "Key": _key(image_id, side, extension)})

    def put(self, image_id: str, side: int, extension: str, content: bytes) -> None:
        """Store a thumbnail, or what stands in its place."""
        key = _key(image_id, side, extension)
        self._client.put_object(Bucket=self._name, Key=key, Body=content, ContentType=images.CONTENT_TYPES[extension])

    def discard(self, image_id: str) -> bool:
        """Remove all thumbnails that an image may have, and return whether they are gone. If S3 fails, log that."""
        # Thumbnails of 0.1 have keys without a look. The last of them expire 90 days after a deploy of this version.
        keys = [
            key
            for side in SIDES
            for extension in EXTENSIONS
            for key in (_key(image_id, side, extension), f"{image_id}/{side}.{extension}")
        ]
        try:
            response = self._client.delete_objects(
                Bucket=self._name, Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True}
            )
        except (BotoCoreError, ClientError, Unavailable):
            logger.exception("thumbnails of %s were not removed; they expire", image_id)
            return False
        for failed in response.get("Errors", []):
            logger.error("thumbnail %s was not removed and will expire: %s", failed["Key"], failed["Code"])
        return not response.get("Errors")


def _key(image_id: str, side: int, extension: str) -> str:
    return f"{image_id}/{side}.{LOOK}.{extension}"


def _version(version_id: str | None) -> dict[str, str]:
    return {} if version_id is None else {"VersionId": version_id}


def _content(client: "S3Client", names: Any, at_most: int | None = None, denied: str = "") -> bytes | None:
    """Return the bytes of the object of these names, or None without it. Raise TooLarge if they are too many.

    `denied` is the metric that counts when S3 denies the object, which it also does if there is none.
    """
    try:
        found = client.get_object(**names)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in GONE:
            if denied and code == "AccessDenied":
                metrics.count(denied)
            return None
        raise
    if at_most is not None and found["ContentLength"] > at_most:
        found["Body"].close()
        raise TooLarge
    return found["Body"].read()
