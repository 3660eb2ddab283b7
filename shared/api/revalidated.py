"""Responses that caches keep and ask for again each time: pages, documents, and the state of the service."""

from collections.abc import Mapping
from hashlib import sha256

from shared.api import etags
from shared.api.endpoint import Request, Response


def revalidated(request: Request, body: str | bytes, headers: Mapping[str, str]) -> Response:
    """Return the body with an ETag and `no-cache`, or 304 if If-None-Match names this ETag."""
    content = body if isinstance(body, bytes) else body.encode()
    etag = f'"{sha256(content).hexdigest()[:32]}"'
    headers = {**headers, "Cache-Control": "no-cache", "ETag": etag}
    if etags.matches(request.headers.get("if-none-match", ""), etag, weak=True):
        return Response(304, headers=headers)
    return Response(200, body, headers)
