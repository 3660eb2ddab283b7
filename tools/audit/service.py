"""A petAPI somewhere, asked over HTTP for a label's law and for draws."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import quote, urlsplit

from shared.images import UNITS

BUSY = (429, 503)
ATTEMPTS = 60  # of one request, while the service is busy
TIMEOUT = 30.0  # seconds
SLEEP = time.sleep


class AuditImpossible(Exception):
    """The service cannot be audited; says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Law:
    """Image id -> weight, in units."""

    weights: dict[str, int]

    @property
    def total_weight(self) -> int:
        """All weights added up."""
        return sum(self.weights.values())


class Service:
    """The petAPI at this URL, which may have a path, such as a stage."""

    def __init__(self, url: str) -> None:
        target = urlsplit(url)
        if target.scheme not in ("http", "https") or not target.netloc:
            raise AuditImpossible(f"{url} is not the URL of a petAPI; name one: make audit URL=http://127.0.0.1:3000")
        connect = HTTPSConnection if target.scheme == "https" else HTTPConnection
        self._connection, self._prefix = connect(target.netloc, timeout=TIMEOUT), target.path.rstrip("/")

    def law(self, label: str) -> Law:
        """The weights of all images of the label; AuditImpossible if there are none, or if they change meanwhile."""
        pages = list(self._pages(f"/labels/{quote(label)}?limit=100"))
        law = Law({image["id"]: round(image["weight"] * UNITS) for page in pages for image in page["images"]})
        told = {(page["count"], round(page["totalWeight"] * UNITS)) for page in pages}
        if told != {(len(law.weights), law.total_weight)}:
            raise AuditImpossible(f"The images of {label} change just now; audit it again when nobody writes.")
        return law

    def draws(self, label: str, count: int) -> Iterator[tuple[str, float]]:
        """Id and told probability of so many random images."""
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
        """The JSON of an answer; what is busy is waited for as long as it says."""
        for _ in range(ATTEMPTS):
            try:
                self._connection.request("GET", self._prefix + path, headers={"Accept": "application/json"})
                response = self._connection.getresponse()
                body = response.read()
            except (HTTPException, ConnectionResetError, BrokenPipeError):  # an idle connection ends
                self._connection.close()
                continue
            except OSError as error:
                raise AuditImpossible(f"{self._connection.host} cannot be reached ({error}); is it running?") from error
            if response.status in BUSY:
                SLEEP(float(response.getheader("Retry-After") or 1))
                continue
            return _document(path, response.status, body)
        raise AuditImpossible(f"The service stayed busy for {ATTEMPTS} tries of {path}; audit it later.")


def _document(path: str, status: int, body: bytes) -> Any:
    try:
        document = json.loads(body)
    except ValueError as error:
        raise AuditImpossible(f"{path} answers {status} and no JSON; is that a petAPI?") from error
    if status != 200:
        raise AuditImpossible(f"{path} answers {status}: {document.get('detail', '')}")
    return document
