"""ministack's S3 for hypercorn, without the services that it would start beside."""

from typing import Any

from ministack.app import app as ministack


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """The ASGI application; it has no lifespan, in which ministack would open more ports."""
    if scope["type"] != "http":
        raise NotImplementedError
    await ministack(scope, receive, send)
