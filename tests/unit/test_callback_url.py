"""Callbacks go only to public addresses, in whatever way an address is written and whatever a name resolves to."""

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from shared.uploads.callback_url import CallbackRules, Receiver, RefusedAddress
from tests.support.receivers import Resolver

# Addresses that callbacks must not go to, in the forms that URLs and resolvers know.
REFUSED_HOSTS = [
    *("127.0.0.1", "127.255.255.254", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1"),
    "0.0.0.0",  # noqa: S104 (nothing listens there)
    *("192.0.0.8", "192.0.0.192", "192.0.2.1", "192.88.99.1", "198.18.0.1", "224.0.0.1", "240.0.0.1"),
    *("255.255.255.255", "2130706433", "0x7f000001", "017700000001", "127.1", "127.0.1", "0x7f.0.0.1", "0177.0.0.1"),
    *("127.0.0.1.", "127.0.0.0x1", "127.0.0.01", "1.2.3.4.5", "256.1.1.1", "0", "0x", "8.8.8", "134744072"),
    *("[::]", "[::1]", "[0:0:0:0:0:0:0:1]", "[fe80::1]", "[fe80::1%25eth0]", "[fe80::1%eth0]", "[fec0::1]"),
    *("[fc00::1]", "[fd00:ec2::254]", "[ff02::1]", "[ff0e::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]"),
    *("[::ffff:8.8.8.8]", "[::127.0.0.1]", "[::8.8.8.8]", "[64:ff9b::7f00:1]", "[64:ff9b::8.8.8.8]"),
    *("[64:ff9b:1::1]", "[2002:7f00:1::]", "[2002:808:808::1]", "[2001::1]", "[2001:0:7f00:1::1]", "[2001:db8::1]"),
    *("[3fff::1]", "[100::1]", "[5f00::1]", "[4000::1]", "[127.0.0.1]", "[8.8.8.8]", "[::1", "::1", "[]", "[::1]a"),
    *("localhost", "a.localhost", "LOCALHOST", "localhost.", "metadata", "example.com.", "example..com", "-a.example"),
    *(
        "a_b.example",
        "a" * 64 + ".example",
        ".".join(["a" * 60] * 5),
        "\uff11\uff12\uff17.0.0.1",
        "127\u30020\u30020\u30021",
        "exämple.com",
    ),
]
REFUSED_URLS = [
    *(
        "",
        "/done",
        "//example.com/",
        "example.com",
        "https:example.com",
        "https:/example.com",
        "https://",
        "https:///x",
    ),
    *(
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "javascript:alert(1)",
        "httpss://a.example/",
    ),
    *("https://user@example.com/", "https://user:word@example.com/", "https://127.0.0.1@example.com/"),
    *("https://example.com@127.0.0.1/", "https://example.com\\@127.0.0.1/", "https://example.com/#part"),
    *("https://example.com:0/", "https://example.com:65536/", "https://example.com:/", "https://example.com:99999999/"),
    *(
        "https://example.com:+1/",
        "https://example.com:8 0/",
        "https://example.com:\uff14\uff14\uff13/",
        "https://exa mple.com/",
    ),
    *(" https://example.com/", "https://example.com/\r\nHost: x", "https://exam\tple.com/", "https://example.com/ä"),
    *("https://example.com%2f@127.0.0.1/", "https://127.0.0.1%2eexample.com/", "https://example.com/\x00"),
    "https://example.com/" + "a" * 2048,
]


def parsed(url: str, **flags: bool) -> Receiver:
    return CallbackRules(**flags).parse(url)


@pytest.mark.parametrize("host", REFUSED_HOSTS)
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("port", ["", ":8443"])
def test_a_host_that_is_not_on_the_internet_is_refused(scheme: str, host: str, port: str) -> None:
    with pytest.raises(RefusedAddress, match=r"^callback_url "):
        parsed(f"{scheme}://{host}{port}/done", allow_http=True)


@pytest.mark.parametrize("url", REFUSED_URLS)
def test_a_url_that_can_be_read_in_two_ways_is_refused(url: str) -> None:
    with pytest.raises(RefusedAddress, match=r"^callback_url ") as refusal:
        parsed(url, allow_http=True, allow_loopback=True)
    assert refusal.value.status == 422
    assert refusal.value.field == "callback_url"


@pytest.mark.parametrize(
    ("url", "receiver", "authority"),
    [
        ("https://example.com", Receiver("https", "example.com", 443, "/", None), "example.com"),
        ("HTTPS://Example.COM:443/A?b=C%20", Receiver("https", "example.com", 443, "/A?b=C%20", None), "example.com"),
        ("https://a.example:8443?x", Receiver("https", "a.example", 8443, "/?x", None), "a.example:8443"),
        ("http://a.example:443/", Receiver("http", "a.example", 443, "/", None), "a.example:443"),
        ("https://xn--exmple-cua.com/@:", Receiver("https", "xn--exmple-cua.com", 443, "/@:", None), None),
        ("http://8.8.8.8/", Receiver("http", "8.8.8.8", 80, "/", IPv4Address("8.8.8.8")), "8.8.8.8"),
        ("https://1.example/", Receiver("https", "1.example", 443, "/", None), "1.example"),
        (
            "https://[2606:4700:0::1111]:8443/",
            Receiver("https", "2606:4700::1111", 8443, "/", IPv6Address("2606:4700::1111")),
            "[2606:4700::1111]:8443",
        ),
    ],
)
def test_a_url_of_a_public_address_is_taken_apart(url: str, receiver: Receiver, authority: str | None) -> None:
    assert parsed(url, allow_http=True) == receiver
    assert receiver.authority == (authority or receiver.host)


def test_a_refusal_says_what_is_wrong_and_quotes_nothing() -> None:
    for url, rule in {
        "https://user:word@example.com/": "has a user name or password",
        "https://example.com/#part": "has a fragment",
        "https://example.com:0/": "has a port that is not from 1 to 65535",
        "https://127.1/": "has an address that is not written like",
        "https://[fe80::1]/": "names an address that is not public",
        "https://metadata/": "has a host name that is not one of the public Internet",
        "https://ex\u00e4mple.com/": "percent-encode all but ASCII",
    }.items():
        with pytest.raises(RefusedAddress, match=rule) as refusal:
            parsed(url)
        assert not {"word", "part", "127.1", "fe80", "metadata", "mple"} & set(refusal.value.detail.split())


def test_http_is_allowed_only_by_its_rule() -> None:
    with pytest.raises(RefusedAddress, match=r"must begin with https://\.$"):
        parsed("http://example.com/")
    assert parsed("http://example.com/", allow_http=True).port == 80


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost"])
def test_loopback_is_allowed_only_by_its_rule(host: str) -> None:
    assert parsed(f"https://{host}/", allow_loopback=True).target == "/"
    for other in ("10.0.0.1", "[fe80::1]", "[::ffff:127.0.0.1]", "[::127.0.0.1]", "2130706433", "metadata"):
        with pytest.raises(RefusedAddress):
            parsed(f"https://{other}/", allow_loopback=True)


# -- names ----------------------------------------------------------------------------------------------------------


STRICT = CallbackRules()
RECEIVER = Receiver("https", "receiver.test", 443, "/", None)


@pytest.mark.parametrize("found", [["8.8.8.8"], ["2606:4700::1111", "8.8.8.8"], ["8.8.8.8", "9.9.9.9"]])
def test_a_name_resolves_to_its_first_address_if_all_are_public(found: list[str]) -> None:
    assert STRICT.resolve(RECEIVER, Resolver(found)) == found[0]


@pytest.mark.parametrize(
    "private", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "fe80::1%eth0", "::ffff:10.0.0.1", "fd00:ec2::254", "::1"]
)
def test_a_name_with_any_private_address_is_refused(private: str) -> None:
    for found in ([private], ["8.8.8.8", private], [private, "8.8.8.8"], ["8.8.8.8", "2606:4700::1111", private]):
        with pytest.raises(RefusedAddress):
            STRICT.resolve(RECEIVER, Resolver(found))


