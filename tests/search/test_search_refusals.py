"""What a search refuses, in the words of the other routes; that it stores nothing, and that no log has its text."""

from dataclasses import replace
from typing import Any
from urllib.parse import quote

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import searching
from shared import aws
from shared.limits import BODY_MAX
from shared.tiles import Tile
from shared.vectors.encoder import CannotBeCompared, EncoderBusy
from tests.support import hostile_pictures, search_refusals
from tests.support.answers import problem
from tests.support.cloud import ROOT
from tests.support.hosts import Api, Handlers, json_of
from tests.support.pictures import File, jpeg, multipart_body, png
from tests.support.search_scene import SearchScene, by_picture, found

CASES = ROOT / "tests/images/cases"


def test_a_wrong_search_names_the_parameter(scene: SearchScene, subtests: pytest.Subtests) -> None:
    for path, (status, field) in search_refusals.WRONG.items():
        with subtests.test(path[:60]):
            problem(scene.api.get(path), status, field=field)
    assert scene.encoder.asked == 0


GROUPS = [
    group if group == "others" else pytest.param(group, marks=pytest.mark.slow) for group in hostile_pictures.REFUSED
]


@pytest.mark.parametrize("group", GROUPS)
def test_a_picture_that_no_upload_takes_is_refused_in_the_same_words(
    scene: SearchScene, group: str, subtests: pytest.Subtests
) -> None:
    pictures, status = hostile_pictures.REFUSED[group]
    before = stored(scene)
    for name, content in pictures.items():
        with subtests.test(name):
            uploaded, searched = scene.api.upload(content), by_picture(scene.api, content)
            assert json_of(searched)["detail"] == json_of(uploaded)["detail"]
            problem(searched, status, field="img")
    assert scene.encoder.asked == 0
    assert stored(scene) == before


@pytest.mark.parametrize("name", sorted(path.name for path in CASES.iterdir() if path.suffix in (".jpg", ".png")))
def test_an_odd_picture_stores_nothing_and_is_no_5xx(slow_tier: None, scene: SearchScene, name: str) -> None:
    before = stored(scene)
    answer = by_picture(scene.api, (CASES / name).read_bytes())
    assert answer.status in (200, 415, 422), answer
    assert stored(scene) == before


def stored(scene: SearchScene) -> Any:
    """Return all objects, rows and vectors."""
    s3, dynamodb = boto3.client("s3"), boto3.client("dynamodb")
    objects = [s3.list_object_versions(Bucket=bucket).get("Versions", []) for bucket in ("pictures", "thumbnails")]
    rows = [dynamodb.scan(TableName=name)["Items"] for name in dynamodb.list_tables()["TableNames"]]
    return objects, rows, list(scene.index.pages())


def test_a_wrong_form_is_refused(scene: SearchScene, subtests: pytest.Subtests) -> None:
    for what, (fields, status, field) in search_refusals.FORMS.items():
        body, content_type = multipart_body(fields)
        with subtests.test(what):
            answer = scene.api.host.request("POST", "/search", body, {"Content-Type": content_type})
            problem(answer, status, field=field)


def test_a_body_that_is_no_form_or_too_large_is_refused(scene: SearchScene) -> None:
    problem(scene.api.host.request("POST", "/search", b"{}", {"Content-Type": "application/json"}), 415)
    problem(scene.api.host.request("POST", "/search"), 415)
    problem(by_picture(scene.api, png(1), query="?q=cat"), 400, field="q")
    assert "4,500,000" in problem(by_picture(scene.api, bytes(BODY_MAX)), 413)


def test_a_text_file_a_broken_and_a_hostile_picture_are_refused(scene: SearchScene) -> None:
    """A few of each kind; the slow tier has all."""
    before = stored(scene)
    for content in (b"text", png(1)[:-20], hostile_pictures.EICAR, jpeg(1)[:200]):
        problem(by_picture(scene.api, content), 415, field="img")
    assert stored(scene) == before


