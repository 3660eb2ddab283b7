"""JSON documents over HTTP, read within a wall time, also if the other side drips, is silent, or sends without end."""

import json
import socket
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from http import HTTPStatus
from http.client import HTTPConnection, HTTPSConnection
from threading import Thread
from typing import Any, TypeVar
from urllib.parse import urlsplit

T = TypeVar("T")

DOCUMENT_MAX = 200_000  # bytes


def within(seconds: float, work: Callable[[Callable[[str], Any]], T]) -> T:
    """Return what `work` returns; it gets the function that fetches the document at a URL.

    Raise what it raises, and TimeoutError once it has taken so many seconds. It runs in a thread of its own, because
    neither the look-up of a host name nor the read of a dripping answer has a time limit. A thread that is given up
    ends soon, because its connection is shut; in a look-up or a TLS handshake, it ends when that does, and reads no
    document.
    """
    reader, result = _Reader(seconds), Future[T]()

    def run() -> None:
        try:
            result.set_result(work(reader.document))
        except Exception as error:
            result.set_exception(error)

    Thread(target=run, daemon=True).start()
    try:
        return result.result(timeout=seconds)
    finally:
        reader.give_up()


class _Reader:
    """What reads documents, one after another, until it is given up. Each single wait ends after `timeout` seconds."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._connection: HTTPConnection | None = None
        self._given_up = False

    def document(self, url: str) -> Any:
        """Fetch the JSON document at this http or https URL. Follow no redirect, and use no proxy.

        Raise any kind of exception for an answer other than 200 with at most DOCUMENT_MAX bytes of JSON.
        """
        target = urlsplit(url)
        kind = HTTPSConnection if target.scheme == "https" else HTTPConnection
        self._connection = connection = kind(target.hostname or "", target.port, timeout=self._timeout)
        try:
            connection.connect()
            if self._given_up:
                raise TimeoutError
            path = target.path or "/"
            connection.request("GET", f"{path}?{target.query}" if target.query else path)
            answer = connection.getresponse()
            content = answer.read(DOCUMENT_MAX + 1)
            if answer.status != HTTPStatus.OK or len(content) > DOCUMENT_MAX:
                raise ValueError(f"{url} answers {answer.status} with {len(content)} bytes")
            return json.loads(content)
        finally:
            connection.close()

    def give_up(self) -> None:
        """Let the read under way fail now, and later ones before they begin."""
        self._given_up = True
        sock = self._connection and self._connection.sock
        if sock:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
