"""What listens on the port of `make run`: the API at the root, and nothing else of the emulator.

It enforces what API Gateway and Lambda do and the emulator does not (quotas.py, throttles.py), refuses web pages of
other sites (origins.py), and turns the emulator's errors into problems, as the gateway responses of template.yaml do on
AWS.
"""

import asyncio
import logging
import re
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from shared import errors
from shared.api import endpoint
from shared.limits import RESPONSE_SECONDS
from tools.local import origins, quotas
from tools.local.guard import Receive, Scope, Send
from tools.local.throttles import Throttles

CALLS_MAX = 4  # at a time; each may start a process of 35 to 60 MB, and more would wait for the one emulator
WHOLE_URL = re.compile(r"https?://([^/?]*)(/.*)?", re.IGNORECASE | re.DOTALL)
READS = ("GET", "HEAD", "OPTIONS")
READ_BY_POST = "/search"
DISCARDED_MAX = 100_000_000  # bytes of a refused body that are read, so that the client reads the response

logger = logging.getLogger(__name__)

Answer = tuple[int, dict[str, Any], bytes]
CallApi = Callable[[str, str, bytes, dict[str, str], bytes], Coroutine[Any, Any, Answer]]


class NoResponse(errors.Unavailable):
    """The gateway response DEFAULT_5XX of template.yaml: a function sent no response, or not one of a function."""


class GatewayTimeout(errors.ApiError):
    """The gateway response INTEGRATION_TIMEOUT of template.yaml."""

    status = HTTPStatus.GATEWAY_TIMEOUT

    def __init__(self) -> None:
        super().__init__("The service did not respond in time; retry in a moment.", headers={"Retry-After": "1"})


@dataclass(frozen=True, slots=True)
class Rules:
    """What the front asks before it calls a function.

    `check_write` takes the method and the bytes of a request that may write, and raises its refusal. `throttles` is
    None if there are none. `seconds` is the time that a function has.
    """

    check_write: Callable[[str, int], None] = lambda method, size: None
    throttles: Throttles | None = None
    seconds: float = RESPONSE_SECONDS