def test_what_the_encoder_does_not_take_is_422_and_what_it_is_too_busy_for_is_503(scene: SearchScene) -> None:
    image = scene.add(png(1))
    scene.encoder.refuses = CannotBeCompared("The model finds it too small")
    assert problem(by_picture(scene.api, png(1)), 422, field="img").endswith("The model finds it too small.")
    assert problem(scene.api.get("/search?q=a"), 422, field="q").endswith("The model finds it too small.")
    scene.encoder.refuses = EncoderBusy("The model sleeps.")
    for answer in (by_picture(scene.api, png(1)), scene.api.get("/search?q=a")):
        assert "retry" in problem(answer, 503)
        assert answer.headers["retry-after"] == "1"
    assert found(scene.api.get(f"/images/{image['id']}/similar")) == []  # which asks no model


def test_a_busy_index_is_503(scene: SearchScene, monkeypatch: pytest.MonkeyPatch) -> None:
    image = scene.add(png(1))

    def busy(*_: object, **__: object) -> None:
        raise ClientError({"Error": {"Code": "TooManyRequestsException", "Message": ""}}, "QueryVectors")

    monkeypatch.setattr(aws.s3vectors(), "get_paginator", busy)
    for answer in (
        by_picture(scene.api, png(1)),
        scene.api.get("/search?q=a"),
        scene.api.get(f"/images/{image['id']}/similar"),
    ):
        problem(answer, 503)
        assert answer.headers["retry-after"] == "1"


def test_a_picture_that_the_encoder_refused_is_422_for_ever_and_not_409(scene: SearchScene) -> None:
    image = scene.upload(png(1))
    path = f"/images/{image['id']}/similar"
    row = scene.row(image["id"])
    assert row
    for version, by, status in (
        (row.version_id, "", 422),
        (row.version_id, "lite0-80-1", 422),
        (row.version_id, "titan-1024-1", 409),
        ("older", "", 409),
    ):
        scene.tiles.put(Tile(row.label, row.name, version, refused="Its pixels cannot be decoded.", refused_by=by))
        detail = problem(scene.api.get(path), status)
        assert ("cannot be compared" in detail) == (status == 422)


def test_while_another_encoder_is_deployed_a_search_is_503(scene: SearchScene, monkeypatch: pytest.MonkeyPatch) -> None:
    image, now = scene.add(png(1)), searching.read_settings()
    other = replace(now, vector_index=now.vector_index.replace("lite0-80-1", "titan-1024-1"))
    monkeypatch.setattr(searching, "read_settings", lambda: other)
    for answer in (
        by_picture(scene.api, png(1)),
        scene.api.get("/search?q=a"),
        scene.api.get(f"/images/{image['id']}/similar"),
    ):
        assert "is being changed" in problem(answer, 503)


def test_without_an_encoder_a_search_says_what_its_operator_can_do(moto_aws: None) -> None:
    api = Api(Handlers(), "cat")
    image = json_of(api.upload(png(1)))
    body, content_type = multipart_body([("img", File(png(1)))])
    for answer in (
        api.get(f"/images/{image['id']}/similar"),
        api.get("/search?q=cat"),
        api.host.request("POST", "/search", body, {"Content-Type": content_type}),
    ):
        assert "parameter Encoder" in problem(answer, 422)
    problem(api.get("/search"), 400, field="q")


# --- the text is in no log ---


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(), max_size=30))
@example("\ud800")
@example("a\x00")
@example("%00' OR 1=1 --")
@example("{{7*7}}")
@example("é" * 100)
def test_any_text_is_200_or_422_and_in_no_log(scene: SearchScene, caplog: pytest.LogCaptureFixture, text: str) -> None:
    sent = text.encode("utf-8", "surrogatepass").decode("utf-8", "replace") + " Xylophonquark"
    caplog.clear()
    answer = scene.api.get(f"/search?q={quote(sent, safe='')}&k=1")
    assert answer.status in (200, 422), (text, answer)
    logged = "\n".join([caplog.text, *(str(vars(record)) for record in caplog.records)])
    assert "GET /search" in logged
    assert "ylophonquar" not in logged
