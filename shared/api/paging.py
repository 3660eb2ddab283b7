"""What lists have in common: the parameters limit and cursor, and the answer that tells how to go on.

A cursor is where the next page begins, as a text that only the query it belongs to takes back.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

from shared import images
from shared.api.endpoint import Request, Response, as_json
from shared.errors import BadRequest, UnprocessableValue
from shared.labels.catalogue import Page, Selection

PARAMETERS = {"limit", "cursor"}

LIMIT = 50  # entries of a page, if the caller does not say
LIMIT_MAX = 100  # what BatchGetItem takes at once

CHECK = 6  # bytes; they notice a cursor of another query or a damaged one, and keep nothing secret
CURSOR = re.compile(r"[A-Za-z0-9_-]{1,2000}")


def limit(request: Request) -> int:
    """How many entries the page has, at most."""
    text = request.query.get("limit", str(LIMIT))
    if not (text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= LIMIT_MAX):
        raise UnprocessableValue(f"limit must be a whole number from 1 to {LIMIT_MAX}.", field="limit")
    return int(text)


def start_after(request: Request, query: str, selection: Selection) -> tuple[str, ...]:
    """The place that the cursor names, empty without one; BadRequest if it is not one that this query has given.

    Everyone can make a cursor, so it is also looked whether a row of the selection can stand there.
    """
    if "cursor" not in request.query:
        return ()
    place = decode_cursor(query, request.query["cursor"])
    if not _is_place(place, selection):
        raise _refusal()
    return place


def page_response(request: Request, document: Mapping[str, Any], query: str, page: Page[Any]) -> Response:
    """The page, and in the body and as a link how to go on."""
    if not page.last:
        return as_json(document)
    cursor = encode_cursor(query, page.last)
    path, _, _ = query.partition("?")
    link = f"{request.base_url}{path}?{urlencode({**request.query, 'cursor': cursor})}"
    return as_json({**document, "cursor": cursor}, headers={"Link": f'<{link}>; rel="next"'})


def encode_cursor(query: str, last: tuple[str, ...]) -> str:
    """The cursor of this query behind this place."""
    place = "\n".join(last).encode()
    check = sha256(query.encode() + b"\n" + place).digest()[:CHECK]
    return urlsafe_b64encode(check + place).decode().rstrip("=")


def decode_cursor(query: str, text: str) -> tuple[str, ...]:
    """The place that a cursor of this query is behind; BadRequest for any other text."""
    try:
        content = urlsafe_b64decode(text + "==") if CURSOR.fullmatch(text) else b""
        last = tuple(content[CHECK:].decode().split("\n"))
    except ValueError as error:
        raise _refusal() from error
    if encode_cursor(query, last) != text:
        raise _refusal()
    return last


def is_filename(text: str) -> bool:
    """Whether a file name, or the beginning of one, can be this."""
    return 0 < len(text) <= images.FILENAME_MAX and text.isprintable()


def _refusal() -> BadRequest:
    return BadRequest(
        "cursor is not one of this query; take it from the page before, or leave it out to begin.", field="cursor"
    )


def _is_place(place: Sequence[str], selection: Selection) -> bool:
    *others, name = place
    if len(others) != len(selection.order) - 1 or not (images.NAME.fullmatch(name) or images.LABEL.fullmatch(name)):
        return False
    return all(other.startswith(selection.prefix) and is_filename(other) for other in others)
