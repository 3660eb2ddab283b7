"""HTTP/1.1 of `make run`: what cannot be read as HTTP gets a problem; hypercorn alone answers with empty bodies."""

from http import HTTPStatus

import h11
from hypercorn import protocol
from hypercorn.protocol.h11 import H11Protocol

from shared import errors
from tools.local.front import problem


class HeadersTooLarge(errors.ApiError):
    """The head of the request has more bytes than are read here."""

    status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE


def install() -> None:
    """From now on hypercorn's connections are of this kind; tests/api/test_odd_requests.py guards it."""
    protocol.H11Protocol = _Http1  # type: ignore[attr-defined]


class _Http1(H11Protocol):
    async def _create_stream(self, request: h11.Request) -> None:
        """As if no websocket was asked for: there is none, and a server may ignore that (RFC 9110, section 7.8)."""
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
        return HeadersTooLarge("The request line and the headers are too long; send fewer.")
    return errors.BadRequest("This is not HTTP/1.1 as it can be read here; let an HTTP client write the request.")
