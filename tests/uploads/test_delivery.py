"""One attempt to deliver a callback: it reaches only its receiver, signed and within its time."""

import itertools
import json
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import certifi
import pytest
from standardwebhooks.webhooks import Webhook

import delivery
import signature
from delivery import Attempt, DeliveryLimits, Outcome
from shared.uploads.callback_url import CallbackRules
from tests.support import receivers
from tests.support.callbacks import PATIENCE, PAYLOAD, SECRET, callback
from tests.support.receivers import NAME, Resolver, Server, drip, serving, status

KEYS = signature.keys_of(SECRET)
LOOPBACK = CallbackRules(allow_loopback=True)
HTTP_TOO = CallbackRules(allow_http=True, allow_loopback=True)
LIMITS = DeliveryLimits(PATIENCE, LOOPBACK)
SHORT = (0.5, 2.0, 8.0, PATIENCE)  # seconds of an attempt that is to be cut off; the longer ones are for slow machines


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return receivers.certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def trusted(pem: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Provide a certificate that is trusted like that of a public authority."""
    monkeypatch.setattr(certifi, "where", lambda: str(pem))
    delivery.trust.cache_clear()
    yield pem
    delivery.trust.cache_clear()


def url_by_name(server: Server) -> str:
    return f"https://{NAME}:{server.port}/done?x=1"


def to_loopback() -> Resolver:
    return Resolver(["127.0.0.1"])


# -- what arrives, and where --------------------------------------------------------------------------------------


def test_a_callback_arrives_as_it_was_signed(trusted: Path) -> None:
    with serving(pem=trusted) as server:
        sent = callback(url_by_name(server))
        attempt = delivery.deliver(sent, KEYS, LIMITS, getaddrinfo=to_loopback())
    assert attempt == Attempt(Outcome.DELIVERED, 200, "https name")
    (got,) = server.received
    assert got.path == "/done?x=1"
    assert got.body == PAYLOAD
    assert got.headers["Host"] == f"{NAME}:{server.port}"
    assert got.headers["Content-Type"] == "application/json"
    assert Webhook(SECRET).verify(got.body, got.headers) == json.loads(PAYLOAD)


def test_the_address_that_was_checked_is_connected_to_without_a_second_lookup(trusted: Path) -> None:
    rebinding = Resolver(["127.0.0.1"], ["10.0.0.1"])
    with serving(pem=trusted) as server:
        attempt = delivery.deliver(callback(url_by_name(server)), KEYS, LIMITS, getaddrinfo=rebinding)
    assert attempt.outcome is Outcome.DELIVERED
    assert rebinding.asked == 1


def test_an_untrusted_certificate_is_refused_unless_the_callback_leaves_it_unchecked(pem: Path) -> None:
    with serving(pem=pem) as server:
        assert delivery.deliver(callback(server.url), KEYS, LIMITS).outcome is Outcome.UNTRUSTED
        assert server.received == []
        insecure = callback(server.url, insecure=True)
        assert delivery.deliver(insecure, KEYS, LIMITS).outcome is Outcome.DELIVERED
        assert delivery.deliver(callback(server.url), KEYS, LIMITS).outcome is Outcome.UNTRUSTED
    assert len(server.received) == 1


def test_a_certificate_of_another_name_is_refused(trusted: Path) -> None:
    with serving(pem=trusted) as server:
        url = f"https://other.test:{server.port}/"
        attempt = delivery.deliver(callback(url), KEYS, LIMITS, getaddrinfo=to_loopback())
    assert attempt.outcome is Outcome.UNTRUSTED
    assert server.received == []


def test_an_unchecked_certificate_allows_no_other_address(pem: Path) -> None:
    strict = DeliveryLimits(PATIENCE)
    with serving(pem=pem) as server:
        for url in (server.url, url_by_name(server), f"http://127.0.0.1:{server.port}/"):
            sent = callback(url, insecure=True)
            outcome = delivery.deliver(sent, KEYS, strict, getaddrinfo=to_loopback()).outcome
            by_name = url == url_by_name(server)  # a name may get another address later
            assert (outcome, outcome.is_final) == ((Outcome.NOT_PUBLIC, False) if by_name else (Outcome.REFUSED, True))
    assert server.received == []


def test_http_is_used_only_if_it_is_allowed() -> None:
    with serving() as server:
        assert delivery.deliver(callback(server.url), KEYS, LIMITS).outcome is Outcome.REFUSED
        allowed = DeliveryLimits(PATIENCE, HTTP_TOO)
        assert delivery.deliver(callback(server.url), KEYS, allowed) == Attempt(Outcome.DELIVERED, 200, "http IPv4")
    assert len(server.received) == 1


def test_a_proxy_of_the_environment_is_not_used(pem: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as proxy, serving(pem=pem) as server:
        for name in ("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert delivery.deliver(callback(server.url, insecure=True), KEYS, LIMITS).outcome is Outcome.DELIVERED
    assert proxy.received == []


def test_the_trusted_authorities_are_those_of_certifi() -> None:
    delivery.trust.cache_clear()
    assert len(delivery.trust(insecure=False).get_ca_certs()) > 100
    assert delivery.trust(insecure=False).verify_mode is ssl.CERT_REQUIRED


# -- what the receiver answers ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        *((200, Outcome.DELIVERED), (202, Outcome.DELIVERED), (204, Outcome.DELIVERED), (410, Outcome.GONE)),
        *((304, Outcome.REJECTED), (400, Outcome.REJECTED), (404, Outcome.REJECTED), (500, Outcome.REJECTED)),
    ],
)
def test_the_status_decides_the_outcome(pem: Path, code: int, outcome: Outcome) -> None:
    with serving(status(code), pem=pem) as server:
        attempt = delivery.deliver(callback(server.url, insecure=True), KEYS, LIMITS)
    assert (attempt.outcome, attempt.status) == (outcome, code)
    assert len(server.received) == 1


@pytest.mark.parametrize(("code", "outcome"), [(200, Outcome.DELIVERED), (410, Outcome.GONE), (500, Outcome.REJECTED)])
@pytest.mark.parametrize("interim", [[b"100 Continue"], [b"103 Early Hints"], [b"102 Processing", b"103 Early Hints"]])
def test_the_status_behind_interim_answers_decides_the_outcome(
    pem: Path, interim: list[bytes], code: int, outcome: Outcome
) -> None:
    pieces = [b"HTTP/1.1 " + line + b"\r\nLink: </a>; rel=preload\r\n\r\n" for line in interim]
    last = f"HTTP/1.1 {code} Last\r\nContent-Length: 0\r\n\r\n".encode()
    with serving(drip([*pieces, last], 0), pem=pem) as server:
        attempt = delivery.deliver(callback(server.url, insecure=True), KEYS, LIMITS)
    assert (attempt.outcome, attempt.status) == (outcome, code)


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(pem: Path, code: int) -> None:
    with serving(pem=pem) as elsewhere, serving(status(code, Location=elsewhere.url), pem=pem) as server:
        attempt = delivery.deliver(callback(server.url, insecure=True), KEYS, LIMITS)
    assert (attempt.outcome, attempt.status) == (Outcome.REJECTED, code)
    assert elsewhere.received == []


@pytest.mark.parametrize(
    "pieces",
    [[b"SSH-2.0-OpenSSH_9\r\n"], [b""], [b"HTTP/1.1 banana\r\n\r\n"], [b"HTTP/1.1 200 OK\r\n" + b"a" * 99_999]],
)
def test_an_answer_that_is_not_http_is_a_failure(pem: Path, pieces: list[bytes]) -> None:
    with serving(drip(pieces, 0), pem=pem) as server:
        attempt = delivery.deliver(callback(server.url, insecure=True), KEYS, LIMITS)
    assert attempt.outcome is Outcome.UNREACHABLE


def test_a_closed_port_and_an_unknown_name_have_different_outcomes(pem: Path) -> None:
    with serving(pem=pem) as server:
        pass
    assert delivery.deliver(callback(server.url), KEYS, LIMITS).outcome is Outcome.UNREACHABLE
    nameless = callback("https://nowhere.test/")
    assert delivery.deliver(nameless, KEYS, LIMITS, getaddrinfo=Resolver([])).outcome is Outcome.UNRESOLVED


# -- what takes too long: these tests need the real clock ---------------------------------------------------------

# What is written at once, and what then follows again and again.
DRIPS = {
    "says nothing": (b"", b""),
    "drips its status": (b"HTTP", b"1"),
    "drips a header": (b"HTTP/1.1 200 OK\r\nX-Long: ", b"a"),
    "drips headers": (b"HTTP/1.1 200 OK\r\n", b"A: a\r\n"),
    "says to continue again and again": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "hints again and again": (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
}


def cut_off(answer: str, pem: Path | None) -> None:
    """Check that an attempt ends in its time, however long the receiver goes on."""
    begins, goes_on = DRIPS[answer]
    pieces = itertools.chain([begins], itertools.repeat(goes_on, 600))  # of a minute
    with serving(drip(pieces, 0.1), pem=pem) as server:
        for seconds in SHORT:
            begun = time.monotonic()
            attempt = delivery.deliver(callback(server.url, insecure=True), KEYS, DeliveryLimits(seconds, HTTP_TOO))
            assert attempt.outcome is Outcome.TIMED_OUT
            assert time.monotonic() - begun >= seconds
            if server.received:
                break
        assert list(pieces), "the whole answer was read"
        assert server.received


def test_an_answer_that_takes_its_time_is_cut_off(pem: Path) -> None:
    """All kinds at the same time, by HTTPS and by HTTP, because each takes as long as its attempt may."""
    kinds = [(answer, certificate) for answer in DRIPS for certificate in (pem, None)]
    with ThreadPoolExecutor(len(kinds)) as pool:
        for result in [pool.submit(cut_off, *kind) for kind in kinds]:
            result.result()


def test_a_handshake_that_takes_its_time_is_cut_off() -> None:
    limits = DeliveryLimits(SHORT[0], LOOPBACK)
    with receivers.dripping_handshake(0.05, pieces=1_200) as (port, at_its_end):
        begun = time.monotonic()
        attempt = delivery.deliver(callback(f"https://127.0.0.1:{port}/"), KEYS, limits)
        assert attempt.outcome is Outcome.TIMED_OUT
        assert time.monotonic() - begun >= limits.seconds
        assert not at_its_end.is_set()


@pytest.mark.parametrize(
    ("piece", "pause", "count"), [(b"a" * 60_000, 0, 1_000), (b"a", 0.01, 6_000)], ids=["huge", "dripping"]
)
def test_a_body_is_read_only_up_to_the_limits_and_the_callback_is_delivered(
    pem: Path, piece: bytes, pause: float, count: int
) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n"
    for seconds in SHORT:
        pieces = itertools.repeat(piece, count)
        with serving(drip(itertools.chain([head], pieces), pause), pem=pem) as server:
            attempt = delivery.deliver(callback(server.url, insecure=True), KEYS, DeliveryLimits(seconds, LOOPBACK))
            left = len(list(pieces))
        if attempt.outcome is not Outcome.TIMED_OUT:
            break
    assert attempt == Attempt(Outcome.DELIVERED, 200, "https IPv4")
    assert 0 < left < count, "all of the body was read, or none"
