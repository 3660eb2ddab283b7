"""An issuer of tokens that answers oddly: its older keys serve for an hour, and each refresh ends within 4 seconds."""

import json
import socket
import time
from collections.abc import Iterator
from itertools import cycle
from threading import Event
from typing import Any

import jwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import authorize_writes
import issuer as shipped
import key_set
import tokens
from documents import within
from tests.support import odd_issuers
from tests.support.clock import Clock
from tests.support.odd_issuers import ANYWHERE, DISCOVERIES, KEY_SETS, SLOW, Answer
from tests.support.token_issuer import AUDIENCE, DISCOVERY, KEYS, Issuer, ec_key, forged, public_jwk, signed

HOUR = 3600.0  # seconds
QUICK = 0.3  # seconds of a refresh, where a test waits for its end


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    issuer = Issuer()
    yield issuer
    issuer.close()


@pytest.fixture(autouse=True)
def _all_is_well_afterwards(issuer: Issuer) -> Iterator[None]:
    yield
    issuer.odd.clear()


def subject(issuer: Issuer, keys: shipped.Keys) -> str:
    return tokens.verify(issuer.token(), keys, AUDIENCE)[0]


def all_odd() -> dict[str, tuple[str, Answer]]:
    """Return path and answer by name; ISSUER in an answer stands for the issuer's URL."""
    odd = {f"{name} at {path}": (path, answer) for name, answer in ANYWHERE.items() for path in (DISCOVERY, KEYS)}
    odd |= {name: (DISCOVERY, odd_issuers.document(value)) for name, value in DISCOVERIES.items()}
    return odd | {name: (KEYS, odd_issuers.document(value)) for name, value in KEY_SETS.items()}


def begin(issuer: Issuer, name: str) -> None:
    """Let the issuer answer so."""
    if name in DISCOVERIES:
        text = json.dumps(DISCOVERIES[name]).replace("ISSUER", issuer.url)
        issuer.odd = {DISCOVERY: odd_issuers.body(text.encode())}
    else:
        path, answer = all_odd()[name]
        issuer.odd = {path: answer}


@pytest.mark.parametrize("name", all_odd())
def test_a_good_token_is_accepted_with_the_older_keys_for_an_hour_of_odd_answers(issuer: Issuer, name: str) -> None:
    clock = Clock()
    keys = shipped.Keys(issuer.url, clock=clock)
    assert subject(issuer, keys) == "alice"
    begin(issuer, name)
    clock.now = shipped.LIFETIME  # the keys are as old as they get, and the outage begins
    for minute in (1, 30, 60):
        clock.now = shipped.LIFETIME + minute * 60
        assert subject(issuer, keys) == "alice"
    with pytest.raises(shipped.IssuerUnreachable):
        tokens.verify(signed(issuer.claims(), ec_key(), "new"), keys, AUDIENCE)
    clock.now = shipped.OUTAGE_MAX + HOUR
    with pytest.raises(shipped.IssuerUnreachable):
        subject(issuer, keys)
    issuer.odd.clear()
    clock.now += shipped.PATIENCE
    assert subject(issuer, keys) == "alice"


@settings(max_examples=20)
@given(names=st.lists(st.sampled_from(sorted(all_odd())), min_size=1, max_size=4))
def test_whatever_comes_after_whatever_the_older_keys_serve_and_new_tokens_are_outages(
    issuer: Issuer, names: list[str]
) -> None:
    clock = Clock()
    keys = shipped.Keys(issuer.url, clock=clock)
    issuer.odd.clear()
    assert subject(issuer, keys) == "alice"
    for name in names:
        begin(issuer, name)
        clock.now += HOUR / len(names)
        assert subject(issuer, keys) == "alice"


