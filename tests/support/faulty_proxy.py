"""A proxy in front of a petAPI that refuses and drops some requests, and remembers the pictures that came through it.

with FaultyProxy(service.url) as proxy:
    proxy.busy_every = 7
    client_of(proxy.url)
"""

import threading
from collections import Counter
from collections.abc import Mapping
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from tests.support.local_service import Answer, send

GATE_MAX = 300.0  # seconds
NOT_PASSED_ON = ("connection", "keep-alive", "transfer-encoding", "content-length", "host", "date", "server")


class FaultyProxy:
    """Passes requests on to the service at a URL, from a port of its own.

    Every `busy_every`th upload is answered with 429 and not passed on; of every `drop_every`th, the answer is dropped
    after the service has done its work.  `uploads` counts the files that came, by their SHA-256.  `reached` is set once
    the service has answered for `reach` different ones, and the next uploads wait until `gate` is set, as it is at
    first.  `seen` has method, path and Authorization of each request.
    """

    def __init__(self, url: str) -> None:
        self._host = urlsplit(url).netloc
        self.busy_every = self.drop_every = 0
        self.uploads: Counter[str] = Counter()
        self._answered: set[str] = set()
        self.seen: list[tuple[str, str, str]] = []
        self.reached, self.reach = threading.Event(), 0
        self.gate = threading.Event()
        self.gate.set()
        self._number, self._lock, self._closed = 0, threading.Lock(), False
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed = True
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        """Where the proxy is."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def answer(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer | None:
        """Return the answer to a request; None if the connection is to be dropped."""
        if self._closed:
            return None
        is_upload = method == "POST" and path in ("/upload", "/uploads")
        with self._lock:
            self.seen.append((method, path, headers.get("Authorization", "")))
            self._number += is_upload
            number = self._number if is_upload else 0
        if number and self.busy_every and number % self.busy_every == 0:
            return Answer(429, {"Retry-After": "1", "Content-Type": "application/problem+json"}, b'{"detail": "Busy."}')
        digest = sha256(content_of(body)).hexdigest() if is_upload else ""
        if is_upload:
            with self._lock:
                self.uploads[digest] += 1
        if is_upload and self.reached.is_set():
            self.gate.wait(GATE_MAX)
        passed = {name: value for name, value in headers.items() if name.lower() not in NOT_PASSED_ON}
        answer = send(self._host, method, path, body, passed)
        if is_upload:
            with self._lock:
                self._answered.add(digest)
                if len(self._answered) == self.reach:
                    self.reached.set()
        return None if number and self.drop_every and number % self.drop_every == 0 else answer

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # so that head and body are sent together

            def _pass_on(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                answer = proxy.answer(self.command, self.path, body, dict(self.headers))
                if answer is None:
                    self.close_connection = True
                    return
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    if name.lower() not in NOT_PASSED_ON:
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            do_GET = do_POST = do_PATCH = do_DELETE = _pass_on

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


def content_of(form: bytes) -> bytes:
    """Return the last part of a form, which is the file; any other body as it is."""
    if not form.startswith(b"--"):
        return form
    boundary = form.partition(b"\r\n")[0]
    *_, last, _ = form.split(b"\r\n" + boundary)
    return last.partition(b"\r\n\r\n")[2]
