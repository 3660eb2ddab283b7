"""Pages of lists: the parameters limit and cursor, and the response with the link to the next page.

A cursor is a text that says where the next page begins.  It belongs to one query, and other queries refuse it.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from functools import partial
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

from shared import images
from shared.api.endpoint import Request, Response, as_json
from shared.errors import BadRequest, UnprocessableValue
from shared.labels.catalogue import Page, Selection

PARAMETERS = {"limit", "cursor"}

LIMIT = 50  # entries of a page without the parameter
LIMIT_MAX = 100  # what BatchGetItem takes at once

CHECK = 6  # bytes of a hash that detects damage and cursors of other queries; it keeps nothing secret
CURSOR = re.compile(r"[A-Za-z0-9_-]{1,2000}")


def limit(request: Request, *, default: int = LIMIT, most: int = LIMIT_MAX) -> int:
    """Return the largest number of entries on the page."""
    text = request.query.get("limit", str(default))
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(most)) and 1 <= int(text) <= most):
        raise UnprocessableValue(f"limit must be a whole number from 1 to {most}.", field="limit")
    return int(text)


def start_after(request: Request, query: str, selection: Selection) -> tuple[str, ...]:
    """Return the place after which the page begins, empty without a cursor.

    Raise BadRequest if this query has not given the cursor.  Everyone can compute one, so this also checks that a row
    of the selection can be at this place.
    """
    return place(request, query, partial(_is_place, selection))


def place(request: Request, query: str, is_place: Callable[[tuple[str, ...]], bool]) -> tuple[str, ...]:
    """Return the place of the request's cursor, empty without one, as `start_after` does.  `is_place` is the check."""
    if "cursor" not in request.query:
        return ()
    found = decode_cursor(query, request.query["cursor"])
    if not is_place(found):
        raise _refusal()
    return found


def page_response(request: Request, document: Mapping[str, Any], query: str, page: Page[Any]) -> Response:
    """Make the response with this page. If more follow, it has a cursor in the body and a link in the headers."""
    if not page.last:
        return as_json(document)
    cursor = encode_cursor(query, page.last)
    return as_json({**document, "cursor": cursor}, headers={"Link": link(request, query, cursor)})


def link(request: Request, query: str, cursor: str) -> str:
    """Return the value of the header Link to the page that begins at the cursor (RFC 8288)."""
    path, _, _ = query.partition("?")
    return f'<{request.base_url}{path}?{urlencode({**request.query, "cursor": cursor})}>; rel="next"'


def encode_cursor(query: str, last: tuple[str, ...]) -> str:
    """Encode a place as a cursor of this query."""
    place = "\n".join(last).encode()
    check = sha256(query.encode() + b"\n" + place).digest()[:CHECK]
    return urlsafe_b64encode(check + place).decode().rstrip("=")


def decode_cursor(query: str, text: str) -> tuple[str, ...]:
    """Decode a cursor of this query to its place, or raise BadRequest for any other text."""
    try:
        content = urlsafe_b64decode(text + "==") if CURSOR.fullmatch(text) else b""
        last = tuple(content[CHECK:].decode().split("\n"))
    except ValueError as error:
        raise _refusal() from error
    if encode_cursor(query, last) != text:
        raise _refusal()
    return last


def _refusal() -> BadRequest:
    return BadRequest(
        "cursor does not belong to this query; take it from the previous page, or leave it out to begin.",
        field="cursor",
    )


def _is_place(selection: Selection, place: tuple[str, ...]) -> bool:
    *others, name = place
    if len(others) != len(selection.order) - 1 or not (images.NAME.fullmatch(name) or images.LABEL.fullmatch(name)):
        return False
    return all(other.startswith(selection.prefix) and images.is_filename(other) for other in others)
