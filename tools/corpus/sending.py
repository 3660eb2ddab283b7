"""HTTP requests, each on a connection of its own, and forms with a file."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import quote, urljoin, urlsplit
from uuid import uuid4

ANSWER_MAX = 120.0  # seconds for one request
BODY_SHOWN = 200  # bytes of an answer without a detail


class Unreachable(Exception):
    """A service that cannot be reached or started.  The message says what to do next."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for a request."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        """The body as JSON; an empty object if it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return {}

    @property
    def sentence(self) -> str:
        """The detail of a refusal (RFC 9457), or the first bytes of another body."""
        document = self.document
        detail = document.get("detail") if isinstance(document, dict) else None
        return str(detail or self.body[:BODY_SHOWN].decode(errors="replace"))


def request(method: str, url: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
    """Send a request on a connection of its own; a GET follows one redirect.  Raise Unreachable if nothing answers."""
    target = urlsplit(url)
    connect = HTTPSConnection if target.scheme == "https" else HTTPConnection
    connection = connect(target.netloc, timeout=ANSWER_MAX)
    path = f"{target.path or '/'}?{target.query}" if target.query else target.path or "/"
    try:
        connection.request(method, path, body or None, dict(headers or {}))
        response = connection.getresponse()
        answer = Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
    except (HTTPException, OSError) as error:
        raise Unreachable(f"{url} cannot be reached ({error}); start it, or check the URL.") from error
    finally:
        connection.close()
    if method == "GET" and answer.status in (302, 307):
        return request("GET", urljoin(url, answer.headers["location"]))
    return answer


def form(fields: Mapping[str, str], name: str, content: bytes, filename: str) -> tuple[bytes, dict[str, str]]:
    """Return the body and the headers of a form with these fields and, last, a file (RFC 7578)."""
    boundary = uuid4().hex
    texts = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
        for key, value in fields.items()
    )
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{quote(filename)}"\r\n\r\n'
    body = b"".join((texts.encode(), head.encode(), content, f"\r\n--{boundary}--\r\n".encode()))
    return body, {"Content-Type": f"multipart/form-data; boundary={boundary}"}