def test_a_name_is_looked_up_once() -> None:
    rebinding = Resolver(["8.8.8.8"], ["127.0.0.1"])
    assert STRICT.resolve(RECEIVER, rebinding) == "8.8.8.8"
    assert rebinding.asked == 1


def test_a_literal_address_is_not_looked_up() -> None:
    resolver = Resolver()
    assert STRICT.resolve(parsed("https://8.8.8.8/"), resolver) == "8.8.8.8"
    assert resolver.asked == 0


def test_a_name_without_an_address_is_an_error_of_the_network() -> None:
    with pytest.raises(socket.gaierror):
        STRICT.resolve(RECEIVER, Resolver([]))


# -- properties -----------------------------------------------------------------------------------------------------


def spellings(address: IPv4Address | IPv6Address) -> list[str]:
    """Return the ways in which a URL may write the address, also inside of addresses that carry it."""
    number = int(address)
    if isinstance(address, IPv6Address):
        return [f"[{address}]", f"[{address.exploded}]", f"[{str(address).upper()}]"]
    a, b, c, d = address.packed
    bare = [
        str(address),
        str(number),
        hex(number),
        f"0{number:o}",
        f"{a}.{number & 0xFFFFFF}",
        f"{a}.{b}.{c * 256 + d}",
    ]
    bare += [".".join(map(hex, address.packed)), ".".join(f"0{part:o}" for part in address.packed), f"{address}."]
    high, low = f"{a:02x}{b:02x}", f"{c:02x}{d:02x}"
    carried = [f"::ffff:{address}", f"::ffff:{high}:{low}", f"::{address}", f"64:ff9b::{address}"]
    carried += [f"64:ff9b:1::{address}", f"2002:{high}:{low}::1", f"2001:0:{high}:{low}::1", f"2001::{high}:{low}"]
    return bare + [f"[{text}]" for text in carried]


