"""Where a callback may be sent: public HTTP(S) addresses alone, however they are written and whatever a name means.

Who sends what others ask for could be sent to the network that it is in (server-side request forgery).  So `parse`
takes an address apart, strictly, and `resolve` looks its name up once; who connects then connects to what that gave and
to nothing else, so that a name cannot mean something else a moment later (DNS rebinding).
"""

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
GetAddrInfo = Callable[..., list[Any]]  # socket.getaddrinfo, or what stands for it

ALLOWED = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]*")  # RFC 3986, 2: no spaces, controls, backslashes
PARTS = re.compile(r"(?P<scheme>[^:/?#]+)://(?P<authority>[^/?#]*)(?P<target>[^#]*)(?P<fragment>#.*)?")
AUTHORITY = re.compile(r"(\[(?P<literal>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9.-]+))(:(?P<port>[0-9]{1,5}))?")
LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
PORTS = {"http": 80, "https": 443}

# `is_global` is not enough, and differs between versions of Python.  It holds of multicast, in some versions of all of
# 192.0.0.0/24, and of version 6 whatever is not listed as special: site-local addresses, and those that carry one of
# version 4, which the network may deliver there: mapped (::ffff:0:0/96), compatible (::/96), translated (64:ff9b::/96
# and 64:ff9b:1::/48), 6to4 (2002::/16).  So of version 6 only 2000::/3 is taken, all that is assigned as global unicast
# (IANA, IPv6 Global Unicast Address Assignments), without the blocks in it that serve protocols.  An address that
# carries one of version 4 is refused whichever that is: a receiver that has that one can be reached at it directly.
SPECIAL_4 = (IPv4Network("192.0.0.0/24"), IPv4Network("192.88.99.0/24"))  # protocols; relays of 6to4
GLOBAL_6 = IPv6Network("2000::/3")
SPECIAL_6 = (
    IPv6Network("2001::/23"),  # protocols, Teredo among them
    IPv6Network("2001:db8::/32"),  # documentation
    IPv6Network("2002::/16"),  # 6to4
    IPv6Network("3fff::/20"),  # documentation
)


class RefusedAddress(UnprocessableValue):
    """No callback is sent there; says why."""

    def __init__(self, why: str) -> None:
        super().__init__(f"{FIELD} {why}", field=FIELD)


@dataclass(frozen=True, slots=True)
class Receiver:
    """An address taken apart: what to connect to, and what to ask for there."""

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
        """What the log may tell of it."""
        return f"{self.scheme} {f'IPv{self.literal.version}' if self.literal else 'name'}"


def parse(url: str, *, allow_http: bool, allow_loopback: bool) -> Receiver:
    """The receiver that an absolute URL names; RefusedAddress if its form, or a literal address in it, is not taken."""
    if len(url) > URL_MAX:
        raise RefusedAddress(f"has {len(url)} characters; at most {URL_MAX} are taken.")
    found = PARTS.fullmatch(url) if ALLOWED.fullmatch(url) else None
    if not found:
        raise RefusedAddress("is not a URL such as https://example.com/done; percent-encode all but ASCII.")
    scheme = found["scheme"].lower()
    if scheme not in PORTS or (scheme == "http" and not allow_http):
        raise RefusedAddress("has to begin with https:// " + ("or http://." if allow_http else "here."))
    if "@" in found["authority"]:
        raise RefusedAddress("has a user name or password; the callback's signature tells who sent it.")
    if found["fragment"]:
        raise RefusedAddress("has a fragment (#), which is never sent; leave it out.")
    authority = AUTHORITY.fullmatch(found["authority"])
    if not authority:
        raise RefusedAddress("names no host that can be read; write others than ASCII names as xn--… (IDNA).")
    target = found["target"] if found["target"].startswith("/") else "/" + found["target"]
    host, literal = _host(authority, allow_loopback=allow_loopback)
    return Receiver(scheme, host, _port(authority["port"], scheme), target, literal)


def resolve(receiver: Receiver, getaddrinfo: GetAddrInfo = socket.getaddrinfo, *, allow_loopback: bool) -> str:
    """The one address to connect to; OSError if the name has none, RefusedAddress if any that it has is not public."""
    if receiver.literal:
        return receiver.host
    answers = getaddrinfo(receiver.host, receiver.port, type=socket.SOCK_STREAM)
    addresses = [ip_address(place[0]) for *_, place in answers]
    for address in addresses:
        _check(address, allow_loopback=allow_loopback)
    if not addresses:
        raise OSError("the name has no address")
    return str(addresses[0])


def is_public(address: Address) -> bool:
    """Whether it is a unicast address of the Internet, and carries no other address."""
    if isinstance(address, IPv6Address):
        return address in GLOBAL_6 and not any(address in network for network in SPECIAL_6)
    return address.is_global and not address.is_multicast and not any(address in network for network in SPECIAL_4)


def _check(address: Address, *, allow_loopback: bool) -> None:
    if not is_public(address) and not (allow_loopback and _is_loopback(address)):
        raise RefusedAddress("names an address that is not public; callbacks go to the Internet alone.")


def _is_loopback(address: Address) -> bool:
    """Whether it is one as it stands: Python 3.13 says so of mapped ones, too."""
    return address.is_loopback and not (isinstance(address, IPv6Address) and address.ipv4_mapped)


def _host(authority: re.Match[str], *, allow_loopback: bool) -> tuple[str, Address | None]:
    """The host and, if it is a literal address, that."""
    name = (authority["name"] or "").lower()
    if name and not NUMBER.fullmatch(name.rpartition(".")[2]):
        return _name(name, allow_loopback=allow_loopback), None
    # A host that ends in a number is an address (URL Standard, 3.5).  Resolvers take 127.1, 0x7f000001 and 0177.0.0.1
    # for one, too; here it has four decimal numbers.
    try:
        literal = IPv4Address(name) if name else IPv6Address(authority["literal"])
    except ValueError:
        raise RefusedAddress("has an address that is not written as 192.0.2.1 or [2001:db8::1] is.") from None
    _check(literal, allow_loopback=allow_loopback)
    return str(literal), literal


def _name(name: str, *, allow_loopback: bool) -> str:
    labels = name.split(".")
    if len(name) > NAME_MAX or not all(LABEL.fullmatch(label) for label in labels):
        raise RefusedAddress("has a host name that does not follow the rules of names (RFC 1123).")
    if (len(labels) == 1 or labels[-1] == "localhost") and not (allow_loopback and name == "localhost"):
        raise RefusedAddress("has a host name that is not one of the Internet.")
    return name


def _port(text: str | None, scheme: str) -> int:
    port = PORTS[scheme] if text is None else int(text)
    if not 1 <= port <= 65535:
        raise RefusedAddress("has a port that is not from 1 to 65535.")
    return port
