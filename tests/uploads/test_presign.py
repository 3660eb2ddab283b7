"""POST /uploads refuses wrong requests and stores nothing of them. GET shows the state of an upload."""

import base64
import json
from datetime import datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ReadTimeoutError

import presign_upload
from shared import aws
from shared.limits import FILE_MAX
from shared.uploads.upload import FORM_LIFETIME, FORM_LIFETIME_BEFORE, INGEST_ALLOWANCE, LIFETIME
from tests.support.cloud import template
from tests.support.hosts import Api, Handlers, json_of
from tests.support.local_service import Answer

JSON = "application/json"


@pytest.fixture
def cat(moto_aws: None) -> Api:
    return Api(Handlers(), "cat")


def ask(api: Api, body: bytes, content_type: str = JSON) -> Answer:
    return api.host.request("POST", "/uploads", body, {"Content-Type": content_type})


def stored() -> list[Any]:
    """Return the items of all uploads."""
    return boto3.client("dynamodb").scan(TableName="UploadsTable")["Items"]


REFUSED = {
    # body -> status and field of the refusal
    '{"weight": 0.5}': (400, "label"),
    "{}": (400, "label"),
    '{"label": "cat", "colour": "red"}': (400, "colour"),
    '{"label": "cat", "id": "x"}': (400, "id"),
    '{"label": "cat", "owner": "somebody"}': (400, "owner"),
    '{"label": 1}': (400, "label"),
    '{"label": null}': (400, "label"),
    '{"label": ["cat"]}': (400, "label"),
    '{"label": "c_t"}': (422, "label"),
    '{"label": ""}': (422, "label"),
    '{"label": "cat", "weight": "0.5"}': (400, "weight"),
    '{"label": "cat", "weight": true}': (400, "weight"),
    '{"label": "cat", "weight": 0}': (422, "weight"),
    '{"label": "cat", "weight": 1}': (422, "weight"),
    '{"label": "cat", "weight": -0.5}': (422, "weight"),
    '{"label": "cat", "weight": 0.1234567891}': (422, "weight"),
    '{"label": "cat", "weight": 1e-999999999}': (422, "weight"),
    '{"label": "cat", "weight": NaN}': (400, "weight"),
    '{"label": "cat", "tags": "fluffy"}': (400, "tags"),
    '{"label": "cat", "tags": [1]}': (400, "tags"),
    '{"label": "cat", "tags": ["a b"]}': (422, "tags"),
    '{"label": "cat", "tags": ["a", "a"]}': (422, "tags"),
    '{"label": "cat", "tags": ["a", "b", "c", "d", "e", "f"]}': (422, "tags"),
    '{"label": "cat", "filename": 1}': (400, "filename"),
    '{"label": "cat", "filename": "../cat.jpg"}': (422, "filename"),
    '{"label": "cat", "tag_from_labels": 1}': (400, "tag_from_labels"),
    '{"label": "cat", "tag_from_labels": "true"}': (400, "tag_from_labels"),
    '{"label": "cat", "allow_insecure_callback": null}': (400, "allow_insecure_callback"),
    '{"label": "cat", "callback_url": 1}': (400, "callback_url"),
    '{"label": "cat", "callback_url": ""}': (422, "callback_url"),
    '{"label": "cat", "callback_url": "done"}': (422, "callback_url"),
    '{"label": "cat", "callback_url": "http://example.com/done"}': (422, "callback_url"),
    '{"label": "cat", "callback_url": "ftp://example.com/done"}': (422, "callback_url"),
    '{"label": "cat", "callback_url": "https://127.0.0.1/done"}': (422, "callback_url"),
    '{"label": "cat", "callback_url": "https://localhost/done"}': (422, "callback_url"),
    '{"label": "cat", "callback_url": "https://[::1]/done"}': (422, "callback_url"),
    '{"label": "cat", "callback_url": "https://169.254.169.254/latest/meta-data"}': (422, "callback_url"),
    '{"label": "cat", "callback_url": "https://user:word@example.com/done"}': (422, "callback_url"),
    '{"label": "cat", "callback_url": "https://127.0.0.1/", "allow_insecure_callback": true}': (422, "callback_url"),
    '{"label": "cat", "label": "dog"}': (400, "label"),
    '{"label": "cat", "tags": [], "tags": ["a"]}': (400, "tags"),
    '{"label": "cat"': (400, None),
    "label=cat": (400, None),
    "": (400, None),
    "null": (400, None),
    '["cat"]': (400, None),
    "[" * 100_000: (400, None),
}


