"""HTTP over Lambda: turn a proxy event into a Request, and a Response or a refusal into the proxy's response.

    handler = endpoint({"/upload": {"POST": upload}})

`endpoint` dispatches all requests of a function.  It adds HEAD to GET, answers OPTIONS, CORS and 405 with Allow,
refuses unknown and repeated parameters (parameters.py), answers a refusal as an RFC 9457 problem and an unexpected
exception as a fixed 500, and logs one line for each request.
"""

import json
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import pybase64

from shared import deadline, end_cold_start, errors, logs, metrics
from shared.api import arrival, outages
from shared.api import parameters as query_parameters

Event = Mapping[str, Any]
ProxyResponse = dict[str, Any]

CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Allow, ETag, Image-Id, Image-Probability, Image-Total-Weight, Image-Weight, "
    "Link, Location, Mosaic-Columns, Mosaic-Rows, Mosaic-Tiles, Retry-After, X-Request-Id",
}
_ALL = {**CORS, "X-Content-Type-Options": "nosniff"}
_UNKEPT = {"Cache-Control": "no-store"}
PREFLIGHT = {
    "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Match, If-None-Match",
    "Access-Control-Max-Age": "86400",
}


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request.

    Header names are in lower case.  Links begin with `base_url`, which ends in a slash.  `authorizer` holds what the
    authorizer found out about the caller (shared/api/access.py); it is empty if none was asked.
    """

    method: str
    resource: str
    path_parameters: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    base_url: str
    id: str
    authorizer: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP response. `body` is a text or the bytes of a picture."""

    status: int
    body: str | bytes = ""
    headers: Mapping[str, str] = field(default_factory=dict)


Action = Callable[[Request], Response]
Routes = Mapping[str, Mapping[str, Action]]
# Resource -> the names of its query parameters; no entry means none, and OTHERS that unknown ones are ignored.
Parameters = Mapping[str, Collection[str]]


def endpoint(routes: Routes, *, parameters: Parameters | None = None) -> Callable[[Event, Any], ProxyResponse]:
    """Make the Lambda handler for these routes (resource -> method -> action) and query parameters."""
    served = {resource: _actions(actions) for resource, actions in routes.items()}

    def handler(event: Event, context: Any) -> ProxyResponse:
        started = time.perf_counter()
        request_id = _request_id(event, context)
        why = ""
        with logs.about(request=request_id), metrics.measured() as measured:
            try:
                with deadline.of(context):
                    response = _dispatch(served, parameters or {}, event, request_id)
            except errors.ApiError as refusal:
                response, why = problem(refusal, request_id), logs.refused(refusal)
            except Exception as error:
                logs.failure(request_id, error)
                response, why = problem(outages.refusal_for(error), request_id), type(error).__name__
            milliseconds = round((time.perf_counter() - started) * 1000)
            method, resource = event.get("httpMethod", ""), event.get("resource", "")
            _measure(response, method, why)
            logs.request(request_id, method, resource, response.status, milliseconds, why, measured)
        end_cold_start()
        return _proxy_response(response, request_id, kept=not arrival.is_overridden(event))

    return handler


def other_function(_: Request) -> Response:
    """Stand in a route table for a method that another function serves, so that Allow names the method."""
    raise RuntimeError("the template sends this method to another function")


def as_json(
    value: Mapping[str, Any], *, status: int = HTTPStatus.OK, headers: Mapping[str, str] | None = None
) -> Response:
    """Make the response with this JSON object."""
    return Response(
        status,
        json.dumps(value) + "\n",
        {"Content-Type": "application/json", "Cache-Control": "no-store", **(headers or {})},
    )


def problem(refusal: errors.ApiError, request_id: str) -> Response:
    """Make the response that refuses a request."""
    body = {**problem_of(refusal), "requestId": request_id}
    headers = {"Content-Type": "application/problem+json", "Cache-Control": "no-store", **refusal.headers}
    return Response(HTTPStatus(refusal.status), json.dumps(body) + "\n", headers)


