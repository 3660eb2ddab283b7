"""What listens on the port of `make run`: the API at the root, and nothing else of the emulator.

It answers 413 itself where API Gateway would not call a function, and turns the emulator's errors into problems, as the
gateway responses of template.yaml do on AWS.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from shared import errors, limits
from shared.api import endpoint
from tools.local.emulator import Receive, Scope, Send

BODY_MAX = 4_700_000  # bytes; base64 of more, with headers, does not fit into the 6 MiB of a Lambda event
CALLS_MAX = 4  # at a time; each may start a process of 35 to 60 MB, and more would wait for the one emulator
WHOLE_URL = re.compile(r"https?://([^/?]*)(/.*)?", re.IGNORECASE | re.DOTALL)
LOOPBACK = re.compile(r"(127\.0\.0\.1|localhost)(:[0-9]{1,5})?", re.IGNORECASE)
READS = ("GET", "HEAD", "OPTIONS")
DISCARDED_MAX = 100_000_000  # bytes of a refused body that are read, so that the client reads the response

logger = logging.getLogger(__name__)

Answer = tuple[int, dict[str, Any], bytes]
CallApi = Callable[[str, str, bytes, dict[str, str], bytes], Awaitable[Answer]]


class BadGateway(errors.ApiError):
    """The function sent no response, or not one of a function."""

    status = HTTPStatus.BAD_GATEWAY


class Front:
    """The ASGI application. `call_api` takes method, path, query, headers and body.

    `documents` are served by path, as JSON, without calling the API: the authorizer reads the issuer's keys here while
    the request that it checks occupies a call.
    """

    def __init__(
        self,
        call_api: CallApi,
        log: str,
        *,
        failing: Callable[[], bool] = lambda: False,
        documents: Mapping[str, bytes] | None = None,
    ) -> None:
        self._call_api, self._documents = call_api, documents or {}
        self._log = log
        self._failing = failing
        self._calls = asyncio.Semaphore(CALLS_MAX)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "lifespan":
            return await _lifespan(receive, send)
        if scope["type"] == "websocket":
            return await send({"type": "websocket.close"})
        try:
            status, headers, body = await self._answer(scope, receive)
        except _Gone:
            return None
        except errors.ApiError as refusal:
            status, headers, body = problem(refusal)
        await _send(send, status, headers, body, head=scope["method"] == "HEAD")
        return None

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        body = await _read(receive)
        headers = _headers(scope)
        path = _path(scope, headers)
        _refuse_strangers(scope["method"], headers)
        if path in self._documents and scope["method"] in ("GET", "HEAD"):
            return HTTPStatus.OK, {"Content-Type": "application/json"}, self._documents[path]
        if self._failing() and scope["method"] not in READS:
            raise errors.Unavailable("The data cannot be saved now. Make room on the disk and retry.")
        async with self._calls:
            try:
                answer = await self._call_api(scope["method"], path, scope["query_string"], headers, body)
            except Exception as error:
                logger.exception("the emulator failed")
                raise BadGateway(f"The emulator failed. The reason is in {self._log}.") from error
        if not _is_of_the_api(answer[1]):
            raise BadGateway(f"The function sent no response. The reason is in {self._log}.")
        return answer


def _is_of_the_api(headers: Mapping[str, Any]) -> bool:
    """Return whether a function or a gateway response of template.yaml has answered, and not the emulator itself."""
    content_type = next((value for name, value in headers.items() if name.lower() == "content-type"), "")
    return "X-Request-Id" in headers or content_type == "application/problem+json"


def _path(scope: Scope, headers: dict[str, str]) -> str:
    """Return the path. A proxy's client sends the whole URL; then its host is used (RFC 9112, section 3.2.2)."""
    path: str = scope["path"]
    if whole := WHOLE_URL.fullmatch(path):
        headers["host"], path = whole[1], whole[2] or "/"
    if not path.startswith("/"):
        raise errors.BadRequest("The request line has no path. Begin it with a slash.")
    return path


def problem(refusal: errors.ApiError) -> Answer:
    """Return the refusal as a response, like those of the functions."""
    request_id = str(uuid4())
    response = endpoint.problem(refusal, request_id)
    body = response.body.encode() if isinstance(response.body, str) else response.body
    headers = {**endpoint.CORS, "X-Content-Type-Options": "nosniff", "X-Request-Id": request_id, **response.headers}
    return response.status, headers, body


def _refuse_strangers(method: str, headers: dict[str, str]) -> None:
    """Raise Forbidden for other host names, and for writes of web pages from other hosts."""
    origin = headers.get("origin", "")
    if not LOOPBACK.fullmatch(headers.get("host", "localhost")):
        raise errors.Forbidden("Use 127.0.0.1 or localhost as the host.")
    if origin and method not in READS and not LOOPBACK.fullmatch(origin.partition("://")[2]):
        raise errors.Forbidden("Only web pages of this machine may write here.")


class _Gone(Exception):
    """The client left before its request was complete."""


async def _read(receive: Receive) -> bytes:
    """Return the whole body. Raise PayloadTooLarge, without keeping more than BODY_MAX of it."""
    chunks: list[bytes] = []
    size, more = 0, True
    while more and size <= DISCARDED_MAX:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        size += len(message["body"])
        more = message["more_body"]
        if size > BODY_MAX:
            chunks.clear()
        else:
            chunks.append(message["body"])
    if size > BODY_MAX:
        raise errors.PayloadTooLarge(
            f"The request is too large. POST /upload takes at most {limits.BODY_MAX / 10**6} MB; "
            f"send a picture of up to {limits.FILE_MAX // 10**6} MB with POST /uploads."
        )
    return b"".join(chunks)


def _headers(scope: Scope) -> dict[str, str]:
    """Return header values by name in lower case, repeated ones joined (RFC 9110, section 5.3)."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        separator = "; " if name == "cookie" else ", "
        headers[name] = f"{headers[name]}{separator}{value}" if name in headers else value
    accept = headers.get("accept", "")
    if not accept.partition(";")[0].strip():  # ministack sends bytes as base64 text to those who name no type
        headers["accept"] = f"*/*{accept}"
    return headers


async def _send(send: Send, status: int, headers: dict[str, Any], body: bytes, *, head: bool) -> None:
    lines = [
        (name.encode("latin-1"), str(value).encode("latin-1", "replace"))
        for name, values in headers.items()
        for value in (values if isinstance(values, list) else [values])
        if name.lower() != "content-length"
    ]
    if status not in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
        lines.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": b"" if head else body})


async def _lifespan(receive: Receive, send: Send) -> None:
    while (message := await receive())["type"] == "lifespan.startup":
        await send({"type": "lifespan.startup.complete"})
    await send({"type": f"{message['type']}.complete"})
