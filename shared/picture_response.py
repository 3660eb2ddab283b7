"""The response with a picture, for the draw and the download."""

from collections.abc import Mapping
from http import HTTPStatus

from shared.api.endpoint import Response
from shared.limits import BODY_MAX
from shared.pictures.bucket import Bucket, TooLarge


def picture_response(
    bucket: Bucket, key: str, headers: Mapping[str, str], version_id: str | None = None
) -> Response | None:
    """Make the response with this version of a picture, or the newest one, and these headers. None if it was deleted.

    A picture that does not fit into a response is a redirect to S3, which no cache may keep, because its URL expires.
    """
    try:
        content = bucket.get(key, version_id, at_most=BODY_MAX)
    except TooLarge:
        location = bucket.url(key, headers, version_id)
        return Response(HTTPStatus.FOUND, headers={"Location": location, "Cache-Control": "no-store"})
    return None if content is None else Response(HTTPStatus.OK, content, headers)
