"""The sockets of `make run` on the loopback interface, and the HTTP server that listens on them."""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable
from typing import Any

from hypercorn.asyncio import serve
from hypercorn.config import Config

from tools.local.guard import App
from tools.local.protocol import cut_off
from tools.local.refusals import Refusal

CUT = 3.0  # seconds to close connections

logger = logging.getLogger(__name__)


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


async def listen(
    app: App, bound: socket.socket, ended: Callable[[], Awaitable[object]], *, keep_alive: float, grace: float
) -> None:
    """Serve the application on the socket until `ended` returns, and `grace` seconds more for requests under way.

    A connection without a request is closed after `keep_alive` seconds. What is open when the time is over is cut off.
    """
    config = Config()
    config.bind = [f"fd://{bound.detach()}"]
    config.errorlog = logging.getLogger("hypercorn")
    config.include_server_header = False
    config.graceful_timeout = grace
    config.keep_alive_timeout = keep_alive
    framework: Any = app  # hypercorn has a type for each kind of message, we have dictionaries
    over = asyncio.Event()

    async def end() -> None:
        await ended()
        over.set()

    serving = asyncio.create_task(serve(framework, config, shutdown_trigger=end))
    waiting = asyncio.create_task(over.wait())
    await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    await asyncio.wait({serving}, timeout=grace + CUT)
    cut_off(config)
    await asyncio.wait({serving}, timeout=CUT)
    if not serving.done():
        serving.cancel()
        logger.error("the HTTP server did not end")
        return
    serving.result()
