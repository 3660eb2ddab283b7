"""The log has ids, classes and lines of code, but no bytes, tokens, file names or other texts of callers."""

import json
import logging
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError, ParamValidationError

from shared import aws
from tests.support import pictures
from tests.support.cloud import template
from tests.support.hosts import Api, Handlers, Host, Running, json_of
from tests.support.local_service import ANSWER_MAX, Answer
from tests.support.log_lines import fields_of
from tests.support.pictures import File, chunk, multipart_body, png_with

pytestmark = pytest.mark.also_in_make_run(why="the log lines are those of a function that runs by itself", slow=True)

MARKER = "m4rker"
PICTURE = png_with(pictures.png(1), chunk(b"tEXt", b"Author\0" + MARKER.encode()))
LABEL, IMG = ("label", "{label}"), ("img", File(PICTURE))
SECRETS = {
    "Authorization": f"Bearer {MARKER}",
    "Cookie": f"session={MARKER}",
    "X-Api-Key": MARKER,
    "User-Agent": MARKER,
    "Referer": f"https://{MARKER}/",
    "X-Forwarded-For": MARKER,
}

# Form fields and their status.
FORMS: dict[str, tuple[list[tuple[str, Any]], int]] = {
    "a file name": ([LABEL, ("img", File(PICTURE, f"{MARKER}.png", f"image/{MARKER}"))], 201),
    "an unknown field": ([LABEL, IMG, (MARKER, "1")], 400),
    "a text for the file": ([LABEL, ("img", MARKER)], 400),
    "a file name for the label": ([("label", File(b"cat", MARKER)), IMG], 400),
    "a label": ([("label", f"{MARKER}!"), IMG], 422),
    "a weight": ([LABEL, IMG, ("weight", MARKER)], 422),
    "no picture": ([LABEL, ("img", File(MARKER.encode()))], 415),
    "a picture cut short": ([LABEL, ("img", File(PICTURE[:-9]))], 415),
    "a picture that does not decode": ([LABEL, ("img", File(PICTURE.replace(b"IDAT", b"iDAT", 1)))], 415),
}
# Method, path, body, content type, other headers, and the status.
NAME = "0" * 32 + ".png"
REQUESTS: dict[str, tuple[str, str, bytes, str, dict[str, str], int]] = {
    "a parameter": ("GET", f"/random?label=cat&{MARKER}=1", b"", "", {}, 400),
    "a secret in a parameter": ("GET", f"/random?label=cat&token={MARKER}", b"", "", {}, 400),
    "a format": ("GET", f"/random?label=cat&format={MARKER}", b"", "", {}, 422),
    "an unknown label": ("GET", f"/random?label={MARKER}", b"", "", {}, 404),
    "a path": ("GET", f"/nothing/{MARKER}?token={MARKER}", b"", "", {}, 404),
    "a name": ("GET", f"/images/cat/{MARKER}", b"", "", {}, 404),
    "a label in a path": ("DELETE", f"/images/{MARKER}/{NAME}", b"", "", {}, 404),
    "a method": (MARKER.upper(), "/random", b"", "", {}, 405),
    "a content type": ("POST", "/upload", b"x", f"text/{MARKER}", {}, 415),
    "a boundary": ("POST", "/upload", b"x", f"multipart/form-data; boundary={MARKER}", {}, 400),
    "a body": ("POST", "/upload", MARKER.encode(), "multipart/form-data; boundary=b", {}, 400),
    "a coding": ("POST", "/upload", b"x", "text/plain", {"Content-Encoding": MARKER}, 415),
    "a tag": ("DELETE", "{url}", b"", "", {"If-Match": f'"{MARKER}"'}, 412),
    "a member": ("PATCH", "{url}", b'{"%b": 1}' % MARKER.encode(), "application/json", {}, 400),
    "a member twice": ("PATCH", "{url}", b'{"%b": 1, "%b": 1}' % ((MARKER.encode(),) * 2), "application/json", {}, 400),
    "a value": ("PATCH", "{url}", b'{"weight": "%b"}' % MARKER.encode(), "application/json", {}, 400),
    "broken JSON": ("PATCH", "{url}", b'{"%b' % MARKER.encode(), "application/json", {}, 400),
    "a picture's address": ("GET", "{url}", b"", "", {"If-None-Match": f'"{MARKER}"', "Accept": MARKER}, 200),
}

