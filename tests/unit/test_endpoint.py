"""Conversions of events to requests and of answers to proxy answers that no HTTP client can provoke."""

import base64
import gc
import json
import re
from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    IncompleteReadError,
    ReadTimeoutError,
)
from botocore.parsers import ResponseParserError
from urllib3.exceptions import ProtocolError

from shared.api.endpoint import Request, Response, as_json, endpoint
from shared.errors import ApiError, BadRequest, Unavailable


def event(**changes: Any) -> dict[str, Any]:
    return {
        "resource": "/x",
        "path": "/x",
        "httpMethod": "GET",
        "headers": {"hOsT": "pets.test", "X-Forwarded-Proto": "https"},
        "requestContext": {"path": "/Prod/x", "requestId": "the-id"},
        **changes,
    }


def echo(request: Request) -> Response:
    return Response(200, json.dumps([request.base_url, request.body.decode(), request.id]))


def answer(**changes: Any) -> Any:
    return json.loads(endpoint({"/x": {"GET": echo}})(event(**changes), None)["body"])


def test_links_begin_at_the_stage_in_the_cloud_and_at_the_root_in_sam_local() -> None:
    assert answer()[0] == "https://pets.test/Prod/"
    pattern = {"path": "/{x}", "requestId": "1"}
    assert answer(requestContext=pattern, headers={"Host": "127.0.0.1:3000"})[0] == "http://127.0.0.1:3000/"


