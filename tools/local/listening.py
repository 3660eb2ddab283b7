"""The sockets of `make run` on the loopback interface, and the HTTP server that listens on them."""

import logging
import socket
from collections.abc import Awaitable, Callable
from typing import Any

from hypercorn.asyncio import serve
from hypercorn.config import Config

from tools.local.emulator import App
from tools.local.refusals import Refusal

GRACE = 10.0  # seconds that requests under way at the end may take; more than a busy machine needs for one


def loopback_socket(port: int) -> socket.socket:
    """Return a socket that listens on this port of the loopback interface; on any free port for 0."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind(("127.0.0.1", port))
    except OSError as error:
        bound.close()
        raise Refusal(
            f"Port {port} cannot be used ({error.strerror}). Choose another one: make run PORT=3001"
        ) from error
    bound.listen()
    return bound


async def listen(app: App, bound: socket.socket, ended: Callable[[], Awaitable[object]]) -> None:
    """Serve the application on the socket until `ended` returns."""
    config = Config()
    config.bind = [f"fd://{bound.detach()}"]
    config.errorlog = logging.getLogger("hypercorn")
    config.include_server_header = False
    config.graceful_timeout = GRACE
    config.keep_alive_timeout = 75
    framework: Any = app  # hypercorn has a type for each kind of message, we have dictionaries
    await serve(framework, config, shutdown_trigger=ended)
