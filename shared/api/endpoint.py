"""HTTP over Lambda: a proxy event becomes a Request, a function's answer or refusal becomes the proxy's answer.

    handler = endpoint({"/upload": {"POST": upload}})

`endpoint` is the whole dispatch of a function: HEAD where GET is, 405 with Allow, OPTIONS and CORS, unknown and
repeated parameters, RFC 9457 problems for refusals, a fixed 500 for everything unforeseen, one log line a request.
"""

import json
import os
import re
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urljoin

import pybase64

from shared import deadline, end_cold_start, errors, logs

Event = Mapping[str, Any]
ProxyResponse = dict[str, Any]

CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Allow, ETag, Image-Id, Image-Probability, Image-Total-Weight, Image-Weight, "
    "Link, Location, Retry-After, X-Request-Id",
}
PREFLIGHT = {
    "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Match, If-None-Match",
    "Access-Control-Max-Age": "86400",
}
HOST = re.compile(r"[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?")
BUSY = re.compile(r".*(Throttl|ThroughputExceeded|LimitExceeded|SlowDown|TooManyRequests|RequestTimeout|InProgress)")


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. Header names are in lower case; `base_url` ends in a slash and is where links begin."""

    method: str
    resource: str
    path_parameters: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    base_url: str
    id: str
    authorizer: Mapping[
        str, str
    ]  # what it found out of the caller (shared/api/access.py); nothing where it was not asked


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP answer. `body` is text or the bytes of a picture."""

    status: int
    body: str | bytes = ""
    headers: Mapping[str, str] = field(default_factory=dict)


Action = Callable[[Request], Response]
Routes = Mapping[str, Mapping[str, Action]]
Parameters = Mapping[str, Collection[str]]  # the names of query parameters that each resource takes; none if not named


def endpoint(routes: Routes, *, parameters: Parameters | None = None) -> Callable[[Event, Any], ProxyResponse]:
    """The Lambda handler that serves `routes` (resource -> method -> action) and takes these query parameters."""

    def handler(event: Event, context: Any) -> ProxyResponse:
        started = time.perf_counter()
        request_id = _request_id(event, context)
        why = ""
        try:
            with deadline.of(context):
                response = _dispatch(routes, parameters or {}, event, request_id)
        except errors.ApiError as refusal:
            response, why = problem(refusal, request_id), logs.refused(refusal)
        except Exception as error:
            logs.failure(request_id, error)
            response, why = problem(_failure(error), request_id), type(error).__name__
        milliseconds = round((time.perf_counter() - started) * 1000)
        method, resource = event.get("httpMethod", ""), event.get("resource", "")
        logs.request(request_id, method, resource, response.status, milliseconds, why)
        end_cold_start()
        return _proxy_response(response, request_id, head=event.get("httpMethod") == "HEAD")

    return handler


def other_function(_: Request) -> Response:
    """Stands in a route table for a method that another function serves, so that Allow names it."""
    raise RuntimeError("the template sends this method to another function")


def as_json(
    value: Mapping[str, Any], *, status: int = HTTPStatus.OK, headers: Mapping[str, str] | None = None
) -> Response:
    """The answer with this JSON object."""
    return Response(
        status,
        json.dumps(value) + "\n",
        {"Content-Type": "application/json", "Cache-Control": "no-store", **(headers or {})},
    )


def problem(refusal: errors.ApiError, request_id: str) -> Response:
    """The refusal as the answer to a request."""
    body = {**problem_of(refusal), "requestId": request_id}
    headers = {"Content-Type": "application/problem+json", "Cache-Control": "no-store", **refusal.headers}
    return Response(HTTPStatus(refusal.status), json.dumps(body) + "\n", headers)


def problem_of(refusal: errors.ApiError) -> dict[str, Any]:
    """The refusal as RFC 9457 problem details."""
    status = HTTPStatus(refusal.status)
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": status.phrase,
        "status": int(status),
        "detail": refusal.detail,
    }
    if refusal.field is not None:
        body["errors"] = [{"field": refusal.field, "detail": refusal.detail}]
    return body


def required(values: Mapping[str, str], name: str) -> str:
    """The value of this query parameter; BadRequest if it is not there."""
    if name not in values:
        raise errors.BadRequest(f"The query parameter {name} is missing; add ?{name}=.", field=name)
    return values[name]


