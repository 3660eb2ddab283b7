"""Cursors: where the next page begins, as a text that only the query it belongs to takes back."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256

from shared.errors import BadRequest

CHECK = 6  # bytes; they notice a cursor of another query or a damaged one, and keep nothing secret
CURSOR = re.compile(r"[A-Za-z0-9_-]{1,2000}")


def write(query: str, last: tuple[str, ...]) -> str:
    """The cursor of this query behind this place."""
    place = "\n".join(last).encode()
    check = sha256(query.encode() + b"\n" + place).digest()[:CHECK]
    return urlsafe_b64encode(check + place).decode().rstrip("=")


def read(query: str, text: str) -> tuple[str, ...]:
    """The place that a cursor of this query is behind; BadRequest for any other text.

    Everyone can make a cursor, so the caller has to look whether there can be such a place.
    """
    try:
        content = urlsafe_b64decode(text + "==") if CURSOR.fullmatch(text) else b""
        last = tuple(content[CHECK:].decode().split("\n"))
    except ValueError as error:
        raise refusal() from error
    if write(query, last) != text:
        raise refusal()
    return last


def refusal() -> BadRequest:
    """The text is no cursor of this query."""
    return BadRequest(
        "cursor is not one of this query; take it from the page before, or leave it out to begin.", field="cursor"
    )
