"""A cache between clients and petAPI that follows the template: nobody poisons it, draws are not shared, pictures are.

petAPI is `make run`, whose front obeys X-HTTP-Method-Override as API Gateway does.
"""

import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier

import pytest

from tests.support import pictures
from tests.support.accept_table import TABLE
from tests.support.caching_proxy import CACHING_DISABLED, CachingProxy
from tests.support.cloud import routes
from tests.support.deployed import Deployed
from tests.support.edge_function import headers_after
from tests.support.hosts import Api, Handlers, Host, Running, json_of, new_label
from tests.support.local_service import Answer, LocalService

MANY = 4
PATIENCE = 120  # seconds, on a busy machine
OVERRIDE = "X-HTTP-Method-Override"


@pytest.fixture
def direct(running: LocalService) -> Api:
    """Return `make run`, with a label of this test's own."""
    return Api(Running(running), new_label())


@dataclass(frozen=True)
class Picture:
    path: str
    content: bytes


@pytest.fixture
def picture(direct: Api) -> Picture:
    """Return a stored picture."""
    stored = direct.upload(pictures.png(1), "0.5")
    path = "/images/" + json_of(stored)["id"]
    return Picture(path, direct.get(path).body)


# -- nobody poisons it -------------------------------------------------------------------------------------------

Attack = Callable[[CachingProxy, str], object]


def overridden(method: str) -> Attack:
    return lambda cdn, path: cdn.request("GET", path, headers={OVERRIDE: method})


METHODS = ("HEAD", "OPTIONS", "POST", "DELETE", "PATCH", "TRACE", "GET", "nonsense")
ATTACKS: dict[str, Attack] = {
    **{f"GET overridden by {method}": overridden(method) for method in METHODS},
    "HEAD": lambda cdn, path: cdn.request("HEAD", path),
    "HEAD overridden by GET": lambda cdn, path: cdn.request("HEAD", path, headers={OVERRIDE: "GET"}),
    "a body": lambda cdn, path: cdn.request("GET", path, b"x"),
    "a body in JSON": lambda cdn, path: cdn.request("GET", path, b"{}", {"Content-Type": "application/json"}),
    "an unknown size": lambda cdn, path: cdn.request("GET", f"{path}?size=7"),
    "an encoding": lambda cdn, path: cdn.request("GET", path, headers={"Content-Encoding": "gzip"}),
    "a condition": lambda cdn, path: cdn.request("GET", path, headers={"If-None-Match": "*"}),
    "a range": lambda cdn, path: cdn.request("GET", path, headers={"Range": "bytes=0-0"}),
    "another host": lambda cdn, path: cdn.request("GET", path, headers={"X-Forwarded-Host": "evil.test"}),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_after_any_request_a_client_gets_the_whole_picture(attack: str, direct: Api, picture: Picture) -> None:
    cdn = CachingProxy(direct.host)
    ATTACKS[attack](cdn, picture.path)
    got = cdn.request("GET", picture.path)
    assert (got.status, got.body) == (200, picture.content)
    assert got.headers["content-type"] == "image/png"


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "POST", "GET"])
def test_an_answer_to_another_method_is_not_kept_where_the_header_passes(
    method: str, direct: Api, picture: Picture
) -> None:
    cdn = CachingProxy(direct.host, forwards=lambda name: name != "host")
    overridden = cdn.request("GET", picture.path, headers={OVERRIDE: method})
    assert overridden.headers["cache-control"] == "no-store"
    assert cdn.entries == {}
    assert cdn.request("GET", picture.path).body == picture.content


def test_a_cache_without_both_defences_is_poisoned(direct: Api, picture: Picture) -> None:
    """So these tests can fail."""
    cdn = CachingProxy(direct.host, forwards=lambda name: name != "host", believes_no_store=False)
    cdn.request("GET", picture.path, headers={OVERRIDE: "OPTIONS"})
    assert cdn.request("GET", picture.path).body == b""


def test_what_writes_and_who_writes_passes(direct: Api, picture: Picture) -> None:
    cdn = CachingProxy(direct.host)
    through = Api(cdn, direct.label)
    assert through.upload(pictures.png(2), Authorization="Bearer token").status == 201
    assert cdn.forwarded[-1][2]["authorization"] == "Bearer token"
    assert through.patch(picture.path, {"weight": 0.25}).status == 200
    assert through.delete(picture.path).status == 204
    assert {method for method, _, _ in cdn.forwarded} == {"POST", "PATCH", "DELETE"}
    assert cdn.entries == {}