@pytest.mark.parametrize("name", all_odd())
def test_without_older_keys_an_odd_answer_is_an_outage(
    issuer: Issuer, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in {"JWT_ISSUER": issuer.url, "JWT_AUDIENCE": AUDIENCE, "PUBLIC_WRITES": "false"}.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setattr(authorize_writes, "_keys", lambda: shipped.Keys(issuer.url))
    begin(issuer, name)
    headers = {"Authorization": f"Bearer {issuer.token()}"}
    answer = authorize_writes.handler({"methodArn": "arn", "httpMethod": "POST", "headers": headers}, None)
    assert answer["context"] == {"outage": "true"}


@pytest.mark.parametrize("name", odd_issuers.KEYS)
def test_an_odd_key_is_skipped_and_the_good_ones_beside_it_are_used(issuer: Issuer, name: str) -> None:
    good = public_jwk("ec", issuer.keys["ec"])
    for entries in ([good, odd_issuers.KEYS[name]], [odd_issuers.KEYS[name], good]):
        assert set(key_set.public_keys({"keys": entries})) == {"ec"}
    with pytest.raises(ValueError, match="no key"):
        key_set.public_keys({"keys": [odd_issuers.KEYS[name]]})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
MEMBERS = st.sampled_from(["kty", "kid", "use", "alg", "key_ops", "crv", "n", "e", "x", "y", "d", "k", "x5c"])


@settings(max_examples=30)
@given(st.lists(st.dictionaries(MEMBERS, JSON | st.sampled_from(["EC", "RSA", "OKP", "P-256", "AQAB"]))), st.data())
def test_any_keys_beside_a_good_one_are_skipped_or_public(entries: list[Any], data: st.DataObject) -> None:
    good = public_jwk("good", GOOD)
    changed = {**good, "kid": "changed", data.draw(MEMBERS.filter(lambda name: name != "kid")): data.draw(JSON)}
    found = key_set.public_keys({"keys": [*entries, changed, good]})
    assert found["good"].key.public_numbers() == GOOD.public_key().public_numbers()
    assert {type(key.key).__name__.removeprefix("_") for key in found.values()} <= {
        *("ECPublicKey", "RSAPublicKey", "Ed25519PublicKey", "Ed448PublicKey")
    }


GOOD = ec_key()


@given(JSON)
def test_any_document_is_no_set_of_keys(document: Any) -> None:
    with pytest.raises(ValueError, match="no key"):
        key_set.public_keys(document)


@pytest.mark.parametrize(
    ("issuer_url", "jwks_uri", "taken"),
    [
        ("https://example.com/", "https://example.com/keys", True),
        ("https://example.com/", "https://keys.example.net:8443/a?b", True),
        ("https://example.com/", "http://example.com/keys", False),
        ("https://example.com/", "http://127.0.0.1/keys", False),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8081/keys", True),
        ("http://localhost:8080/", "http://127.0.0.1:8080/keys", True),
        ("http://127.0.0.1:8080/", "https://example.com/keys", True),
        ("http://127.0.0.1:8080/", "http://example.com/keys", False),
        ("http://127.0.0.1:8080/", "http://127.0.0.1.example.com/keys", False),
        ("http://127.0.0.1:8080/", "http://127.0.0.1@example.com/keys", False),
        ("https://example.com/", "HTTPS://example.com/keys", True),
        ("https://example.com/", "data:application/json,{}", False),
        ("https://example.com/", "file:///etc/passwd", False),
        ("https://example.com/", "https:///keys", False),
    ],
)
def test_keys_are_read_by_tls_or_on_this_machine(issuer_url: str, jwks_uri: str, taken: bool) -> None:
    fetched = []

    def fetch(url: str) -> Any:
        fetched.append(url)
        return {"issuer": issuer_url, "jwks_uri": jwks_uri}

    with pytest.raises(shipped.IssuerUnreachable):
        shipped.Keys(issuer_url, fetch=fetch).find("x")
    assert fetched[1:] == ([jwks_uri] if taken else [])


# -- time -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "path"), [*zip(SLOW, cycle((DISCOVERY, KEYS)), strict=False)])
def test_an_answer_without_end_is_given_up(issuer: Issuer, name: str, path: str) -> None:
    clock = Clock()
    keys = shipped.Keys(issuer.url, clock=clock, seconds=QUICK)
    keys_seen = shipped.Keys(issuer.url, clock=clock)
    assert subject(issuer, keys_seen) == "alice"
    keys_seen._seconds = QUICK
    issuer.odd = {path: SLOW[name]}
    clock.now = HOUR
    assert subject(issuer, keys_seen) == "alice"
    with pytest.raises(shipped.IssuerUnreachable):
        subject(issuer, keys)


@pytest.mark.parametrize("name", SLOW)
def test_a_refresh_ends_within_four_seconds_of_real_time(slow_tier: None, issuer: Issuer, name: str) -> None:
    """The first document comes late, and the second not at all."""
    discovery = json.dumps({"issuer": issuer.url, "jwks_uri": issuer.url + "keys"}).encode()

    def late(handler: Any) -> None:
        time.sleep(1.5)
        odd_issuers.body(discovery)(handler)

    issuer.odd = {DISCOVERY: late, KEYS: SLOW[name]}
    begun = time.monotonic()
    with pytest.raises(shipped.IssuerUnreachable):
        subject(issuer, shipped.Keys(issuer.url))
    assert time.monotonic() - begun < 4


def test_a_name_that_is_looked_up_for_ever_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    over = Event()

    def look_up(*_: Any, **__: Any) -> Any:
        over.wait(60)
        raise OSError

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with pytest.raises(shipped.IssuerUnreachable):
        shipped.Keys("https://issuer.test/", seconds=QUICK).find("x")
    over.set()


def test_a_connection_that_is_given_up_is_shut(issuer: Issuer) -> None:
    gone = Event()

    def until_the_reader_goes(handler: Any) -> None:
        if not handler.connection.recv(1):
            gone.set()

    issuer.odd = {DISCOVERY: until_the_reader_goes}
    with pytest.raises(TimeoutError):
        within(QUICK, lambda document: document(issuer.url.rstrip("/") + DISCOVERY))
    assert gone.wait(60)


def test_no_read_begins_after_its_time() -> None:
    opened = Event()

    def work(document: Any) -> None:
        opened.wait(60)
        document("http://127.0.0.1:1/")

    with pytest.raises(TimeoutError):
        within(0.01, work)
    opened.set()


# -- tokens ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("character", ["\u00a0", "\u2003", "\u3000", "\t", "\n", "\u200b", "\\", '"', "\u2028"])
def test_scopes_are_separated_by_spaces_alone(issuer: Issuer, character: str) -> None:
    keys = shipped.Keys(issuer.url)
    for claim in (f"x{character}images:admin", f"images:admin{character}", [f"x{character}images:admin"]):
        for name in ("scope", "scp"):
            token = issuer.token(**{"scope": None, name: claim})
            assert tokens.verify(token, keys, AUDIENCE)[1] == ""
    assert tokens.verify(issuer.token(scope=["x images:admin"]), keys, AUDIENCE)[1] == ""


def test_scopes_may_have_several_spaces_between_them_or_come_as_a_list(issuer: Issuer) -> None:
    keys = shipped.Keys(issuer.url)
    for claim in ("  images:write   images:delete ", ["images:write", 1, None, "", "images:delete"]):
        assert tokens.verify(issuer.token(scope=claim), keys, AUDIENCE)[1] == "images:write images:delete"


LATER = 4_000_000_000

ODD_CLAIMS: list[dict[str, Any]] = [
    *({"exp": value} for value in (True, str(LATER), [LATER], {"a": LATER}, "", float("inf"), float("nan"), -1)),
    *({"nbf": value} for value in (True, "0", [0], {}, float("inf"), float("nan"), LATER)),
    *({"iat": value} for value in (True, "0", [0], {}, float("inf"), float("nan"))),
    *({"aud": value} for value in ("", [], [AUDIENCE, 1], {AUDIENCE: 1}, "petap", "petapi ", AUDIENCE.upper(), 1)),
    *({"iss": value} for value in ([], {}, 1, "")),
    *({"sub": value} for value in ("", 1, [], {}, True, "a\nb", "a\0", "a\u00a0b", "\u202eb", "\ud800", "a" * 256)),
]


@pytest.mark.parametrize("claims", ODD_CLAIMS, ids=ascii)
def test_an_odd_claim_makes_a_token_bad(issuer: Issuer, claims: dict[str, Any]) -> None:
    content = json.dumps(issuer.claims(**claims)).encode()  # the library signs no token whose issuer is no text
    token = jwt.PyJWS().encode(content, issuer.keys["ec"], "ES256", {"kid": "ec"})  # type: ignore[arg-type]
    with pytest.raises(tokens.BadToken):
        tokens.verify(token, shipped.Keys(issuer.url), AUDIENCE)


@pytest.mark.parametrize("exp", [LATER, LATER + 0.5, 1e300])
def test_a_time_may_be_any_number(issuer: Issuer, exp: float) -> None:
    assert tokens.verify(issuer.token(exp=exp), shipped.Keys(issuer.url), AUDIENCE)[0] == "alice"


@pytest.mark.parametrize("header", [b"[" * 5000, b"{" * 5000, b'{"alg":' * 1000, b"1" * 5000, b"null", b'"x"', b"NaN"])
def test_a_header_of_odd_json_is_a_bad_token(issuer: Issuer, header: bytes) -> None:
    part = jwt.utils.base64url_encode(header).decode()
    for token in (f"{part}.e30.AA", f"{forged({'alg': 'ES256', 'kid': 'ec'}, {}, None).split('.')[0]}.{part}.AA"):
        with pytest.raises(tokens.BadToken):
            tokens.verify(token, shipped.Keys(issuer.url), AUDIENCE)