def test_a_wrong_body_is_refused_by_its_wrong_member_and_nothing_is_stored(cat: Api) -> None:
    for body, (status, field) in REFUSED.items():
        answer = ask(cat, body.encode())
        problem = json_of(answer)
        assert (answer.status, problem["status"]) == (status, status), body[:80]
        assert answer.headers["content-type"] == "application/problem+json"
        assert [error["field"] for error in problem.get("errors", [])] == ([field] if field else []), body[:80]
    assert stored() == []


def test_a_body_that_is_not_text_is_refused(cat: Api) -> None:
    assert ask(cat, b'{"label": "\xff"}').status == 400
    assert stored() == []


def test_another_media_type_is_refused(cat: Api) -> None:
    for content_type in ("", "text/plain", "multipart/form-data; boundary=x", "application/jsonp"):
        answer = ask(cat, b'{"label": "cat"}', content_type)
        assert answer.status == 415, content_type
        assert "Send JSON" in json_of(answer)["detail"]
    assert stored() == []


def test_a_label_that_is_not_allowed_is_refused(cat: Api) -> None:
    boto3.client("ssm").put_parameter(Name="/pet-api/production/labels", Value="cat,dog", Overwrite=True)
    answer = ask(cat, b'{"label": "bird"}')
    assert answer.status == 422
    assert json_of(answer)["errors"][0]["field"] == "label"
    assert stored() == []


def test_an_upload_is_stored_once_and_waits_for_its_file(cat: Api) -> None:
    answer = ask(cat, b'{"label": " Cat ", "weight": 0.125, "tags": ["b", "A"], "filename": "c.jpg"}')
    shown = json_of(answer)
    (item,) = stored()
    assert answer.status == 201
    assert answer.headers["location"] == shown["status_url"]
    assert (item["id"]["S"], item["label"]["S"], item["weight"]["N"]) == (shown["id"], "cat", "125000000")
    assert int(item["expires"]["N"]) == int(item["created"]["N"]) + LIFETIME
    form = shown.pop("upload_info")
    assert form["fields"]["key"] == f"incoming/{shown['id']}"
    assert json_of(cat.get(shown["status_url"])) == shown
    assert shown["state"] == "waiting"
    assert "error" not in shown


def test_two_equal_requests_get_two_uploads(cat: Api) -> None:
    first, second = (json_of(ask(cat, b'{"label": "cat"}')) for _ in range(2))
    assert first["id"] != second["id"]
    assert len(stored()) == 2


