"""Receivers of callbacks: real servers on 127.0.0.1, by HTTPS with self-signed certificates or by HTTP."""

import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

NAME = "receiver.test"

Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Received:
    """A request that a receiver got."""

    path: str
    headers: dict[str, str]
    body: str


@dataclass
class Server:
    """A running receiver, and the requests that it got."""

    port: int
    scheme: str
    received: list[Received] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}/done"


def status(code: int, **headers: str) -> Answer:
    """Answer with this status and no body."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


def drip(pieces: Iterable[bytes], pause: float) -> Answer:
    """Answer with these pieces, with a pause after each, until the client closes the connection."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        with suppress(OSError):
            for piece in pieces:
                handler.wfile.write(piece)
                handler.wfile.flush()
                time.sleep(pause)

    return answer


def certificate(folder: Path) -> Path:
    """Make a self-signed certificate of NAME and 127.0.0.1. Return one PEM file with it and its key."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    names = [x509.DNSName(NAME), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "certificate.pem"
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


@contextmanager
def dripping_handshake(pause: float, *, pieces: int) -> Iterator[tuple[int, Event]]:
    """Run a server that sends a TLS handshake byte by byte. Return its port, and an event that is set at the end."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        ended, at_its_end = Event(), Event()

        def serve() -> None:
            connection, _ = server.accept()
            with connection, suppress(OSError):
                connection.sendall(b"\x16\x03\x03\x40\x00")  # a record of 16 KB
                for _ in range(pieces):
                    if ended.wait(pause):
                        return
                    connection.sendall(b"\x02")
                at_its_end.set()

        thread = Thread(target=serve)
        thread.start()
        yield server.getsockname()[1], at_its_end
        ended.set()
        thread.join()


@contextmanager
def serving(*answers: Answer, pem: Path | None = None) -> Iterator[Server]:
    """Run a receiver that gives these answers in turn, then the last one for ever. With a certificate it is HTTPS."""
    waiting = list(answers) or [status(200)]
    received: list[Received] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            received.append(Received(self.path, dict(self.headers), body))
            (waiting.pop(0) if len(waiting) > 1 else waiting[0])(self)

        do_GET = do_POST

        def log_message(self, *_: object) -> None: ...

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None: ...  # a client that does not trust us, or has closed the connection

    server = Quiet(("127.0.0.1", 0), Handler)
    if pem:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(pem)
        # The handshake belongs in the thread of the connection, not in the one that accepts connections.
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield Server(server.server_port, "https" if pem else "http", received)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Resolver:
    """A resolver of names that answers with these addresses, and later with others."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers, self.asked = list(answers), 0

    def __call__(self, host: str, port: int, **_: Any) -> list[Any]:
        self.asked += 1
        found = [(6 if ":" in a else 2, 1, 6, "", (a, port)) for a in self.answers.pop(0)]
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return found
