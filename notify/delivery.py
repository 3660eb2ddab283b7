"""One attempt to deliver a callback: a signed POST to one address, in a bounded time; how it ended.

The connection is made here, to the address that was checked, with the host's name for TLS and in the Host header.  Over
it goes the HTTP of the standard library, which follows no redirects and asks no proxy of the environment.
"""

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from threading import Timer

import certifi

import signature
from shared.uploads.callback_url import CallbackRules, GetAddrInfo, Receiver, RefusedAddress
from shared.uploads.callbacks import Callback

TIMEOUT = 5.0  # seconds from the name's resolution to the end of the answer's head
ANSWER_MAX = 65_536  # bytes of an answer's body that are read, and forgotten: a receiver may be writing


class Outcome(Enum):
    """How an attempt ended."""

    DELIVERED = "delivered"
    REJECTED = "rejected"  # a status that is not 2xx; redirects are not followed
    GONE = "gone"  # 410: the receiver wants no more of it
    REFUSED = "address refused"  # by us, as it is written
    NOT_PUBLIC = "address not public"  # that the name has just now
    UNRESOLVED = "name not resolved"
    UNREACHABLE = "unreachable"  # no connection, or one that broke, or no HTTP on it
    UNTRUSTED = "certificate not trusted"
    TIMED_OUT = "timed out"
    UNSIGNED = "no key to sign with"
    MALFORMED = "malformed"  # the message, not the answer
    FAILED = "failed"  # a bug of ours

    @property
    def is_final(self) -> bool:
        """Whether nothing is sent again: it is delivered, or never will be."""
        return self in (Outcome.DELIVERED, Outcome.GONE, Outcome.REFUSED)  # not NOT_PUBLIC: names may be mended


@dataclass(frozen=True, slots=True)
class Attempt:
    """How it ended, the status if there was an answer, and what kind of address it went to, if it could be read."""

    outcome: Outcome
    status: int | None = None
    kind: str = "-"


@dataclass(frozen=True, slots=True)
class DeliveryLimits:
    """Seconds that an attempt may take, and where it may go."""

    seconds: float = TIMEOUT
    rules: CallbackRules = field(default_factory=CallbackRules)


def deliver(
    callback: Callback, key: bytes, limits: DeliveryLimits, *, getaddrinfo: GetAddrInfo = socket.getaddrinfo
) -> Attempt:
    """Send the callback once."""
    until = time.monotonic() + limits.seconds
    kind = "-"
    try:
        receiver = limits.rules.parse(callback.url)
    except RefusedAddress:
        return Attempt(Outcome.REFUSED, None, kind)
    kind = receiver.kind
    try:
        address = limits.rules.resolve(receiver, getaddrinfo)
        status = _post(callback, key, receiver, address, until)
    except RefusedAddress:
        return Attempt(Outcome.NOT_PUBLIC, None, kind)
    except (OSError, HTTPException) as error:
        return Attempt(_outcome_of(error, until), None, kind)
    if 200 <= status < 300:
        return Attempt(Outcome.DELIVERED, status, kind)
    return Attempt(Outcome.GONE if status == HTTPStatus.GONE else Outcome.REJECTED, status, kind)


@cache
def trust(*, insecure: bool) -> ssl.SSLContext:
    """The public certificate authorities, or none, and then any certificate does.

    They are certifi's: botocore's bundle has Amazon's roots alone (tools/bundle/botocore_data.py).
    """
    context = ssl.create_default_context(cafile=certifi.where())
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _post(callback: Callback, key: bytes, receiver: Receiver, address: str, until: float) -> int:
    """The status of the answer."""
    body = callback.payload.encode()
    headers = {
        "Host": receiver.authority,
        "Content-Type": "application/json",
        "User-Agent": "petAPI",
        "Connection": "close",
        **signature.headers(callback.id, int(time.time()), body, key),
    }
    with ExitStack() as stack:
        connection = HTTPConnection(address, receiver.port)
        connection.sock = sock = stack.enter_context(socket.create_connection((address, receiver.port), _left(until)))
        if receiver.scheme == "https":
            sock.settimeout(_left(until))
            context = trust(insecure=callback.insecure)
            connection.sock = sock = stack.enter_context(context.wrap_socket(sock, server_hostname=receiver.host))
        stack.enter_context(_cut_off(sock, until))
        connection.request("POST", receiver.target, body, headers)
        response = stack.enter_context(connection.getresponse())
        _left(until)  # a head that was cut off looks like a whole one
        with suppress(OSError, HTTPException):  # the status is known
            response.read(ANSWER_MAX)
        return response.status


@contextmanager
def _cut_off(sock: socket.socket, until: float) -> Iterator[None]:
    """In here, the connection ends when the time is up: a socket's own time-out begins anew with each byte."""
    timer = Timer(_left(until), _shut, [sock])
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _shut(sock: socket.socket) -> None:
    with suppress(OSError):  # it has been closed just now
        socket.socket.shutdown(sock, socket.SHUT_RDWR)  # TLS's own would change what the other thread is reading from


def _left(until: float) -> float:
    """Seconds left; TimeoutError if there are none."""
    seconds = until - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


def _outcome_of(error: Exception, until: float) -> Outcome:
    """What the error means; whatever ends with the time was cut off."""
    if isinstance(error, TimeoutError) or time.monotonic() >= until:
        return Outcome.TIMED_OUT
    if isinstance(error, socket.gaierror):
        return Outcome.UNRESOLVED
    return Outcome.UNTRUSTED if isinstance(error, ssl.SSLCertVerificationError) else Outcome.UNREACHABLE
