"""ministack's S3 for hypercorn, without the other services that ministack would start."""

from typing import Any

from ministack.app import app as ministack


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Serve one request. The lifespan is left out, because ministack would open more ports in it."""
    if scope["type"] != "http":
        raise NotImplementedError
    await ministack(scope, receive, send)