@pytest.mark.parametrize(
    ("base", "link"),
    [
        ("/", "https://pets.test/"),
        ("/v1/", "https://pets.test/v1/"),
        ("/v1", "https://pets.test/v1/"),
        ("https://cdn.test/", "https://cdn.test/"),
        ("https://cdn.test", "https://cdn.test/"),
    ],
)
def test_links_may_begin_elsewhere(base: str, link: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINK_BASE", base)
    assert answer()[0] == link


@pytest.mark.parametrize("host", ["", "a b", 'x"><script>', "a/../b", "a@b", "[", "a]b", "[::::]", "a:b", "h" * 300])
def test_an_invalid_host_is_not_repeated(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert answer(headers={"Host": host})[0] == "/Prod/"
    monkeypatch.setenv("LINK_BASE", "/")
    assert answer(headers={"Host": host})[0] == "/"


@pytest.mark.parametrize("scheme", ["http", "javascript", "https, http", ""])
def test_links_are_http_or_https(scheme: str) -> None:
    assert answer(headers={"Host": "a.test", "X-Forwarded-Proto": scheme})[0] == "http://a.test/Prod/"


def aws_error(code: str, status: int = 400) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "Any")  # type: ignore[typeddict-item]


BUSY = ["ThrottlingException", "ProvisionedThroughputExceededException", "SlowDown", "RequestLimitExceeded"]
BUSY += ["TransactionInProgressException", "TooManyRequestsException", "RequestTimeout"]
OUTAGES = [aws_error(code) for code in BUSY] + [aws_error("InternalError", 500), aws_error("Any", 503)]
OUTAGES += [each(endpoint_url="") for each in (ReadTimeoutError, ConnectTimeoutError, EndpointConnectionError)]
OUTAGES += [IncompleteReadError(actual_bytes=1, expected_bytes=2), ResponseParserError(), ProtocolError()]


@pytest.mark.parametrize("outage", OUTAGES, ids=repr)
def test_a_busy_or_unreachable_aws_is_503(outage: Exception, caplog: pytest.LogCaptureFixture) -> None:
    got = failing(outage)
    assert (got["statusCode"], got["headers"]["Retry-After"]) == (503, "1")
    assert [record.message for record in caplog.records if record.exc_info] == ["the-id failed"]


@pytest.mark.parametrize("code", ["AccessDeniedException", "ValidationException", "ResourceNotFoundException"])
def test_a_refusal_of_aws_is_500(code: str) -> None:
    assert failing(aws_error(code))["statusCode"] == 500


def failing(error: Exception) -> Any:
    def fail(_: Request) -> Response:
        raise error

    return endpoint({"/x": {"GET": fail}})(event(), None)


def test_quoted_texts_of_callers_are_cut_and_printable() -> None:
    got = failing(BadRequest("x" * 10**6, field="\ud800" * 1000))
    assert len(got["body"]) < 2000
    ApiError("\ud800", field="\ud800").detail.encode()
    assert BadRequest("short", field="f").field == "f"


def test_json_answers_end_in_a_newline() -> None:
    assert endpoint({"/x": {"GET": lambda _: as_json({})}})(event(), None)["body"] == "{}\n"
    assert failing(BadRequest("why"))["body"].endswith("}\n")


def test_a_compressed_body_is_415() -> None:
    assert answer(headers={"Content-Encoding": "gzip"})["status"] == 415
    assert answer(headers={"Content-Encoding": "identity", "Host": "a"})[0] == "http://a/Prod/"


def test_each_answer_has_one_line_in_the_log_with_its_id(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    failing(BadRequest("why"))
    (line,) = caplog.messages
    assert re.fullmatch(r"the-id GET /x 400 \d+ ms BadRequest test_endpoint.py:\d+", line)


def test_answers_forbid_sniffing_and_json_is_not_stored() -> None:
    headers = endpoint({"/x": {"GET": lambda _: as_json({})}})(event(), None)["headers"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Request-Id"] == "the-id"
    preflight = endpoint({"/x": {"GET": echo}})(event(httpMethod="OPTIONS"), None)["headers"]
    assert preflight["Access-Control-Max-Age"] == "86400"


def test_a_body_may_come_as_text_or_base64() -> None:
    assert answer(body="meow")[1] == "meow"
    assert answer(body=base64.b64encode(b"meow").decode(), isBase64Encoded=True)[1] == "meow"
    assert answer(body=None)[1] == ""


def test_a_body_that_is_not_base64_is_400() -> None:
    assert answer(body="%%", isBase64Encoded=True)["status"] == 400


def test_the_request_id_is_that_of_the_gateway_or_of_lambda() -> None:
    class Context:
        aws_request_id = "of-lambda"

    assert answer()[2] == "the-id"
    without = event(requestContext={"path": "/x"})
    assert "of-lambda" in endpoint({"/x": {"GET": echo}})(without, Context())["body"]


@pytest.mark.parametrize("mistake", [KeyError("secret"), ValueError("secret"), RecursionError("secret")])
def test_a_bug_is_a_fixed_500_and_one_log_record(mistake: Exception, caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: Request) -> Response:
        raise mistake

    got = endpoint({"/x": {"GET": fail}})(event(), None)
    assert got["statusCode"] == 500
    assert got["headers"]["Content-Type"] == "application/problem+json"
    assert "secret" not in json.dumps(got)
    assert "the-id" in got["body"]
    assert [record.message for record in caplog.records if record.exc_info] == ["the-id failed"]


def test_an_outage_names_the_time_to_retry() -> None:
    def fail(_: Request) -> Response:
        raise Unavailable("Retry.")

    got = endpoint({"/x": {"GET": fail}})(event(), None)
    assert (got["statusCode"], got["headers"]["Retry-After"]) == (503, "1")


def test_every_refusal_has_its_own_status() -> None:
    statuses = [
        int(refusal.status) for refusal in ApiError.__subclasses__() if refusal.__module__ == ApiError.__module__
    ]
    assert sorted(statuses) == [400, 403, 404, 405, 409, 412, 413, 415, 422, 503]


def test_bytes_are_answered_in_base64_and_texts_as_they_are() -> None:
    got = endpoint({"/x": {"GET": lambda _: Response(200, b"\xff")}})(event(), None)
    assert (got["body"], got["isBase64Encoded"]) == ("/w==", True)


def test_head_is_answered_with_the_body_whose_length_the_gateway_sends() -> None:
    respond = endpoint({"/x": {"GET": lambda _: Response(200, b"\xff")}})
    assert respond(event(httpMethod="HEAD"), None) == respond(event(), None)


def test_garbage_collection_begins_after_the_first_answer() -> None:
    gc.disable()  # as shared/__init__.py does in Lambda
    try:
        answer()
        assert gc.isenabled()
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()
        gc.enable()
