"""The places that petAPI runs in, behind one interface, so that the same HTTP tests run in all of them."""

import base64
import importlib
import itertools
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPSConnection
from typing import Any, Protocol
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

import random_image
import searching
from shared import aws, settings
from tests.support import cloud
from tests.support.local_service import Answer, LocalService, send
from tests.support.pictures import File, multipart_body

_NUMBERS = itertools.count()
_PROCESS = os.urandom(3).hex()  # a petAPI that is tested again keeps the labels of before


class Host(Protocol):
    """A running petAPI."""

    def request(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer: ...


class Handlers:
    """The functions of this checkout, called with the events that API Gateway would send them."""

    def request(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        module, event = proxy_event(method, path, body, headers)
        if cloud.is_guarded(method, event["resource"]):
            failure, authorizer = _authorize(event)
            if failure:
                status, names, text = cloud.gateway_response(failure)
                return Answer(status, {k.lower(): v for k, v in names.items()}, text.encode())
            event["requestContext"]["authorizer"] = authorizer
        answer = importlib.import_module(module).handler(event, None)
        content = base64.b64decode(answer["body"]) if answer["isBase64Encoded"] else answer["body"].encode()
        headers = {k.lower(): v for k, v in answer["headers"].items()}
        if answer["statusCode"] not in (204, 304):  # the gateway counts the body, also the one that it drops
            headers["content-length"] = str(len(content))
        return Answer(answer["statusCode"], headers, b"" if method == "HEAD" else content)


def proxy_event(
    method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> tuple[str, dict[str, Any]]:
    """Return the module that API Gateway would send this request to, and its event."""
    target = urlsplit(path)
    plain = unquote(target.path)
    resource, parameters, module = cloud.route(method, plain)
    event = {
        "resource": resource,
        "path": plain,
        "httpMethod": method,
        "headers": {"Host": "pets.test", "X-Forwarded-Proto": "https", **(headers or {})},
        "multiValueQueryStringParameters": parse_qs(target.query, keep_blank_values=True) or None,
        "pathParameters": parameters or None,
        "requestContext": {"path": f"/Prod{plain}", "requestId": "a-request"},
        "body": base64.b64encode(body).decode() if body else None,
        "isBase64Encoded": bool(body),
    }
    return module, event


def _authorize(event: dict[str, Any]) -> tuple[str, dict[str, str]]:
    """Ask the authorizer as API Gateway does; return the name of a gateway response, or the function's context."""
    authorize = importlib.import_module("authorize_writes").handler
    answer = authorize({**event, "type": "REQUEST", "methodArn": "arn:aws:execute-api:::api/Prod"}, None)
    (statement,) = answer["policyDocument"]["Statement"]
    return "" if statement["Effect"] == "Allow" else "ACCESS_DENIED", answer["context"]


class Running:
    """`make run`, over HTTP."""

    def __init__(self, service: LocalService) -> None:
        self.service = service

    def request(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        return self.service.send(method, path, body, headers or {})


class Remote:
    """Wherever this URL leads; the path in it, such as a stage, is prepended to all."""

    def __init__(self, url: str) -> None:
        target = urlsplit(url)
        self._host, self._prefix = target.netloc, target.path.rstrip("/")
        self._connect = HTTPSConnection if target.scheme == "https" else HTTPConnection

    def request(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        # As every client sends it: `sam local` hands pictures out in base64 to those who accept nothing.
        given = {"Accept": "*/*", **(headers or {})}
        return send(self._host, method, self._prefix + path, body, given, connect=self._connect)


def needs_aws(host: Host) -> None:
    """Skip a test that also looks into petAPI's AWS, if it has nothing but the address of a petAPI."""
    if isinstance(host, Remote) and "AWS_ENDPOINT_URL" not in os.environ:
        pytest.skip("it looks into AWS, too")


@dataclass(frozen=True)
class Api:
    """petAPI as a test speaks to it."""

    host: Host
    label: str

    def upload(self, content: bytes, weight: str | None = None, *, label: str | None = None, **headers: str) -> Answer:
        fields: list[Any] = [("label", label or self.label), ("img", File(content))]
        if weight is not None:
            fields.append(("weight", weight))
        return self.post(fields, **headers)

    def post(self, fields: list[tuple[str, str | bytes | File]] | list[Any], **headers: str) -> Answer:
        body, content_type = multipart_body(fields)
        return self.host.request("POST", "/upload", body, {"Content-Type": content_type} | named(headers))

    def get(self, path: str, **headers: str) -> Answer:
        return self.host.request("GET", local(path), headers=named(headers))

    def random(self, **parameters: str) -> Answer:
        query = "".join(f"&{name}={value}" for name, value in parameters.items())
        return self.get(f"/random?label={self.label}{query}")

    def delete(self, path: str, **headers: str) -> Answer:
        return self.host.request("DELETE", local(path), headers=named(headers))

    def patch(self, path: str, document: Any, **headers: str) -> Answer:
        given = {"Content-Type": "application/json"} | named(headers)
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        return self.host.request("PATCH", local(path), body, given)


def new_label() -> str:
    """Make a label that no other test uses."""
    return f"label-{next(_NUMBERS)}-{_PROCESS}"


def named(headers: Mapping[str, str]) -> dict[str, str]:
    """Return header names as HTTP writes them, from keyword arguments."""
    return {name.replace("_", "-").title(): value for name, value in headers.items()}


def local(url: str) -> str:
    """Return the path and query of a link, below the stage."""
    target = urlsplit(url)
    path = target.path.removeprefix("/Prod") if target.netloc else target.path
    return f"{path}?{target.query}" if target.query else path


def json_of(answer: Answer) -> Any:
    """Parse the JSON body of an answer."""
    return json.loads(answer.body)


def forget_clients() -> None:
    """Begin as a new Lambda container does."""
    of_data = (aws.dynamodb, aws.rekognition, aws.s3, aws.secrets, aws.sqs, aws.ssm)
    of_search = (aws.bedrock, aws.s3vectors, searching.encoder)
    for cached in (aws.session, *of_data, *of_search, settings._cache, random_image.memory):
        cached.cache_clear()
