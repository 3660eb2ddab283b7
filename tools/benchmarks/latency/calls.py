"""Where a call of botocore's clients waits: to connect, and for the answer to a request.

This imports next to nothing, because a cold start is measured with it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import local
from typing import Any

API_CALL = "_make_api_call"  # the method of every client's calls; private to botocore
CONNECT = "connect"  # TCP and TLS to an endpoint that was not called yet


@contextmanager
def waiting(wait: Callable[[str], None]) -> Iterator[None]:
    """Call `wait` with the operation, in the calling thread, wherever a call of a client would wait for AWS."""
    from botocore.client import BaseClient
    from urllib3.connection import HTTPConnection, HTTPSConnection

    call, connect, answer = getattr(BaseClient, API_CALL), HTTPSConnection.connect, HTTPConnection.getresponse
    present = local()

    def make_api_call(client: Any, operation: str, parameters: Any) -> Any:
        present.operation = operation
        return call(client, operation, parameters)

    def wait_and_connect(connection: Any) -> None:
        wait(CONNECT)
        connect(connection)

    def wait_and_answer(connection: Any) -> Any:
        wait(present.operation)
        return answer(connection)

    places: list[tuple[Any, str, Any, Any]] = [
        (BaseClient, API_CALL, make_api_call, call),
        (HTTPSConnection, "connect", wait_and_connect, connect),
        (HTTPConnection, "getresponse", wait_and_answer, answer),
    ]
    try:
        for owner, name, ours, _ in places:
            setattr(owner, name, ours)
        yield
    finally:
        for owner, name, _, theirs in places:
            setattr(owner, name, theirs)