def test_a_form_comes_though_the_answer_to_the_first_write_was_lost(cat: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """DynamoDB has stored the upload then, and botocore sends the same request again."""
    lost: list[str] = []

    def lose_the_first_answer(request: Any, **_: object) -> None:
        if not lost:
            lost.append(request.url)
            boto3.client("dynamodb").put_item(**json.loads(request.body))
            raise ReadTimeoutError(endpoint_url=request.url)

    aws.dynamodb().meta.events.register_first("before-send.dynamodb.PutItem", lose_the_first_answer)
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    answer = ask(cat, b'{"label": "cat"}')
    assert lost
    assert answer.status == 201, answer.body
    (item,) = stored()
    assert json_of(answer)["id"] == item["id"]["S"]


def test_an_id_that_no_upload_can_have_is_404(cat: Api) -> None:
    for upload_id in ("a" * 3000, "A" * 32, "..", "%00" * 32):
        assert cat.get(f"/uploads/{upload_id}").status == 404, upload_id


def test_an_unknown_upload_is_404(cat: Api) -> None:
    for upload_id in ("0" * 32, "x", "0" * 3000, "%00", "é"):
        answer = cat.get(f"/uploads/{upload_id}")
        assert answer.status == 404, upload_id
        assert "fifteen days" in json_of(answer)["detail"]


def test_an_upload_whose_form_expired_unused_says_so(cat: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = json_of(ask(cat, b'{"label": "cat"}'))
    created = int(stored()[0]["created"]["N"])

    class Clock:
        now = created + FORM_LIFETIME + INGEST_ALLOWANCE

        def time(self) -> float:
            return self.now

    clock = Clock()
    monkeypatch.setattr(presign_upload, "time", clock)
    assert "error" not in json_of(cat.get(shown["status_url"]))
    clock.now += 1
    late = json_of(cat.get(shown["status_url"]))
    assert (late["state"], late["error"]["status"], late["error"]["title"]) == ("waiting", 410, "Gone")
    assert late["expires"] in late["error"]["detail"]
    assert "ask for another form" in late["error"]["detail"]


def policy_of(shown: Any) -> Any:
    """Return what an upload's form allows."""
    return json.loads(base64.b64decode(shown["upload_info"]["fields"]["policy"]))


@pytest.mark.parametrize("chosen", [None, "", "60", "3600"])
def test_the_form_works_as_long_as_expires_promises(
    cat: Api, monkeypatch: pytest.MonkeyPatch, chosen: str | None
) -> None:
    """Without the variable, as during a deploy, for the template's default."""
    monkeypatch.delenv("FORM_LIFETIME", raising=False)
    if chosen is not None:
        monkeypatch.setenv("FORM_LIFETIME", chosen)
    default = template()["Parameters"]["FormLifetime"]["Default"]
    shown = json_of(ask(cat, b'{"label": "cat"}'))
    until, shown_until = (datetime.fromisoformat(text) for text in (policy_of(shown)["expiration"], shown["expires"]))
    assert 0 <= (until - shown_until).total_seconds() <= 30, "a slow machine may take a while between the two"
    assert shown_until - datetime.fromisoformat(shown["created"]) == timedelta(seconds=int(chosen or default))


def test_a_form_keeps_its_end_when_the_stack_gets_another_lifetime(cat: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORM_LIFETIME", "120")
    shown = json_of(ask(cat, b'{"label": "cat"}'))
    monkeypatch.setenv("FORM_LIFETIME", "3600")
    assert json_of(cat.get(shown["status_url"]))["expires"] == shown["expires"]


def test_a_form_of_before_has_the_hour_that_it_promised(cat: Api) -> None:
    shown = json_of(ask(cat, b'{"label": "cat"}'))
    (item,) = stored()
    del item["formLifetime"]
    boto3.client("dynamodb").put_item(TableName="UploadsTable", Item=item)
    of_before = json_of(cat.get(shown["status_url"]))
    begun, until = (datetime.fromisoformat(of_before[name]) for name in ("created", "expires"))
    assert until - begun == timedelta(hours=1) == timedelta(seconds=FORM_LIFETIME_BEFORE)


def test_the_form_takes_one_key_and_20_mb(cat: Api) -> None:
    shown = json_of(ask(cat, b'{"label": "cat"}'))
    policy = policy_of(shown)
    assert {"bucket": "incoming"} in policy["conditions"]
    assert {"key": f"incoming/{shown['id']}"} in policy["conditions"]
    assert ["content-length-range", 1, FILE_MAX] in policy["conditions"]
    assert ["starts-with", "$Content-Type", ""] in policy["conditions"]
    assert shown["upload_info"]["fields"]["Content-Type"] == "application/octet-stream"
