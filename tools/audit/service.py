"""A petAPI at a URL: its law for a label, and its draws, over HTTP."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import quote, urlsplit

from shared.images import UNITS

BUSY = (429, 503)
ATTEMPTS = 60  # for one request, while the service is busy
TIMEOUT = 30.0  # seconds
SLEEP = time.sleep


class AuditImpossible(Exception):
    """The service cannot be audited.  The message gives the reason and the next step."""


@dataclass(frozen=True, slots=True)
class Law:
    """The stated law of a label: image id -> weight in units."""

    weights: dict[str, int]

    @property
    def total_weight(self) -> int:
        """The sum of all weights."""
        return sum(self.weights.values())


class Service:
    """A petAPI at this URL, which may have a path, such as a stage."""

    def __init__(self, url: str) -> None:
        target = urlsplit(url)
        if target.scheme not in ("http", "https") or not target.netloc:
            raise AuditImpossible(f"{url} is not the URL of a petAPI; name one: make audit URL=http://127.0.0.1:3000")
        connect = HTTPSConnection if target.scheme == "https" else HTTPConnection
        self._connection, self._prefix = connect(target.netloc, timeout=TIMEOUT), target.path.rstrip("/")

    def law(self, label: str) -> Law:
        """Read the weights of the label's images.  Raise AuditImpossible if there are none or they change meanwhile."""
        pages = list(self._pages(f"/labels/{quote(label)}?limit=100"))
        law = Law({image["id"]: round(image["weight"] * UNITS) for page in pages for image in page["images"]})
        stated = {(page["count"], round(page["totalWeight"] * UNITS)) for page in pages}
        if stated != {(len(law.weights), law.total_weight)}:
            raise AuditImpossible(
                f"The images of {label} changed while they were read; repeat the audit while there are no writes."
            )
        return law

    def draws(self, label: str, count: int) -> Iterator[tuple[str, float]]:
        """Yield the id and the stated probability of `count` random images."""
        for _ in range(count):
            image = self._get(f"/random?label={quote(label)}&format=json")
            yield image["id"], image["probability"]

    def _pages(self, path: str) -> Iterator[Any]:
        page = self._get(path)
        yield page
        while "cursor" in page:
            page = self._get(f"{path}&cursor={page['cursor']}")
            yield page

    def _get(self, path: str) -> Any:
        """Return the JSON of a response.  While the service is busy, wait as long as its Retry-After says."""
        for _ in range(ATTEMPTS):
            try:
                self._connection.request("GET", self._prefix + path, headers={"Accept": "application/json"})
                response = self._connection.getresponse()
                body = response.read()
            except (HTTPException, ConnectionResetError, BrokenPipeError):  # the server closed an idle connection
                self._connection.close()
                continue
            except OSError as error:
                raise AuditImpossible(
                    f"{self._connection.host} cannot be reached ({error}); start it, or check the URL."
                ) from error
            if response.status in BUSY:
                SLEEP(float(response.getheader("Retry-After") or 1))
                continue
            return _document(path, response.status, body)
        raise AuditImpossible(f"The service was busy {ATTEMPTS} times for {path}; repeat the audit later.")


def _document(path: str, status: int, body: bytes) -> Any:
    try:
        document = json.loads(body)
    except ValueError as error:
        raise AuditImpossible(
            f"{path} returned {status} without JSON; check that the URL is that of a petAPI."
        ) from error
    if status != 200:
        step = " Name a label that has images: make audit LABEL=boat" if status == HTTPStatus.NOT_FOUND else ""
        raise AuditImpossible(f"{path} returned {status}: {document.get('detail', '')}{step}")
    return document
