"""The response with a picture, for the draw and the download."""

from collections.abc import Mapping
from http import HTTPStatus

from shared.api.endpoint import Response
from shared.limits import BODY_MAX
from shared.pictures.bucket import Bucket, TooLarge


def picture_response(bucket: Bucket, key: str, headers: Mapping[str, str]) -> Response | None:
    """Make the response with this picture and these headers, or None if it was deleted.

    A picture that does not fit into a response is a redirect to S3, which nobody may keep, because its URL expires.
    """
    try:
        content = bucket.get(key, at_most=BODY_MAX)
    except TooLarge:
        return Response(HTTPStatus.FOUND, headers={"Location": bucket.url(key, headers), "Cache-Control": "no-store"})
    return None if content is None else Response(HTTPStatus.OK, content, headers)
