"""S3 Vectors over HTTP: JSON by POST to the operation's name, as its service model describes."""

import asyncio
import json
import logging
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from tools.local.vectors import rules
from tools.local.vectors.refused import Invalid, NotServed, Refused
from tools.local.vectors.service import Vectors

Answer = tuple[int, dict[str, str], bytes]

logger = logging.getLogger(__name__)


def operation_of(path: str) -> str:
    """Return the operation that a path names."""
    return path.removeprefix("/")


def request_of(body: bytes) -> dict[str, Any]:
    """Return the members of a request. Raise Invalid if it is too large or no object of JSON."""
    if len(body) > rules.BODY_MAX:
        raise Invalid(f"A request has at most {rules.BODY_MAX} bytes.")
    try:
        request = _parsed(body)
    except (ValueError, RecursionError) as error:
        raise Invalid("The body is no JSON.") from error
    if not isinstance(request, dict):
        raise Invalid("The body is no object.")
    return request


@lru_cache(2)
def _parsed(body: bytes) -> Any:
    """Parse a body, which is looked at for policies first. Callers do not change what this returns."""
    return json.loads(body)


async def respond(vectors: Vectors, method: str, path: str, body: bytes) -> Answer:
    """Answer a request whose caller may make it. The event loop does other things meanwhile."""
    try:
        return await asyncio.to_thread(answer, vectors, method, path, body)
    finally:
        _parsed.cache_clear()  # it may be 20 MiB


def answer(vectors: Vectors, method: str, path: str, body: bytes) -> Answer:
    """Return status, headers and body of the response to a request."""
    try:
        if method != "POST":
            raise NotServed("An operation of S3 Vectors is called by POST.")
        response = vectors.answer(operation_of(path), request_of(body))
    except Refused as refused:
        return _refusal(refused)
    return HTTPStatus.OK, {"Content-Type": "application/json"}, json.dumps(response).encode()


def _refusal(refused: Refused) -> Answer:
    logger.info("%s: %s", refused.code, refused.message)
    body: dict[str, Any] = {"message": refused.message}
    if refused.field:
        body["fieldList"] = [{"path": refused.field, "message": refused.message}]
    headers = {"Content-Type": "application/json", "x-amzn-errortype": refused.code}
    return refused.status, headers, json.dumps(body).encode()
