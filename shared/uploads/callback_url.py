"""Where a callback may be sent: only to public HTTP(S) addresses, in whatever way they are written.

A service that sends requests for others can be made to send them into its own network (server-side request forgery).
`CallbackRules.parse` therefore takes a URL apart strictly, and `CallbackRules.resolve` looks its name up once. The
sender connects to the address that `resolve` returned and to no other, so a name cannot change its meaning in between
(DNS rebinding).
"""

import os
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

from shared.errors import UnprocessableValue

FIELD = "callback_url"
URL_MAX = 2048  # characters
NAME_MAX = 253  # characters of a host name (RFC 1035, without the last dot)

Address = IPv4Address | IPv6Address
GetAddrInfo = Callable[..., list[Any]]  # socket.getaddrinfo, or a stand-in for it

ALLOWED = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]*")  # RFC 3986, 2: no spaces, controls, backslashes
PARTS = re.compile(r"(?P<scheme>[^:/?#]+)://(?P<authority>[^/?#]*)(?P<target>[^#]*)(?P<fragment>#.*)?")
AUTHORITY = re.compile(r"(\[(?P<literal>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9.-]+))(:(?P<port>[0-9]{1,5}))?")
NAME_PART = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
PORTS = {"http": 80, "https": 443}

# `is_global` is not enough, and it differs between versions of Python. It includes multicast addresses and, in some
# versions, all of 192.0.0.0/24. Of IPv6 it includes whatever is not listed as special: site-local addresses, and
# addresses that carry one of IPv4, which the network may deliver there: mapped (::ffff:0:0/96), compatible (::/96),
# translated (64:ff9b::/96 and 64:ff9b:1::/48), 6to4 (2002::/16). Of IPv6 only 2000::/3 is therefore taken, which is all
# that is assigned as global unicast (IANA, IPv6 Global Unicast Address Assignments), without the blocks in it that
# serve protocols. An address that carries one of IPv4 is always refused: such a receiver can be named by the IPv4
# address itself.
SPECIAL_4 = (IPv4Network("192.0.0.0/24"), IPv4Network("192.88.99.0/24"))  # protocols; relays of 6to4
GLOBAL_6 = IPv6Network("2000::/3")
SPECIAL_6 = (
    IPv6Network("2001::/23"),  # protocols, among them Teredo
    IPv6Network("2001:db8::/32"),  # documentation
    IPv6Network("2002::/16"),  # 6to4
    IPv6Network("3fff::/20"),  # documentation
)


class RefusedAddress(UnprocessableValue):
    """A URL that no callback is sent to; the message says why."""

    def __init__(self, why: str) -> None:
        super().__init__(f"{FIELD} {why}", field=FIELD)


@dataclass(frozen=True, slots=True)
class Receiver:
    """A URL taken apart: what to connect to, and what to request there."""

    scheme: str
    host: str  # a name in lower case, or a literal address, without brackets
    port: int
    target: str  # path and query
    literal: Address | None  # the address that the host is, None if it is a name

    @property
    def authority(self) -> str:
        """The value of the Host header."""
        host = f"[{self.host}]" if isinstance(self.literal, IPv6Address) else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def kind(self) -> str:
        """The only part of the URL that goes into the log."""
        return f"{self.scheme} {f'IPv{self.literal.version}' if self.literal else 'name'}"