def _failure(error: Exception) -> errors.ApiError:
    """What the caller is told of a bug or an outage: 503 if AWS was busy, failed or out of reach, otherwise 500."""
    from botocore import exceptions, parsers  # not before something failed
    from urllib3.exceptions import HTTPError  # raised as it is where the error that answers a GetObject breaks off

    if isinstance(error, exceptions.ClientError):
        busy = BUSY.match(error.response["Error"]["Code"])
        if busy or error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500:
            return errors.Unavailable("The service is busy; retry in a moment.")
    unreachable = (exceptions.ConnectionError, exceptions.HTTPClientError, exceptions.IncompleteReadError)
    if isinstance(error, (*unreachable, parsers.ResponseParserError, HTTPError)):
        return errors.Unavailable("The service cannot be reached just now; retry in a moment.")
    return errors.ApiError("The service failed; its operators find this requestId in the log.")


def _dispatch(routes: Routes, parameters: Parameters, event: Event, request_id: str) -> Response:
    method = event["httpMethod"]
    # What the gateway has no route for, such as TRACE, comes as an unknown path, but may be a known one.
    resource = event["resource"] if event["resource"] in routes else event["path"]
    if resource not in routes:
        raise errors.NotFound(f"There is nothing at {event['path']}; / tells what there is.")
    actions = _actions(routes[resource])
    allow = ", ".join(sorted({*actions, "OPTIONS"}))
    if method == "OPTIONS":
        return Response(
            HTTPStatus.NO_CONTENT, headers={"Allow": allow, "Access-Control-Allow-Methods": allow, **PREFLIGHT}
        )
    if method not in actions:
        raise errors.MethodNotAllowed(method, allow)
    return actions[method](_request(event, parameters.get(resource, ()), request_id))


def _actions(actions: Mapping[str, Action]) -> dict[str, Action]:
    """With HEAD wherever GET is (RFC 9110, section 9.3.2)."""
    return {**actions, "HEAD": actions["GET"]} if "GET" in actions else dict(actions)


def _request(event: Event, parameters: Collection[str], request_id: str) -> Request:
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items() if value is not None}
    if headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise errors.UnsupportedMediaType("The body must not be compressed; send it without Content-Encoding.")
    return Request(
        method=event["httpMethod"],
        resource=event["resource"],
        path_parameters=event.get("pathParameters") or {},
        query=_query(event, parameters),
        headers=headers,
        body=_body(event),
        base_url=_base_url(event, headers),
        id=request_id,
        authorizer=(event.get("requestContext") or {}).get("authorizer") or {},
    )


def _query(event: Event, parameters: Collection[str]) -> dict[str, str]:
    values = event.get("multiValueQueryStringParameters") or {}
    for name, given in values.items():
        if name not in parameters:
            known = ", ".join(sorted(parameters)) or "none"
            raise errors.BadRequest(f"There is no query parameter {name!r} here; known: {known}.", field=name)
        if len(given) > 1:
            raise errors.BadRequest(
                f"The query parameter {name} is given {len(given)} times; give it once.", field=name
            )
    return {name: given[0] for name, given in values.items()}


def _body(event: Event) -> bytes:
    text = event.get("body") or ""
    try:
        return pybase64.b64decode(text, validate=True) if event.get("isBase64Encoded") else str(text).encode()
    except ValueError as error:  # binascii.Error is one, UnicodeEncodeError of a lone surrogate, too
        raise errors.BadRequest("The body is not what its encoding says; send it again.") from error


def _base_url(event: Event, headers: Mapping[str, str]) -> str:
    """Scheme, host and stage of the request, with the setting LINK_BASE (a path or a URL) resolved against them."""
    path, whole = event["path"], event.get("requestContext", {}).get("path", "")
    stage = whole.removesuffix(path) if whole.endswith(path) else ""  # `sam local` gives the pattern: no stage there
    host = headers.get("host", "")
    scheme = "https" if headers.get("x-forwarded-proto") == "https" else "http"
    origin = f"{scheme}://{host}" if HOST.fullmatch(host) else ""
    return urljoin(f"{origin}{stage}/", os.environ.get("LINK_BASE", "")).rstrip("/") + "/"


def _request_id(event: Event, context: Any) -> str:
    gateway = (event.get("requestContext") or {}).get("requestId")
    return str(gateway or getattr(context, "aws_request_id", ""))


def _proxy_response(response: Response, request_id: str, *, head: bool) -> ProxyResponse:
    binary = isinstance(response.body, bytes)
    body = pybase64.b64encode_as_string(response.body) if isinstance(response.body, bytes) else response.body
    return {
        "statusCode": int(response.status),
        "headers": {**CORS, "X-Content-Type-Options": "nosniff", "X-Request-Id": request_id, **response.headers},
        "body": "" if head else body,
        "isBase64Encoded": binary and not head,
    }
