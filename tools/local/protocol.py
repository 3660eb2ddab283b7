"""HTTP/1.1 of `make run`: what is not HTTP gets a problem, where hypercorn would send an empty body."""

from http import HTTPStatus

import h11
from hypercorn import protocol
from hypercorn.protocol.h11 import H11Protocol

from shared import errors
from tools.local.front import problem


class HeadersTooLarge(errors.ApiError):
    """The head of the request is longer than what is read here."""

    status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE


def install() -> None:
    """Make hypercorn use this kind of connection. tests/api/test_odd_requests.py tests it."""
    protocol.H11Protocol = _Http1  # type: ignore[attr-defined]


class _Http1(H11Protocol):
    async def _create_stream(self, request: h11.Request) -> None:
        """Ignore a request for a websocket, as a server may (RFC 9110, section 7.8)."""
        lines = [(name, value) for name, value in request.headers if name != b"upgrade"]
        await super()._create_stream(
            h11.Request(method=request.method, target=request.target, headers=lines, http_version=request.http_version)
        )

    async def _send_error_response(self, status_code: int) -> None:
        status, headers, body = problem(_refusal(status_code))
        lines = [(name.encode(), str(value).encode()) for name, value in headers.items()]
        lines += [(b"content-length", str(len(body)).encode()), (b"connection", b"close")]
        await self._send_h11_event(h11.Response(status_code=status, headers=lines))
        await self._send_h11_event(h11.Data(data=body))
        await self._send_h11_event(h11.EndOfMessage())


def _refusal(status_code: int) -> errors.ApiError:
    if status_code == HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE:
        return HeadersTooLarge("The request line and the headers are too long. Send fewer or shorter ones.")
    return errors.BadRequest("This is not HTTP/1.1. Send the request with an HTTP client.")
