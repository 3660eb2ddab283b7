"""Where links begin, the slash behind the stage, and requests that go around the CDN."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import web_page
from shared.api.endpoint import Request, Response, endpoint

GATEWAY = "abc123.execute-api.eu-west-1.amazonaws.com"
DOMAIN = "pets.example.com"


def event(path: str = "/x", *, host: str = GATEWAY, whole: str | None = None, **changes: Any) -> dict[str, Any]:
    return {
        "resource": path,
        "path": path,
        "httpMethod": "GET",
        "headers": {"Host": host, "X-Forwarded-Proto": "https"},
        "requestContext": {"path": f"/Prod{path}" if whole is None else whole, "stage": "Prod", "requestId": "the-id"},
        **changes,
    }


def echo(request: Request) -> Response:
    return Response(200, json.dumps(request.base_url), {"Cache-Control": "public, max-age=60"})


HANDLER = endpoint({"/x": {"GET": echo}})


def link(**changes: Any) -> Any:
    return json.loads(HANDLER(event(**changes), None)["body"])


# -- where links begin -------------------------------------------------------------------------------------------


def test_the_stage_is_in_the_address_of_the_gateway_only() -> None:
    assert link() == f"https://{GATEWAY}/Prod/"
    assert link(host=DOMAIN, whole="/x") == f"https://{DOMAIN}/"  # its stage is Prod, too
    assert link(host=DOMAIN, whole="/v1/x") == f"https://{DOMAIN}/v1/"


def test_the_stage_is_in_links_also_where_the_path_does_not_show_it() -> None:
    assert link(whole="/Prod") == link(whole="/x") == link(whole="/{x}") == f"https://{GATEWAY}/Prod/"


def test_with_a_link_base_the_stage_is_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINK_BASE", f"https://{DOMAIN}/")
    assert link() == link(host=DOMAIN, whole="/x") == f"https://{DOMAIN}/"


@pytest.mark.parametrize("host", ["a" * 253, "A.b-c:1", "127.0.0.1:3000", "localhost:99999"])
def test_a_host_is_repeated_with_its_port(host: str) -> None:
    assert link(host=host, whole="/x") == f"https://{host}/"


@given(st.text(st.sampled_from("aZ09.-:_ \u0663\u00e9\n/@["), max_size=8) | st.sampled_from(["a" * 254, "a:123456"]))
def test_any_other_host_is_not_repeated(host: str) -> None:
    valid = re.fullmatch(r"[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?", host)
    assert link(host=host, whole="/x") == (f"https://{host}/" if valid else "/")


# -- the slash ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", ["/", ""])
def test_the_stage_without_its_slash_is_redirected_to_the_stage(method: str, path: str) -> None:
    answer = web_page.handler({**event("/", whole="/Prod", httpMethod=method), "path": path}, None)
    assert (answer["statusCode"], answer["headers"]["Location"], answer["body"]) == (308, "/Prod/", "")
    assert answer["headers"]["Cache-Control"] == "no-store"


@pytest.mark.parametrize("whole", ["/Prod/", "/", ""])
def test_the_page_is_served_where_the_slash_is(whole: str) -> None:
    assert web_page.handler(event("/", whole=whole), None)["statusCode"] == 200


def test_nothing_but_the_page_is_redirected() -> None:
    assert HANDLER(event("/x", whole="/Prod"), None)["statusCode"] == 200
    assert web_page.handler(event("/", whole="/Prod", httpMethod="POST"), None)["statusCode"] == 405
    assert web_page.handler(event("/", whole="/Prod", httpMethod="OPTIONS"), None)["statusCode"] == 204


# -- around the CDN ----------------------------------------------------------------------------------------------


def status(name: str = "X-Origin-Secret", value: str | None = None, **changes: Any) -> Any:
    headers = {"Host": GATEWAY} | ({name: value} if value is not None else {})
    return HANDLER(event(headers=headers, **changes), None)["statusCode"]


def test_without_the_setting_every_address_serves() -> None:
    assert status() == status(value="anything") == 200


@pytest.mark.parametrize("setting", ["new", "new old"])
def test_only_requests_with_a_secret_of_the_setting_are_served(setting: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORIGIN_SECRETS", setting)
    assert status(value="new") == status("x-ORIGIN-secret", "new") == 200
    assert status(value="old") == (200 if "old" in setting else 403)
    for wrong in (None, "", " ", "ne", "newer", "new old", setting.upper(), "\ud800", "ñ"):
        assert status(value=wrong) == 403, wrong


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST", "TRACE"])
def test_around_the_cdn_every_method_and_path_is_403_that_names_the_address(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORIGIN_SECRETS", "secret")
    monkeypatch.setenv("LINK_BASE", f"https://{DOMAIN}/")
    for path in ("/x", "/nothing"):
        answer = HANDLER(event(path, httpMethod=method), None)
        assert (answer["statusCode"], answer["headers"]["Cache-Control"]) == (403, "no-store")
        assert f"send the request to https://{DOMAIN}/." in json.loads(answer["body"])["detail"]
        assert "secret" not in answer["body"]


# -- a method from a header --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "x-http-method-override"])
@pytest.mark.parametrize("value", ["GET", "HEAD", "", "nonsense"])
def test_no_cache_keeps_the_answer_to_a_method_from_a_header(name: str, value: str) -> None:
    kept = HANDLER(event(), None)["headers"]["Cache-Control"]
    unkept = HANDLER(event(headers={"Host": GATEWAY, name: value}), None)["headers"]["Cache-Control"]
    assert (kept, unkept) == ("public, max-age=60", "no-store")
