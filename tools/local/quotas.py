"""The quotas and habits of API Gateway and Lambda that the emulator lacks, so that no test misses what AWS refuses."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from shared import errors
from shared.limits import BODY_MAX, EVENT_MAX, FILE_MAX, HEAD_MAX, RESPONSE_MAX

FRAME = len("  HTTP/1.1\r\n")  # of a request line, beside its method and target
SEPARATORS = len(": \r\n")  # of a header line
BODY_ROOM = EVENT_MAX * 3 // 4  # bytes; base64 of more is no event
CONTEXT = {  # what API Gateway adds to an event; the values are as long as real ones
    "accountId": "0" * 12,
    "apiId": "0" * 10,
    "requestId": "0" * 36,
    "extendedRequestId": "0" * 16,
    "requestTime": "28/Nov/2026:16:00:00 +0000",
    "requestTimeEpoch": 10**12,
    "stage": "Prod",
    "identity": {"sourceIp": "0" * 39},
}


class HeadersTooLarge(errors.ApiError):
    """The request line and the headers are longer than API Gateway reads."""

    status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE

    def __init__(self) -> None:
        super().__init__(
            f"The request line and the headers have more than {HEAD_MAX:,} bytes. Send fewer or shorter ones."
        )


def check_head(method: str, target: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    """Raise HeadersTooLarge if the request line and the header lines have more than HEAD_MAX bytes."""
    lines = sum(len(name) + len(value) + SEPARATORS for name, value in headers)
    if len(method) + len(target) + FRAME + lines > HEAD_MAX:
        raise HeadersTooLarge


def effective_method(method: str, headers: Mapping[str, str]) -> str:
    """Return the method that API Gateway routes by: the one in the header X-HTTP-Method-Override, if it is there."""
    return headers.get("x-http-method-override", "").strip().upper() or method


def check_event(method: str, path: str, query: bytes, headers: Mapping[str, str], body: bytes) -> None:
    """Raise PayloadTooLarge if the request makes an event of more than EVENT_MAX bytes.

    API Gateway repeats headers and query in it, and writes the body in base64.
    """
    text = query.decode("latin-1")
    event = {
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": dict(headers),
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": text,
        "multiValueQueryStringParameters": [text],
        "pathParameters": path,
        "requestContext": {**CONTEXT, "path": path, "resourcePath": path, "httpMethod": method},
        "body": "",
        "isBase64Encoded": True,
    }
    if len(json.dumps(event)) + (len(body) + 2) // 3 * 4 > EVENT_MAX:
        raise too_large()


def too_large() -> errors.PayloadTooLarge:
    """Return the refusal of a request that Lambda cannot take."""
    return errors.PayloadTooLarge(
        f"The request is too large. POST /upload takes at most {BODY_MAX / 10**6} MB; "
        f"send a picture of up to {FILE_MAX // 10**6} MB with POST /uploads."
    )


def excess(result: Any) -> str:
    """Return Lambda's error if a function returns more than RESPONSE_MAX bytes of JSON, empty if it does not."""
    size = _json_size(result)
    if size <= RESPONSE_MAX:
        return ""
    return f"Response payload size ({size} bytes) exceeded maximum allowed payload size ({RESPONSE_MAX} bytes)."


def _json_size(result: Any) -> int:
    """Return the bytes of the JSON. Base64 is counted and not written once more, because JSON leaves it as it is."""
    if isinstance(result, dict) and result.get("isBase64Encoded"):
        return len(result["body"]) + _json_size({**result, "body": "", "isBase64Encoded": False}) - len("e")
    return len(json.dumps(result, ensure_ascii=False).encode("utf-8", "surrogatepass"))
