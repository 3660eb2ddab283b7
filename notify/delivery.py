"""One attempt to deliver a callback: a signed POST to one address in a bounded time, and its outcome.

This module makes the connection itself, to the address that was checked, with the host's name for TLS and in the Host
header. The standard library's HTTP goes over it. That follows no redirects and uses no proxy of the environment.
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
from http.client import HTTPConnection, HTTPException, HTTPResponse
from threading import Timer

import certifi

import signature
from shared.uploads.callback_url import CallbackRules, GetAddrInfo, Receiver, RefusedAddress
from shared.uploads.callbacks import Callback

TIMEOUT = 5.0  # seconds from looking up the name to the end of the response's headers
ANSWER_MAX = 65_536  # bytes of the response's body that are read and ignored, for receivers that still write it


class Outcome(Enum):
    """How an attempt ended."""

    DELIVERED = "delivered"
    REJECTED = "rejected"  # a status that is not 2xx; redirects count as such
    GONE = "gone"  # 410: the receiver wants no further attempt
    REFUSED = "address refused"  # by our rules for the URL
    NOT_PUBLIC = "address not public"  # of the name, at this moment
    UNRESOLVED = "name not resolved"
    UNREACHABLE = "unreachable"  # no connection, a connection that broke, or an answer that is not HTTP
    UNTRUSTED = "certificate not trusted"
    TIMED_OUT = "timed out"
    UNSIGNED = "no key to sign with"
    MALFORMED = "malformed"  # the message of the queue
    FAILED = "failed"  # by a bug of ours

    @property
    def is_ours(self) -> bool:
        """Whether we failed, and neither the receiver nor the way to it."""
        return self in (Outcome.UNSIGNED, Outcome.MALFORMED, Outcome.FAILED)

    @property
    def is_final(self) -> bool:
        """Whether no attempt follows: the callback is delivered, or never can be."""
        return self in (Outcome.DELIVERED, Outcome.GONE, Outcome.REFUSED)  # not NOT_PUBLIC: a name may be corrected


@dataclass(frozen=True, slots=True)
class Attempt:
    """The outcome, the status if there was a response, and the kind of the URL (see Receiver) if it could be parsed."""

    outcome: Outcome
    status: int | None = None
    kind: str = "-"


@dataclass(frozen=True, slots=True)
class DeliveryLimits:
    """Seconds that an attempt may take, and where it may go."""

    seconds: float = TIMEOUT
    rules: CallbackRules = field(default_factory=CallbackRules)


def deliver(
    callback: Callback, keys: signature.Keys, limits: DeliveryLimits, *, getaddrinfo: GetAddrInfo = socket.getaddrinfo
) -> Attempt:
    """Send the callback once. Never raise an error of the network: it becomes an outcome."""
    until = time.monotonic() + limits.seconds
    kind = "-"
    try:
        receiver = limits.rules.parse(callback.url)
    except RefusedAddress:
        return Attempt(Outcome.REFUSED, None, kind)
    kind = receiver.kind
    try:
        address = limits.rules.resolve(receiver, getaddrinfo)
        status = _post(callback, keys, receiver, address, until)
    except RefusedAddress:
        return Attempt(Outcome.NOT_PUBLIC, None, kind)
    except (OSError, HTTPException) as error:
        return Attempt(_outcome_of(error, until), None, kind)
    if 200 <= status < 300:
        return Attempt(Outcome.DELIVERED, status, kind)
    return Attempt(Outcome.GONE if status == HTTPStatus.GONE else Outcome.REJECTED, status, kind)


@cache
def trust(*, insecure: bool) -> ssl.SSLContext:
    """Return a context of TLS that trusts the public certificate authorities or, if `insecure`, any certificate.

    The authorities are those of certifi. Botocore's bundle has only Amazon's (tools/bundle/botocore_data.py).
    """
    context = ssl.create_default_context(cafile=certifi.where())
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _post(callback: Callback, keys: signature.Keys, receiver: Receiver, address: str, until: float) -> int:
    """Send the signed request to this address, and return the status of the response."""
    body = callback.payload.encode()
    headers = {
        "Host": receiver.authority,
        "Content-Type": "application/json",
        "User-Agent": "petAPI",
        "Connection": "close",
        **signature.headers(callback.id, int(time.time()), body, keys),
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
        _skip_interim(response)
        _left(until)  # headers that were cut off look complete
        with suppress(OSError, HTTPException):  # the status is known
            response.read(ANSWER_MAX)
        return response.status


def _skip_interim(response: HTTPResponse) -> None:
    """Read on to the final status (RFC 9110, section 15.2): of the interim ones, http.client skips only 100.

    Nothing of HTTP follows 101, which no one asked for.
    """
    while HTTPStatus.SWITCHING_PROTOCOLS < response.status < HTTPStatus.OK:
        response.headers = None  # type: ignore[assignment]  # or it would not read again
        response.begin()


@contextmanager
def _cut_off(sock: socket.socket, until: float) -> Iterator[None]:
    """Shut the connection down when the time is up: a socket's own timeout starts again with each byte."""
    timer = Timer(_left(until), _shut, [sock])
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _shut(sock: socket.socket) -> None:
    with suppress(OSError):  # it is closed already
        socket.socket.shutdown(sock, socket.SHUT_RDWR)  # TLS's own would change what the other thread reads


def _left(until: float) -> float:
    """Return the seconds that are left. Raise TimeoutError if there are none."""
    seconds = until - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


def _outcome_of(error: Exception, until: float) -> Outcome:
    """Return what the error means. Any error after the time is up comes from the cut-off."""
    if isinstance(error, TimeoutError) or time.monotonic() >= until:
        return Outcome.TIMED_OUT
    if isinstance(error, socket.gaierror):
        return Outcome.UNRESOLVED
    return Outcome.UNTRUSTED if isinstance(error, ssl.SSLCertVerificationError) else Outcome.UNREACHABLE