Log = Callable[[str], str]


@pytest.fixture
def log_until(host: Host, caplog: pytest.LogCaptureFixture) -> Log:
    """Return the log of this process or of `make run`, once it has the line of this request."""
    caplog.set_level(logging.INFO)

    def handlers(request_id: str) -> str:
        assert f"{request_id} " in caplog.text
        return caplog.text + json.dumps([fields_of(record) for record in caplog.records])

    def running(request_id: str) -> str:
        assert isinstance(host, Running)
        path, give_up = host.service.data / "emulator.log", time.monotonic() + ANSWER_MAX
        while f"{request_id} " not in path.read_text():
            assert time.monotonic() < give_up, "the request is not in the log"
            time.sleep(0.05)
        return path.read_text()

    return handlers if isinstance(host, Handlers) else running


def sent(api: Api, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Send this request with a secret in every header that may have one."""
    return api.host.request(method, path, body, {**SECRETS, **headers})


@pytest.mark.parametrize("name", FORMS)
def test_no_text_of_an_upload_is_logged(api: Api, log_until: Log, name: str) -> None:
    fields, status = FORMS[name]
    given = [(key, value.format(label=api.label) if isinstance(value, str) else value) for key, value in fields]
    body, content_type = multipart_body(given)
    answer = sent(api, "POST", "/upload", body, {"Content-Type": content_type})
    assert answer.status == status
    assert MARKER not in log_until(answer.headers["x-request-id"]).lower()


@pytest.mark.parametrize("name", REQUESTS)
def test_no_text_of_a_request_is_logged(api: Api, log_until: Log, name: str) -> None:
    method, path, body, content_type, headers, status = REQUESTS[name]
    url = f"/images/{json_of(api.upload(pictures.png(2)))['id']}"
    answer = sent(api, method, path.format(url=url), body, {"Content-Type": content_type, **headers})
    assert answer.status == status
    assert MARKER not in log_until(answer.headers["x-request-id"]).lower()


def test_a_refusal_is_logged_with_its_class_and_the_line_that_refused(
    moto_aws: None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    Api(Handlers(), "cat").upload(pictures.png(1), "2")
    assert re.search(r"a-request POST /upload 422 \d+ ms UnprocessableValue images\.py:\d+\n", caplog.text)


def quoting(params: Any) -> list[Exception]:
    """Make errors whose messages quote the request."""
    code: Any = {"Error": {"Code": "ValidationException", "Message": f"{MARKER} {params}"}}
    cause = ValueError(MARKER)
    bug = KeyError(MARKER)
    bug.__cause__ = cause
    return [ClientError(code, "PutObject"), ParamValidationError(report=f"Invalid {MARKER} {params}"), bug]


@pytest.mark.parametrize("which", range(3), ids=["refused by AWS", "refused by botocore", "a bug"])
def test_a_failure_is_logged_without_the_messages_of_its_exceptions(
    moto_aws: None, caplog: pytest.LogCaptureFixture, which: int
) -> None:
    def fail(params: Any, **_: Any) -> None:
        raise quoting(params)[which]

    aws.s3().meta.events.register("provide-client-params.s3.PutObject", fail)
    answer = Api(Handlers(), "cat").upload(PICTURE)
    assert answer.status == 500
    assert MARKER not in caplog.text
    assert "\\x89PNG" not in caplog.text
    expected = ["ClientError PutObject ValidationException", "ParamValidationError", "ValueError"][which]
    assert f"shared.logs.Failed: {expected}" in caplog.text
    assert 'upload/upload_image.py", line' in caplog.text
    assert MARKER not in answer.body.decode()


def test_the_gateways_log_has_no_query_headers_or_body() -> None:
    settings = template()["Resources"]["Api"]["Properties"]["AccessLogSetting"]
    logged = json.loads(settings["Format"])
    assert set(logged.values()) == {
        *("$context.requestId", "$context.requestTime", "$context.identity.sourceIp", "$context.httpMethod"),
        *("$context.path", "$context.status", "$context.responseLength", "$context.responseLatency"),
    }