class Front:
    """The ASGI application. `call_api` takes method, path, query, headers and body.

    `documents` are served by path, as JSON, without calling the API: the authorizer reads the issuer's keys here while
    the request that it checks occupies a call.
    """

    def __init__(
        self, call_api: CallApi, log: str, rules: Rules | None = None, documents: Mapping[str, bytes] | None = None
    ) -> None:
        self._call_api, self._log = call_api, log
        self._rules, self._documents = rules or Rules(), documents or {}
        self._calls = asyncio.Semaphore(CALLS_MAX)
        self._under_way: set[asyncio.Task[Answer]] = set()
        self._stopping, self._over = False, asyncio.Event()

    @property
    def busy(self) -> bool:
        """Whether functions still work on requests that have their response, or that got 503 at the end."""
        return bool(self._under_way)

    def stop(self, grace: float) -> None:
        """Take no more requests. Those under way have `grace` seconds; then they get 503."""
        self._stopping = True
        asyncio.get_running_loop().call_later(grace, self._over.set)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "lifespan":
            return await _lifespan(receive, send)
        if scope["type"] == "websocket":
            return await send({"type": "websocket.close"})
        try:
            status, headers, body = await self._unless_over(self._answer(scope, receive))
        except _Gone:
            return None
        except errors.ApiError as refusal:
            status, headers, body = problem(refusal)
        if origins.is_foreign(_headers(scope)):
            headers = origins.without_sharing(headers)
        await _send(send, status, headers, body, head=scope["method"] == "HEAD")
        return None

    async def _unless_over(self, answer: Coroutine[Any, Any, Answer]) -> Answer:
        """Return the answer, or raise Unavailable if the time for requests under way ends before."""
        answering, over = asyncio.create_task(answer), asyncio.create_task(self._over.wait())
        try:
            await asyncio.wait({answering, over}, return_when=asyncio.FIRST_COMPLETED)
            if not answering.done():
                raise _stopping()
            return answering.result()
        finally:
            answering.cancel()
            over.cancel()

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        if self._stopping:
            raise _stopping()
        body = await _read(receive)
        quotas.check_head(scope["method"], _target(scope), scope["headers"])
        headers = _headers(scope)
        path, method = _path(scope, headers), quotas.effective_method(scope["method"], headers)
        origins.check(method if method not in READS else scope["method"], headers)
        if path in self._documents and method in ("GET", "HEAD"):
            return HTTPStatus.OK, {"Content-Type": "application/json"}, self._documents[path]
        quotas.check_event(method, path, scope["query_string"], headers, body)
        if self._rules.throttles:
            self._rules.throttles.check(method, path, time.monotonic())
        if method not in READS and path != READ_BY_POST:
            self._rules.check_write(method, len(body))
        return await self._call(method, path, scope["query_string"], headers, body)

    async def _call(self, method: str, path: str, query: bytes, headers: dict[str, str], body: bytes) -> Answer:
        """Call the API, and wait as long as API Gateway does. A call that takes longer goes on without its client."""
        await self._calls.acquire()
        call = asyncio.create_task(self._call_api(method, path, query, headers, body))
        self._under_way.add(call)
        call.add_done_callback(self._end)
        await asyncio.wait({call}, timeout=self._rules.seconds)
        if not call.done():
            raise GatewayTimeout
        if call.cancelled() or call.exception():
            raise NoResponse(f"The emulator failed. The reason is in {self._log}.")
        if not _is_of_the_api(call.result()[1]):
            raise NoResponse(f"The function sent no response. The reason is in {self._log}.")
        return call.result()

    def _end(self, call: "asyncio.Task[Answer]") -> None:
        self._under_way.discard(call)
        self._calls.release()
        if not call.cancelled() and (error := call.exception()):
            logger.error("the emulator failed", exc_info=error)


def _stopping() -> errors.Unavailable:
    return errors.Unavailable("petAPI is stopping. Retry when it runs again.")


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


def _target(scope: Scope) -> bytes:
    """Return the target of the request line, as it came."""
    path: bytes = scope.get("raw_path") or scope["path"].encode()
    query: bytes = scope["query_string"]
    return path + b"?" * bool(query) + query


def problem(refusal: errors.ApiError) -> Answer:
    """Return the refusal as a response, like those of the functions."""
    request_id = str(uuid4())
    response = endpoint.problem(refusal, request_id)
    body = response.body.encode() if isinstance(response.body, str) else response.body
    headers = {**endpoint.CORS, "X-Content-Type-Options": "nosniff", "X-Request-Id": request_id, **response.headers}
    return response.status, headers, body


class _Gone(Exception):
    """The client left before its request was complete."""


async def _read(receive: Receive) -> bytes:
    """Return the whole body. Raise PayloadTooLarge if no event can hold it, and keep no more of it."""
    chunks: list[bytes] = []
    size, more = 0, True
    while more and size <= DISCARDED_MAX:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        size += len(message["body"])
        more = message["more_body"]
        if size > quotas.BODY_ROOM:
            chunks.clear()
        else:
            chunks.append(message["body"])
    if size > quotas.BODY_ROOM:
        raise quotas.too_large()
    return b"".join(chunks)


def _headers(scope: Scope) -> dict[str, str]:
    """Return header values by name in lower case, repeated ones joined (RFC 9110, section 5.3)."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        separator = "; " if name == "cookie" else ", "
        headers[name] = f"{headers[name]}{separator}{value}" if name in headers else value
    accept = headers.get("accept", "")
    if not accept.partition(";")[0].strip():
        # ministack sends bytes as base64 text to those who name no type.  A quality of 0 changes nothing for functions.
        headers["accept"] = f"*/*;q=0{accept}"
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