def problem_of(refusal: errors.ApiError) -> dict[str, Any]:
    """Convert a refusal to RFC 9457 problem details."""
    status = HTTPStatus(refusal.status)
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": status.phrase,
        "status": int(status),
        "detail": refusal.detail,
    }
    if refusal.field is not None:
        body["errors"] = [{"field": refusal.field, "detail": refusal.detail}]
    return {**body, **refusal.members}


def required(values: Mapping[str, str], name: str) -> str:
    """Return the value of this query parameter, or raise BadRequest if it is missing."""
    if name not in values:
        raise errors.BadRequest(f"The query parameter {name} is missing; add {name}= to the query.", field=name)
    return values[name]


def _dispatch(routes: Routes, parameters: Parameters, event: Event, request_id: str) -> Response:
    arrival.refuse_detours(event)
    method = event["httpMethod"]
    # The gateway sends methods that it has no route for, such as TRACE, as requests of an unknown path.
    resource = event["resource"] if event["resource"] in routes else event["path"]
    if resource not in routes:
        raise errors.NotFound(f"There is nothing at {event['path']}; see / for the page and /docs for all paths.")
    actions = routes[resource]
    if method == "OPTIONS":
        allow = _allow(actions)
        return Response(
            HTTPStatus.NO_CONTENT, headers={"Allow": allow, "Access-Control-Allow-Methods": allow, **PREFLIGHT}
        )
    if method not in actions:
        raise errors.MethodNotAllowed(method, _allow(actions))
    if place := arrival.with_slash(event):
        return Response(HTTPStatus.PERMANENT_REDIRECT, headers={"Location": place, "Cache-Control": "no-store"})
    return actions[method](_request(event, parameters.get(resource, ()), request_id))


def _measure(response: Response, method: str, why: str) -> None:
    """Count a response and the bytes of its body, which a response to HEAD does not have."""
    body = response.body if isinstance(response.body, bytes) else response.body.encode()
    metrics.count("BytesOut", 0 if method == "HEAD" else len(body))
    if why:
        metrics.count_by("Refusals", why.partition(" ")[0])


def _actions(actions: Mapping[str, Action]) -> dict[str, Action]:
    """Add HEAD if there is GET (RFC 9110, section 9.3.2)."""
    return {**actions, "HEAD": actions["GET"]} if "GET" in actions else dict(actions)


def _allow(actions: Mapping[str, Action]) -> str:
    return ", ".join(sorted({*actions, "OPTIONS"}))


def _request(event: Event, parameters: Collection[str], request_id: str) -> Request:
    headers = arrival.headers(event)
    if headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise errors.UnsupportedMediaType(
            "The body must not be compressed; send it without the header Content-Encoding."
        )
    return Request(
        method=event["httpMethod"],
        resource=event["resource"],
        path_parameters=event.get("pathParameters") or {},
        query=query_parameters.parse(event.get("multiValueQueryStringParameters") or {}, parameters),
        headers=headers,
        body=_body(event),
        base_url=arrival.base_url(event, headers),
        id=request_id,
        authorizer=(event.get("requestContext") or {}).get("authorizer") or {},
    )


def _body(event: Event) -> bytes:
    text = event.get("body") or ""
    try:
        return pybase64.b64decode(text, validate=True) if event.get("isBase64Encoded") else str(text).encode()
    except ValueError as error:  # binascii.Error, or UnicodeEncodeError of a lone surrogate
        raise errors.BadRequest("The body is not valid base64 or UTF-8; send it again.") from error


def _request_id(event: Event, context: Any) -> str:
    gateway = (event.get("requestContext") or {}).get("requestId")
    return str(gateway or getattr(context, "aws_request_id", ""))


def _proxy_response(response: Response, request_id: str, *, kept: bool) -> ProxyResponse:
    """Make the proxy's response.  That to HEAD has a body, too: the gateway drops it, and sends its Content-Length.

    Unless it may be `kept`, no cache keeps it.
    """
    binary = isinstance(response.body, bytes)
    body = pybase64.b64encode_as_string(response.body) if isinstance(response.body, bytes) else response.body
    return {
        "statusCode": int(response.status),
        "headers": {**_ALL, "X-Request-Id": request_id, **response.headers, **({} if kept else _UNKEPT)},
        "body": body,
        "isBase64Encoded": binary,
    }