# -- draws are never shared --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Meeting:
    """An origin that answers once `parties` requests are there, so that none of them may wait for another's answer."""

    origin: Host
    barrier: Barrier

    def request(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        self.barrier.wait(PATIENCE)
        return self.origin.request(method, path, body, headers)


def at_once(cdn: CachingProxy, path: str) -> list[Answer]:
    with ThreadPoolExecutor(MANY) as threads:
        return list(threads.map(lambda _: cdn.request("GET", path), range(MANY)))


@pytest.mark.parametrize("path", ["/random?label={}", "/random/{}", "/random.json?label={}", "/random/{}?size=256"])
def test_equal_draws_at_once_and_one_after_the_other_are_each_drawn(path: str, direct: Api, picture: Picture) -> None:
    path = path.format(direct.label)
    cdn = CachingProxy(Meeting(direct.host, Barrier(MANY)))
    assert {answer.status for answer in at_once(cdn, path)} <= {200, 302}  # 302 to a thumbnail that is made first
    assert len(cdn.forwarded) == MANY
    cdn = CachingProxy(direct.host)
    for _ in range(3):
        cdn.request("GET", path)
    assert len(cdn.forwarded) == 3
    assert cdn.entries == {}


def test_equal_requests_for_a_picture_at_once_are_one(direct: Api, picture: Picture) -> None:
    """So the test above can fail: here they wait for each other."""
    cdn = CachingProxy(direct.host)
    assert {answer.body for answer in at_once(cdn, picture.path)} == {picture.content}
    assert len(cdn.forwarded) == 1


def test_only_pictures_what_is_known_of_them_and_files_of_the_page_can_be_kept() -> None:
    cdn = CachingProxy(Handlers())
    cached = {path for path, _, _ in routes() if cdn.behaviour(sample(path))["CachePolicyId"] != CACHING_DISABLED}
    pictures = {"/images/{label}/{name}", "/images/{label}/{name}/info"}
    assert cached == {*pictures, "/web/{version}/{name}", "/web/{version}/library/{name}"}


def sample(pattern: str) -> str:
    """Return a path of this pattern."""
    names = {"label": "cat", "name": f"{1:032x}.jpg", "version": "0123", "id": "1", "proxy+": "else/where"}
    return pattern.format_map(names)


def test_what_is_known_of_an_image_is_asked_each_time(direct: Api, picture: Picture) -> None:
    cdn = CachingProxy(direct.host)
    for weight in (0.25, 0.125):
        direct.patch(picture.path, {"weight": weight})
        assert json_of(cdn.request("GET", f"{picture.path}/info"))["weight"] == weight


# -- a picture is one entry for all browsers that take WebP and one for the others --------------------------------


def test_all_browsers_share_two_entries_of_a_thumbnail(direct: Api, picture: Picture) -> None:
    accepts = [*TABLE]
    by_function = dict(zip(accepts, (each["accept"]["value"] for each in headers_after(accepts)), strict=True))
    cdn = CachingProxy(direct.host, reduce=by_function.__getitem__)
    for number, accept in enumerate(accepts):
        headers = {
            "Accept": accept,
            "Accept-Encoding": ("gzip, deflate, br", "gzip", "identity", "br;q=1.0, zstd")[number % 4],
            "User-Agent": f"browser {number}",
            "Cookie": f"visitor={number}",
        }
        got = cdn.request("GET", f"{picture.path}?size=256&utm_source={number}", headers=headers)
        expected = "image/webp" if TABLE[accept][4] == "webp" else "image/jpeg"
        assert (got.status, got.headers["content-type"]) == (200, expected), accept
    assert len(cdn.entries) == len(cdn.forwarded) == 2


def test_a_picture_whose_address_is_written_otherwise_is_the_same_entry(direct: Api, picture: Picture) -> None:
    cdn = CachingProxy(direct.host)
    for character in sorted(set(picture.path) - {"/", "."}):
        written = "/images/" + picture.path.removeprefix("/images/").replace(character, f"%{ord(character):02x}")
        assert cdn.request("GET", written).body == picture.content
    assert len(cdn.entries) == len(cdn.forwarded) == 1


def test_a_file_of_the_page_has_an_entry_for_each_encoding(direct: Api) -> None:
    page = direct.get("/").body.decode()
    (path,) = {f"/{found}" for found in re.findall(r"web/[0-9a-f]{16}/page\.css", page)}
    cdn = CachingProxy(direct.host)
    for accept, encodings in (("*/*", "gzip"), ("text/css", "gzip"), ("*/*", "gzip, br"), ("*/*", "identity")):
        for query in ("", "?utm_source=a"):
            headers = {"Accept": accept, "Accept-Encoding": encodings}
            assert cdn.request("GET", path + query, headers=headers).status == 200
    assert len(cdn.entries) == len(cdn.forwarded) == 3


# -- with CdnOnly=true nobody walks past it ----------------------------------------------------------------------


def test_with_its_secret_the_cdn_passes_and_nobody_else_does(monkeypatch: pytest.MonkeyPatch, moto_aws: object) -> None:
    domain = {"DomainName": "pets.example.com", "CertificateArn": "any"}
    deployed = Deployed(Cdn="true", CdnOnly="true", **domain)
    function = deployed.resources()["RandomFunction"]["Environment"]["Variables"]
    for name in ("ORIGIN_SECRETS", "LINK_BASE"):
        monkeypatch.setenv(name, function[name])
    cdn = CachingProxy(Handlers(), deployed=deployed)
    assert cdn.request("GET", "/labels").status == 200
    assert cdn.request("GET", "/labels", headers={"X-Origin-Secret": "a caller's"}).status == 200  # it is replaced
    refused = Handlers().request("GET", "/labels")
    assert (refused.status, "https://pets.example.com/" in refused.body.decode()) == (403, True)


@pytest.mark.parametrize("token", ["", "Bearer no.such.token"])
def test_no_token_is_looked_at_that_comes_past_the_cdn(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a stranger could let the authorizer ask the issuer for keys, and would get its 401."""
    monkeypatch.setenv("ORIGIN_SECRETS", "secret")
    monkeypatch.setenv("JWT_ISSUER", "https://issuer.example.com")
    monkeypatch.setenv("LINK_BASE", "https://pets.example.com/")
    handlers = Handlers()
    for method, path in (
        ("POST", "/upload"),
        ("POST", "/uploads"),
        ("GET", "/mine?label=cat"),
        ("DELETE", "/images/a/b"),
    ):
        answer = handlers.request(method, path, headers={"Authorization": token} if token else {})
        assert (answer.status, "https://pets.example.com/" in answer.body.decode()) == (403, True), path
