"""GET /status tells what the other routes do: who may write, which labels are taken, what searches."""

from typing import Any
from unittest import mock

import boto3
import pytest

from shared import aws, limits, settings, tiles
from shared.images import CONTENT_TYPES
from tests.support import pictures
from tests.support.answers import conforms, problem
from tests.support.cloud import functions
from tests.support.hosts import Api, json_of

in_make_run = pytest.mark.also_in_make_run(why="the settings come from template.yaml, by way of SSM")


def status_of(api: Api) -> Any:
    answer = api.get("/status")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    found = json_of(answer)
    conforms(found, "Status")
    return found


@in_make_run
def test_the_status_is_that_of_an_open_service_which_takes_any_label(api: Api) -> None:
    assert status_of(api) == {
        "writes": "open",
        "labels": None,
        "search": "none",
        "mosaicTilesMin": tiles.TILES_MIN,
        "formMax": limits.BODY_MAX,
        "fileMax": limits.FILE_MAX,
        "contentTypes": sorted(CONTENT_TYPES.values()),
    }
    assert api.upload(pictures.tiny(0)).status == 201


@in_make_run
def test_caches_ask_for_the_status_each_time(api: Api) -> None:
    answer = api.get("/status")
    assert answer.headers["cache-control"] == "no-cache"
    unchanged = api.get("/status", if_none_match=answer.headers["etag"])
    assert (unchanged.status, unchanged.body, unchanged.headers["etag"]) == (304, b"", answer.headers["etag"])
    assert api.get("/status", if_none_match='"other"').status == 200
    problem(api.get("/status?label=cat"), 400, field="label")
    assert api.host.request("POST", "/status").headers["allow"] == "GET, HEAD, OPTIONS"


def set_in_ssm(name: str, value: str) -> None:
    """Let SSM say so, and let the function read it at once, as a container of a new deploy does."""
    boto3.client("ssm").put_parameter(Name=f"/pet-api/production/{name}", Value=value, Type="String", Overwrite=True)
    settings._cache.cache_clear()


@pytest.mark.parametrize(
    ("value", "labels"),
    [("cat,dog", ["cat", "dog"]), (" Dog ,, cat", ["cat", "dog"]), ("*", None), ("cat, *", None)],
)
def test_the_labels_are_those_that_an_upload_may_name(api: Api, value: str, labels: list[str] | None) -> None:
    set_in_ssm("labels", value)
    assert status_of(api)["labels"] == labels
    others = Api(api.host, "bird")
    assert others.upload(pictures.tiny(0)).status == (201 if labels is None else 422)
    for label in labels or ():
        assert Api(api.host, label).upload(pictures.tiny(0)).status == 201


def test_closed_writes_are_closed_whoever_may_write_otherwise(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    set_in_ssm("writes", "closed")
    assert status_of(api)["writes"] == "closed"
    assert api.upload(pictures.tiny(0)).status == 503
    monkeypatch.setenv("PUBLIC_WRITES", "false")
    assert status_of(api)["writes"] == "closed"
    set_in_ssm("writes", "open")
    assert status_of(api)["writes"] == "disabled"


@pytest.mark.parametrize(
    ("public", "issuer", "writes"),
    [
        *(("true", "", "open"), ("true", "https://issuer.example.com", "open")),
        *(("false", "https://issuer.example.com", "token"), ("false", "", "disabled"), (None, None, "disabled")),
    ],
)
def test_who_may_write_is_what_the_authorizer_decides(
    api: Api, monkeypatch: pytest.MonkeyPatch, public: str | None, issuer: str | None, writes: str
) -> None:
    for name, value in {"PUBLIC_WRITES": public, "JWT_ISSUER": issuer}.items():
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)
    assert status_of(api)["writes"] == writes
    answer = api.upload(pictures.tiny(0))  # without a token
    assert answer.status == {"open": 201, "token": 401, "disabled": 403}[writes]


def test_the_status_and_the_authorizer_have_the_same_settings() -> None:
    of = {
        name: functions()[f"{name}Function"]["Properties"]["Environment"]["Variables"]
        for name in ("Authorize", "Search", "Browse")
    }
    for name, other in (("JWT_ISSUER", "Authorize"), ("PUBLIC_WRITES", "Authorize"), ("ENCODER", "Search")):
        assert of["Browse"][name] == of[other][name]


def test_the_status_asks_aws_once_in_five_minutes(api: Api) -> None:
    status_of(api)
    calls: list[str] = []
    with mock.patch.object(
        aws.ssm()._endpoint,
        "make_request",
        side_effect=lambda model, _: calls.append(model.name),  # type: ignore[attr-defined]
    ):
        for _ in range(3):
            status_of(api)
    assert calls == []
