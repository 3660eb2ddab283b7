"""Who may use the AWS endpoints of the emulator: callers with a real key.

ministack accepts an empty key, `test` and account numbers as the account's owner, who may run any code. They are
refused here, and the owner's key is a secret of this run.
"""

import json
import re
from collections.abc import Awaitable, Callable
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

from shared.limits import FILE_MAX
from tools.local.journal import CHANGES

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

OWNERS_FOR_ALL = re.compile(r"(test|[0-9]{12})?")
LOOPBACK_IS_SECURE = (b"x-forwarded-proto", b"https")  # for bucket policies that require TLS
LOOPBACK = re.compile(r"(127\.0\.0\.1|localhost)(:[0-9]+)?")
BUCKET = re.compile(r"/[a-z0-9.-]{3,63}/?")
FORM_KEY = re.compile(r"A[KS]IA[0-9A-Z]+")  # nothing that S3 expands, such as ${filename}
FORM_MAX = FILE_MAX + 1_000_000  # bytes of a form: the file, and far more than its fields have
FULL = "The disk is almost full, so nothing is stored. Delete images, and retry."
OF_VECTORS = re.compile(r"Credential=[^/]+/[^/]+/[^/]+/s3vectors/")
READS = re.compile(r"(\w+\.)?(Batch)?(Get|Describe|List|Query|Scan)\w*")


def guarded(
    app: App,
    written: Callable[[], None],
    full: Callable[[int], bool] = lambda size: False,
    note: Callable[[str, bytes], None] = lambda target, body: None,
) -> App:
    """Return the AWS endpoints for callers with a real key. `written` is called after each call that may write.

    A form of a direct upload, or vectors, are refused if the disk is `full` for that many bytes more. `note` gets the
    operation and the body of each change of a table, after it was made and before its caller has the response.
    """

    async def guard(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await app(scope, receive, send)
        if scope["type"] != "http" or scope["path"].startswith("/_"):
            return await _forbid(send)
        key, body = _key(scope), b""
        if _is_form(scope):
            body = await _body(receive)
            key, receive = _key_of_form(_header(scope, b"content-type"), body), _again(body)
        if _owners(scope, key):
            return await _forbid(send)
        if body and full(len(body)):
            return await _refuse(send, HTTPStatus.INSUFFICIENT_STORAGE, "InsufficientStorage", FULL)
        if _puts_vectors(scope) and full(int(_header(scope, b"content-length") or 0)):
            return await _refuse(send, HTTPStatus.SERVICE_UNAVAILABLE, "ServiceUnavailableException", FULL)
        if (target := _header(scope, b"x-amz-target")) in CHANGES:
            change = await _body(receive)
            receive, send = _again(change), _noting(send, partial(note, target, change))
        try:
            await app({**scope, "headers": [*scope["headers"], LOOPBACK_IS_SECURE]}, receive, send)
        finally:
            if _may_write(scope):
                written()

    return guard


def _noting(send: Send, note: Callable[[], None]) -> Send:
    """Return a `send` that notes a success before it sends it."""

    async def send_noted(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start" and message["status"] == HTTPStatus.OK:
            note()
        await send(message)

    return send_noted


def _owners(scope: Scope, key: str) -> bool:
    """Return whether ministack would accept this key as the owner's. A browser's preflight of a form has no key."""
    asks_first = scope["method"] == "OPTIONS" and _header(scope, b"access-control-request-method") == "POST"
    return not (asks_first and _is_for_a_bucket(scope)) and bool(OWNERS_FOR_ALL.fullmatch(key))


def _is_form(scope: Scope) -> bool:
    """Return whether the request may be a form for S3, which is signed in its fields only."""
    form = _header(scope, b"content-type").startswith("multipart/form-data")
    signed = _header(scope, b"authorization") or scope["query_string"] or _header(scope, b"x-amz-target")
    return form and scope["method"] == "POST" and not signed and _is_for_a_bucket(scope)


def _is_for_a_bucket(scope: Scope) -> bool:
    """Return whether ministack gives the request to S3.

    Other services do not look for a key in a form, and accept a request without a key as the owner's. The choice of
    the service depends on the Host as well, and every name under localhost is this machine.
    """
    from ministack.core.router import detect_service

    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    is_bucket = LOOPBACK.fullmatch(headers.get("host", "")) and BUCKET.fullmatch(scope["path"])
    return bool(is_bucket) and detect_service(scope["method"], scope["path"], headers, {}) == "s3"


def _key_of_form(content_type: str, body: bytes) -> str:
    """Return the access key that a form for S3 names, read as ministack reads it. Empty if there is not exactly one."""
    from ministack.services import s3

    fields = s3._parse_multipart_form(content_type, body)
    found = [value for name, _, _, value in fields if name.lower() in ("x-amz-credential", "awsaccesskeyid")]
    key = found[0].partition(b"/")[0].decode("latin-1") if len(found) == 1 else ""
    return key if FORM_KEY.fullmatch(key) else ""


async def _body(receive: Receive) -> bytes:
    parts: list[bytes] = []
    while sum(map(len, parts)) <= FORM_MAX:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            break
    return b"".join(parts)


def _again(body: bytes) -> Receive:
    """Return a `receive` that gives this body."""
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        return messages.pop() if messages else {"type": "http.disconnect"}

    return receive


def _key(scope: Scope) -> str:
    """Return the access key that the request names, empty if none."""
    from ministack.core.router import extract_access_key_id

    query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    return str(extract_access_key_id({"authorization": _header(scope, b"authorization")}, query))


def _may_write(scope: Scope) -> bool:
    """Return whether the request may change the emulator's state. Vectors are kept beside it."""
    if _is_of_vectors(scope):
        return False
    if scope["method"] == "POST":
        return not READS.fullmatch(_header(scope, b"x-amz-target").replace("_", ""))
    return scope["method"] not in ("GET", "HEAD")


def _is_of_vectors(scope: Scope) -> bool:
    """Return whether the request goes to S3 Vectors: it is signed for it, and names no operation of another service."""
    signed = OF_VECTORS.search(_header(scope, b"authorization"))
    return bool(signed) and not _header(scope, b"x-amz-target")


def _puts_vectors(scope: Scope) -> bool:
    return scope["path"] == "/PutVectors" and _is_of_vectors(scope)


def _header(scope: Scope, wanted: bytes) -> str:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == wanted), "")


async def _forbid(send: Send) -> None:
    await _refuse(send, HTTPStatus.FORBIDDEN, "AccessDeniedException", "Sign the request; see aws.env.")


async def _refuse(send: Send, status: int, code: str, message: str) -> None:
    body = json.dumps({"__type": code, "message": message}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