def special_addresses() -> st.SearchStrategy[IPv4Address | IPv6Address]:
    """Return addresses of all kinds: hypothesis takes many from the special registries of IANA."""
    return st.ip_addresses(v=4) | st.ip_addresses(v=6)


@given(special_addresses())
def test_an_address_that_is_not_global_is_refused_in_every_spelling(address: IPv4Address | IPv6Address) -> None:
    assume(not address.is_global)
    for host in spellings(address):
        with pytest.raises(RefusedAddress):
            parsed(f"https://{host}/")


@given(special_addresses())
def test_an_address_of_a_name_is_allowed_if_and_only_if_the_address_itself_is(
    address: IPv4Address | IPv6Address,
) -> None:
    def allowed(attempt: Any) -> bool:
        try:
            return bool(attempt())
        except RefusedAddress:
            return False

    host = f"[{address}]" if address.version == 6 else str(address)
    itself = allowed(lambda: parsed(f"https://{host}/"))
    assert itself == allowed(lambda: STRICT.resolve(RECEIVER, Resolver([str(address)])))
    if itself:
        assert address.is_global
        kinds = (address.is_multicast, address.is_reserved, address.is_private, address.is_link_local)
        assert not any(kinds)


@given(st.text() | st.from_regex(r"https?://[\w.:\[\]@%-]{0,20}(:\w{0,6})?[/?#].{0,9}"))
def test_any_text_is_taken_apart_or_refused(text: str) -> None:
    try:
        receiver = parsed(text, allow_http=True)
    except RefusedAddress:
        return
    assert parsed(f"{receiver.scheme}://{receiver.authority}{receiver.target}", allow_http=True) == receiver


@pytest.mark.parametrize("host", ["127.1", "0x7f.1", "2130706433", "017700000001"])
def test_resolvers_accept_the_odd_spellings(host: str) -> None:
    """This is why a host that ends in a number is not a name."""
    assert ip_address(socket.getaddrinfo(host, 80, type=socket.SOCK_STREAM)[0][4][0]).is_loopback
