"""Connections and HTTP/1.1 of `make run`, where hypercorn falls short.

- What is not HTTP gets a problem, not an empty body.
- A connection that the client has closed is closed here at once. hypercorn keeps it until its keep-alive time is over.
- Closing a connection takes bounded time. hypercorn waits until the client has read everything, which may be for ever,
  also when the service stops.
"""

import asyncio
from http import HTTPStatus
from weakref import WeakSet

import h11
from hypercorn import protocol
from hypercorn.asyncio import run
from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.config import Config
from hypercorn.protocol.h11 import H11Protocol

from shared import errors
from tools.local.front import problem
from tools.local.quotas import HeadersTooLarge

CLOSE_MAX = 2.0  # seconds that a client has to read the rest of its response when the service ends

_connections: "WeakSet[_Connection]" = WeakSet()


def install() -> None:
    """Make hypercorn use this kind of connection. tests/api/test_odd_requests.py and tests/local test it."""
    protocol.H11Protocol = _Http1  # type: ignore[attr-defined]
    run.TCPServer = _Connection  # type: ignore[attr-defined]


def cut_off(config: Config) -> None:
    """Cut off all connections of the server with this configuration."""
    for connection in list(_connections):
        if connection.config is config:
            connection.writer.transport.abort()


class _Connection(TCPServer):
    async def run(self) -> None:
        """Serve the connection, and keep it in the list while it is open."""
        _connections.add(self)
        await super().run()

    async def _read_data(self) -> None:
        """Read until the client closes the connection, then wait for no further request.

        The wait is not ended where hypercorn handles the closing: the wait's own end is handled there, too, and would
        wait for itself.
        """
        await super()._read_data()
        await self.idle_task.stop()

    async def _close(self) -> None:
        """Close the connection. Once the service ends, drop what the client does not read within CLOSE_MAX."""
        closing = asyncio.create_task(super()._close())
        ending = asyncio.create_task(self.context.terminated.wait())
        try:
            await asyncio.wait({closing, ending}, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait({closing}, timeout=CLOSE_MAX)
        finally:
            self.writer.transport.abort()  # does nothing to a closed one
            ending.cancel()


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
        return HeadersTooLarge()
    return errors.BadRequest("This is not HTTP/1.1. Send the request with an HTTP client.")
