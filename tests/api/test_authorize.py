"""Write access: tokens of a real issuer over HTTP in every host, the answers to bad ones, and who owns an image."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

import authorize_writes
import delete_image
import edit_image
import issuer as shipped
import tokens
import upload_image
from documents import within
from shared.api import access
from shared.errors import Forbidden
from tests.support import pictures
from tests.support.answers import conforms, problem
from tests.support.clock import Clock
from tests.support.hosts import Api, Handlers, Host, Remote, Running, json_of, new_label
from tests.support.local_service import Answer, LocalService
from tests.support.memory_aws import IMAGES as TABLE
from tests.support.memory_aws import World
from tests.support.simulation import call
from tests.support.token_issuer import AUDIENCE, Issuer, ec_key, forged, signed

pytestmark = pytest.mark.also_in_make_run(
    why="the authorizer is a function of its own there, which the gateway asks and caches", slow=True
)

IMAGE = "/images/{label}/{name}"
REAL_HOST = "PETAPI_URL" if "PETAPI_ISSUER" in os.environ else "make run"
SAM_LOCAL = "PETAPI_ISSUER" in os.environ  # which answers a Deny with a 403 of its own


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    """Run an issuer at the address that `make sam-test` gave its functions, or on any port of this machine."""
    address = urlsplit(os.environ.get("PETAPI_ISSUER", "http://127.0.0.1"))
    issuer = Issuer(str(address.hostname), address.port or 0)
    yield issuer
    issuer.close()


@pytest.fixture(scope="module")
def service(issuer: Issuer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    folder: Path = tmp_path_factory.mktemp("authorize")
    variables = {"LABELS": "*", "JWT_ISSUER": issuer.url, "JWT_AUDIENCE": AUDIENCE}
    with LocalService(folder / "data", variables=variables) as service:
        service.be_patient()
        yield service


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def host(request: pytest.FixtureRequest, issuer: Issuer, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Host:
    """Return a host of conftest.py in which writes need a token of the issuer."""
    if request.param == "PETAPI_URL":
        return Remote(os.environ["PETAPI_URL"])
    if request.param == "make run":
        return Running(request.getfixturevalue("service"))
    request.getfixturevalue("moto_aws")
    for name, value in {"JWT_ISSUER": issuer.url, "JWT_AUDIENCE": AUDIENCE, "PUBLIC_WRITES": "false"}.items():
        monkeypatch.setenv(name, value)
    keys = shipped.Keys(issuer.url, clock=clock)
    monkeypatch.setattr(authorize_writes, "_keys", lambda: keys)
    return Handlers()


@pytest.fixture
def api(host: Host) -> Api:
    return Api(host, new_label())


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def refused(answer: Answer) -> None:
    """Check that this is the answer to a request without a valid token."""
    if SAM_LOCAL:
        assert answer.status == 403
        return
    assert "Send it in the header Authorization: Bearer <token>." in problem(answer, 401)
    assert answer.headers["www-authenticate"] == "Bearer"


BAD: dict[str, Callable[[Issuer], str]] = {
    "expired": lambda issuer: issuer.token(exp=int(time.time()) - 120),
    "not yet valid": lambda issuer: issuer.token(nbf=int(time.time()) + 120),
    "of another audience": lambda issuer: issuer.token(aud="others"),
    "of no audience": lambda issuer: issuer.token(aud=None),
    "of another issuer": lambda issuer: issuer.token(iss="https://others.test/"),
    "without an end": lambda issuer: issuer.token(exp=None),
    "without a subject": lambda issuer: issuer.token(sub=None),
    "of a subject that is no text": lambda issuer: issuer.token(sub="a\ud800"),
    "unsigned": lambda issuer: forged({"alg": "none", "kid": "rsa"}, issuer.claims(), None),
    "unsigned, in capitals": lambda issuer: forged({"alg": "NONE", "kid": "rsa"}, issuer.claims(), None),
    "of a wrong key": lambda issuer: signed(issuer.claims(), ec_key(), "ec"),
    "signed with the public key as a secret": lambda issuer: forged(
        {"alg": "HS256", "kid": "rsa"}, issuer.claims(), issuer.public_pem("rsa")
    ),
    "of another algorithm than its key": lambda issuer: signed(issuer.claims(), issuer.keys["rsa"], "ec"),
    "of an unknown key": lambda issuer: signed(issuer.claims(), ec_key(), "unknown"),
    "of no named key": lambda issuer: signed(issuer.claims(), issuer.keys["rsa"], None),
    "malformed": lambda issuer: "not.a.token",
    "cut": lambda issuer: issuer.token()[:-3],
    "of two parts": lambda issuer: issuer.token().rpartition(".")[0],
    "empty": lambda issuer: "",
    "with a header that must be understood": lambda issuer: forged(
        {"alg": "ES256", "kid": "ec", "crit": ["exp"], "exp": 1}, issuer.claims(), b"x"
    ),
}


WORDS = tuple({"authorization": text} for text in ("Bearer", "Bearer Bearer", "Bearer Basic x", "Bearer a b"))


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_token_is_refused(kind: str, api: Api, issuer: Issuer) -> None:
    refused(api.upload(pictures.tiny(1), authorization=f"Bearer {BAD[kind](issuer)}"))
    assert api.random().status == 404


def test_a_good_token_is_accepted_and_reads_need_none(api: Api, issuer: Issuer) -> None:
    for number, token in enumerate((issuer.token("ec"), issuer.token("rsa"), issuer.token(aud=["x", AUDIENCE]))):
        assert api.upload(pictures.tiny(number), **bearer(token)).status == 201
    url = json_of(api.random(format="json"))["url"]
    assert api.get(url).status == api.get(url + "/info").status == 200
    assert "alice" not in api.get(url + "/info").body.decode()
    assert api.patch(url, {"weight": 0.7}, **bearer(issuer.token())).status == 200
    assert api.delete(url, **bearer(issuer.token(scope=None, scp=["images:delete"]))).status == 204


@pytest.mark.parametrize("before", ["Bearer ", "bearer  ", " BEARER ", "Bearer Bearer ", "Bearer bearer  "])
def test_the_scheme_may_be_copied_with_the_token(api: Api, issuer: Issuer, before: str) -> None:
    assert api.upload(pictures.tiny(1), authorization=f"{before}{issuer.token()} ").status == 201


def test_no_token_and_other_credentials_are_refused(api: Api, issuer: Issuer) -> None:
    url = json_of(api.upload(pictures.tiny(1), **bearer(issuer.token())))["url"]
    for headers in ({}, {"authorization": "Basic YWxpY2U6c2VjcmV0"}, {"authorization": issuer.token()}, *WORDS):
        refused(api.upload(pictures.tiny(2), **headers))
        refused(api.patch(url, {"weight": 0.7}, **headers))
        refused(api.delete(url, **headers))
    assert json_of(api.get(url + "/info"))["weight"] == 0.5


def test_other_methods_are_answered_without_a_token(api: Api) -> None:
    assert api.host.request("OPTIONS", "/upload").status == 204
    assert api.get("/upload").status == 405
    assert api.host.request("OPTIONS", "/images/cat/x.jpg").status == 204


def test_each_change_needs_its_scope(api: Api, issuer: Issuer) -> None:
    only = {scope: bearer(issuer.token(scope=scope)) for scope in ("images:write", "images:delete", "images:admin", "")}
    for scope in ("images:delete", "images:admin", ""):
        assert "images:write" in problem(api.upload(pictures.tiny(1), **only[scope]), 403)
    url = json_of(api.upload(pictures.tiny(1), **only["images:write"]))["url"]
    assert "images:write" in problem(api.patch(url, {"weight": 0.7}, **only["images:delete"]), 403)
    assert "images:delete" in problem(api.delete(url, **only["images:write"]), 403)
    assert api.patch(url, {"weight": 0.7}, **only["images:write"]).status == 200
    assert api.delete(url, **only["images:delete"]).status == 204


def test_only_the_owner_and_an_administrator_change_an_image(api: Api, issuer: Issuer) -> None:
    alice, bob = bearer(issuer.token()), bearer(issuer.token(sub="bob"))
    admin = bearer(issuer.token(sub="root", scope="images:write images:delete images:admin"))
    url = json_of(api.upload(pictures.tiny(1), **alice))["url"]
    for answer in (api.patch(url, {"weight": 0.7}, **bob), api.delete(url, **bob)):
        assert "alice" not in problem(answer, 403)
    taken = api.upload(pictures.tiny(1), **bob)
    assert problem(taken, 409, field="img")
    assert json_of(taken)["existing"]["url"] == url
    assert b"alice" not in taken.body
    assert json_of(api.upload(pictures.tiny(1), **alice))["weight"] == 0.5
    assert api.patch(url, {"weight": 0.7}, **admin).status == 200
    assert api.delete(url, **admin).status == 204
    assert api.upload(pictures.tiny(1), **bob).status == 201


def test_only_the_owner_and_administrators_see_who_owns_an_image(api: Api, issuer: Issuer) -> None:
    alice, bob = bearer(issuer.token()), bearer(issuer.token(sub="auth0|bob"))
    admin = bearer(issuer.token(sub="root", scope="images:write images:admin"))
    hers = sorted(json_of(api.upload(pictures.tiny(seed), **alice))["id"] for seed in range(5))
    his = json_of(api.upload(pictures.tiny(9), **bob))["id"]
    path = f"/mine?label={api.label}"

    def owned(path: str, who: dict[str, str]) -> list[str]:
        answer = api.get(path, **who)
        assert answer.status == 200, answer
        conforms(json_of(answer), "ImagePage")
        link = answer.headers.get("link", "<>").partition(">")[0][1:]
        return [image["id"] for image in json_of(answer)["images"]] + (owned(link, who) if link else [])

    assert sorted(owned(path + "&limit=2", alice)) == hers
    assert owned(path, bob) == owned(path + "&owner=auth0%7Cbob", bob) == [his]
    assert owned(path + "&owner=auth0%7Cbob&limit=1", admin) == [his]
    assert owned(path, admin) == owned(path + "&owner=nobody", admin) == []
    assert bob != alice
    for answer in (api.get(path + "&owner=auth0%7Cbob", **alice), api.get(path + "&owner=", **alice)):
        problem(answer, 403, field="owner")
    problem(api.get(path + "&owner=" + "a" * 256, **admin), 422, field="owner")
    problem(api.get(path + "&owner=a%00", **admin), 422, field="owner")
    problem(api.get("/mine", **alice), 400, field="label")
    assert "images:write" in problem(api.get(path, **bearer(issuer.token(scope="images:delete"))), 403)
    cursor = json_of(api.get(path + "&limit=1", **alice))["cursor"]
    problem(api.get(path + f"&cursor={cursor}", **bob), 400, field="cursor")
    if not SAM_LOCAL:
        problem(api.get(path), 401)


@pytest.mark.skipif(SAM_LOCAL, reason="it is for the handlers of this process, whose clock can be set")
@pytest.mark.parametrize("host", ["handlers"], indirect=True)
def test_keys_are_rotated_and_used_while_the_issuer_is_away(api: Api, issuer: Issuer, clock: Clock) -> None:
    def wait() -> None:
        clock.now += shipped.PATIENCE

    rotate_and_take_away(api, issuer, wait)


@pytest.mark.parametrize("host", [REAL_HOST], indirect=True)
def test_a_service_that_runs_does_likewise_in_real_time(slow_tier: None, api: Api, issuer: Issuer) -> None:
    rotate_and_take_away(api, issuer, lambda: time.sleep(shipped.PATIENCE + 0.5))


def rotate_and_take_away(api: Api, issuer: Issuer, wait: Callable[[], None]) -> None:
    """Check the answers when the issuer gets a key, and when it is out of reach."""
    assert api.upload(pictures.tiny(1), **bearer(issuer.token())).status == 201
    issuer.keys["next"] = ec_key()
    wait()
    assert api.upload(pictures.tiny(2), **bearer(issuer.token("next"))).status == 201
    issuer.down = True
    try:
        wait()
        away = api.upload(pictures.tiny(3), **bearer(signed(issuer.claims(), ec_key(), "newest")))
        problem(away, 503)
        assert away.headers["retry-after"] == "1"
        assert api.upload(pictures.tiny(3), **bearer(issuer.token("next"))).status == 201
    finally:
        issuer.down = False
        del issuer.keys["next"]


# --- in one process ---


def event(**headers: str) -> dict[str, Any]:
    return {"methodArn": "arn", "httpMethod": "POST", "headers": headers or None}


def answer_of(**headers: str) -> tuple[str, dict[str, str]]:
    answer = authorize_writes.handler(event(**headers), None)
    (statement,) = answer["policyDocument"]["Statement"]
    assert (statement["Action"], statement["Resource"]) == ("execute-api:Invoke", "arn")
    return statement["Effect"], answer["context"]


def test_without_an_issuer_writes_are_disabled_unless_they_are_public(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("JWT_ISSUER", "JWT_AUDIENCE", "PUBLIC_WRITES"):
        monkeypatch.delenv(name, raising=False)
    for headers in ({}, {"Authorization": "Bearer x"}):
        effect, context = answer_of(**headers)
        assert effect == "Allow"  # the function refuses it, and says why
        with pytest.raises(Forbidden, match="Writes are disabled"):
            access.caller(context, access.WRITE)
    monkeypatch.setenv("PUBLIC_WRITES", "true")
    _, context = answer_of()
    assert access.caller(context, access.DELETE) == access.Caller("", frozenset({access.WRITE, access.DELETE}))


def test_a_function_without_an_authorizer_writes_nothing() -> None:
    with pytest.raises(Forbidden):
        access.caller({}, access.WRITE)


def test_public_writes_still_check_a_token_if_there_is_one(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"JWT_ISSUER": issuer.url, "JWT_AUDIENCE": AUDIENCE, "PUBLIC_WRITES": "true"}.items():
        monkeypatch.setenv(name, value)
    authorize_writes._keys.cache_clear()
    assert answer_of()[1]["subject"] == ""
    assert answer_of(authorization=f"bearer {issuer.token()}")[1]["subject"] == "alice"
    assert answer_of(Authorization=f"Bearer {issuer.token(aud='x')}")[0] == "Deny"
    several = {**event(Authorization="x"), "multiValueHeaders": {"authorization": ["x", "y"]}}
    assert authorize_writes.handler(several, None)["policyDocument"]["Statement"][0]["Effect"] == "Deny"


def test_without_an_audience_every_token_is_refused(issuer: Issuer) -> None:
    with pytest.raises(tokens.BadToken, match="JwtAudience"):
        tokens.verify(issuer.token(), shipped.Keys(issuer.url), "")


def test_clocks_may_differ_by_a_minute(issuer: Issuer) -> None:
    keys = shipped.Keys(issuer.url)
    now = int(time.time())
    assert tokens.verify(issuer.token(exp=now - 50, iat=now + 50, nbf=now + 50), keys, AUDIENCE)[0] == "alice"


def test_keys_are_read_once_in_five_minutes_and_used_for_an_hour_of_outage(issuer: Issuer, clock: Clock) -> None:
    fetched = 0

    def fetch(url: str) -> Any:
        nonlocal fetched
        fetched += 1
        if clock.now > 1000:
            raise OSError
        return within(60, lambda document: document(url))

    keys = shipped.Keys(issuer.url, fetch=fetch, clock=clock)
    for _ in range(100):
        assert keys.find("ec")
        assert keys.find("none") is keys.find(None) is None
    assert fetched == 2  # the discovery document, and the keys
    clock.now = shipped.LIFETIME + 1
    assert keys.find("ec")
    assert fetched == 4
    for clock.now in (1001, 1002, 1001 + shipped.OUTAGE_MAX / 2):
        assert keys.find("ec")
    with pytest.raises(shipped.IssuerUnreachable):
        keys.find("none")
    clock.now = 302 + shipped.OUTAGE_MAX
    for _ in range(100):
        with pytest.raises(shipped.IssuerUnreachable):
            keys.find("ec")
    assert fetched == 7  # at 1001, in the middle, and at the end


def test_a_key_that_the_issuer_withdrew_is_refused_after_five_minutes(issuer: Issuer, clock: Clock) -> None:
    keys = shipped.Keys(issuer.url, clock=clock)
    issuer.keys["gone"] = ec_key()
    assert keys.find("gone")
    del issuer.keys["gone"]
    clock.now = shipped.LIFETIME + 1
    assert keys.find("gone") is None


@pytest.fixture(scope="module")
def keys(issuer: Issuer) -> shipped.Keys:
    return shipped.Keys(issuer.url)


@given(text=st.text() | st.from_regex(r"[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*", fullmatch=True))
def test_any_text_is_a_bad_token(text: str, keys: shipped.Keys) -> None:
    with pytest.raises(tokens.BadToken):
        tokens.verify(tokens.bearer(f"Bearer {text}"), keys, AUDIENCE)


def test_a_change_does_not_reach_an_image_that_got_another_owner_meanwhile(world: World) -> None:
    """Between the read and the write of Alice's PATCH, her picture is deleted and uploaded by Bob."""
    alice = {"subject": "alice", "scope": "images:write images:delete"}
    bob = alice | {"subject": "bob"}
    content = pictures.tiny(1)
    name = pictures.name_of(content)
    body, content_type = pictures.multipart_body([("label", "cat"), ("img", pictures.File(content))])
    headers, path = {"Content-Type": content_type}, f"/images/cat/{name}"

    def upload(who: dict[str, str]) -> Any:
        return call(upload_image, "POST", "/upload", "/upload", body=body, headers=headers, authorizer=who)

    def delete(who: dict[str, str]) -> Any:
        return call(delete_image, "DELETE", IMAGE, path, authorizer=who)

    def chunk() -> str:
        (item,) = [row for (label, _), row in world.tables[TABLE].items() if label == "cat"]
        return str(item["chunkNumber"]["N"])

    assert upload(alice)["statusCode"] == 201

    def meanwhile(operation: str) -> None:
        if operation == "transact_write_items":
            world.pause = lambda _: None
            before = chunk()
            assert delete(alice)["statusCode"] == 204
            assert upload(bob)["statusCode"] == 201
            while chunk() != before:  # the place that Alice's image had
                assert delete(bob)["statusCode"] == 204
                assert upload(bob)["statusCode"] == 201

    world.pause = meanwhile
    patched = call(
        *(edit_image, "PATCH", IMAGE, path),
        body=b'{"weight": 0.7}',
        headers={"Content-Type": "application/json"},
        authorizer=alice,
    )
    assert patched["statusCode"] == 403
    (item,) = [row for (label, _), row in world.tables[TABLE].items() if label == "cat"]
    assert (item["owner"]["S"], item["weight"]["N"]) == ("bob", "500000000")