@dataclass(frozen=True, slots=True)
class CallbackRules:
    """Where callbacks may go besides public addresses by HTTPS."""

    allow_http: bool = False
    allow_loopback: bool = False  # of the machine that sends; for `make run` and tests

    @classmethod
    def of_environment(cls) -> "CallbackRules":
        """Read the rules from the variables that the template's parameters fill."""
        allow_http = os.environ.get("CALLBACK_ALLOW_HTTP") == "true"
        return cls(allow_http, os.environ.get("CALLBACK_ALLOW_LOOPBACK") == "true")

    def parse(self, url: str) -> Receiver:
        """Return the receiver of an absolute URL.

        Raise RefusedAddress if the URL cannot be read in exactly one way, or if its scheme, its name or the literal
        address in it is not allowed.
        """
        parts = _parts(url)
        scheme = parts["scheme"].lower()
        self._check_scheme(scheme)
        authority = _authority(parts["authority"])
        host, literal = _host(authority)
        if literal:
            self._check_address(literal)
        else:
            self._check_name(host)
        target = parts["target"] if parts["target"].startswith("/") else "/" + parts["target"]
        return Receiver(scheme, host, _port(authority["port"], scheme), target, literal)

    def resolve(self, receiver: Receiver, getaddrinfo: GetAddrInfo = socket.getaddrinfo) -> str:
        """Return the one address to connect to.

        Raise OSError if the name has no address, and RefusedAddress if any of its addresses is not allowed.
        """
        if receiver.literal:
            return receiver.host
        answers = getaddrinfo(receiver.host, receiver.port, type=socket.SOCK_STREAM)
        addresses = [ip_address(place[0]) for *_, place in answers]
        for address in addresses:
            self._check_address(address)
        if not addresses:
            raise OSError("the name has no address")
        return str(addresses[0])

    def _check_scheme(self, scheme: str) -> None:
        if scheme not in PORTS or (scheme == "http" and not self.allow_http):
            raise RefusedAddress(f"must begin with https://{' or http://' if self.allow_http else ''}.")

    def _check_address(self, address: Address) -> None:
        if not is_public(address) and not (self.allow_loopback and _is_loopback(address)):
            raise RefusedAddress("names an address that is not public; callbacks go only to the public Internet.")

    def _check_name(self, name: str) -> None:
        labels = name.split(".")
        if len(name) > NAME_MAX or not all(NAME_PART.fullmatch(label) for label in labels):
            raise RefusedAddress("has a host name that breaks the rules for host names (RFC 1123).")
        if (len(labels) == 1 or labels[-1] == "localhost") and not (self.allow_loopback and name == "localhost"):
            raise RefusedAddress("has a host name that is not one of the public Internet.")


def is_public(address: Address) -> bool:
    """Return whether this is a unicast address of the Internet that carries no other address."""
    if isinstance(address, IPv6Address):
        return address in GLOBAL_6 and not any(address in network for network in SPECIAL_6)
    return address.is_global and not address.is_multicast and not any(address in network for network in SPECIAL_4)


def _is_loopback(address: Address) -> bool:
    """Return whether the address itself is a loopback address. Python 3.13 also says so of mapped ones."""
    return address.is_loopback and not (isinstance(address, IPv6Address) and address.ipv4_mapped)


def _parts(url: str) -> re.Match[str]:
    if len(url) > URL_MAX:
        raise RefusedAddress(f"has {len(url)} characters; at most {URL_MAX} are allowed.")
    found = PARTS.fullmatch(url) if ALLOWED.fullmatch(url) else None
    if not found:
        raise RefusedAddress("is not a URL such as https://example.com/done; percent-encode all but ASCII.")
    if "@" in found["authority"]:
        raise RefusedAddress("has a user name or password; leave it out and check the callback's signature instead.")
    if found["fragment"]:
        raise RefusedAddress("has a fragment (#), which is never sent; leave it out.")
    return found


def _authority(text: str) -> re.Match[str]:
    found = AUTHORITY.fullmatch(text)
    if not found:
        raise RefusedAddress("has a host that cannot be read; write a name outside ASCII as xn--… (IDNA).")
    return found


def _host(authority: re.Match[str]) -> tuple[str, Address | None]:
    """Return the host in lower case and, if it is a literal address, that address."""
    name = (authority["name"] or "").lower()
    if name and not NUMBER.fullmatch(name.rpartition(".")[2]):
        return name, None
    # A host that ends in a number is an address (URL Standard, 3.5). Resolvers also take 127.1, 0x7f000001 and
    # 0177.0.0.1 for addresses. Here an IPv4 address has four decimal numbers.
    try:
        literal = IPv4Address(name) if name else IPv6Address(authority["literal"])
    except ValueError:
        raise RefusedAddress("has an address that is not written like 192.0.2.1 or [2001:db8::1].") from None
    return str(literal), literal


def _port(text: str | None, scheme: str) -> int:
    port = PORTS[scheme] if text is None else int(text)
    if not 1 <= port <= 65535:
        raise RefusedAddress("has a port that is not from 1 to 65535.")
    return port
