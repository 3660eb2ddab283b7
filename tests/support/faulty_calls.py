"""Faults at the AWS calls of a request, by their number, before botocore sends them."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from typing import Any
from unittest import mock

from botocore.awsrequest import AWSResponse

from shared import deadline
from shared.labels import retries
from tests.support.fault_injection import Attempt, Clock, Happening, refused
from tests.support.hosts import forget_clients


class FaultyCalls:
    """Clients with faults before their attempts. `happening` comes upon those that `hits` chooses.

    `clients` makes those of a new container.
    """

    def __init__(self, clock: Clock, clients: Callable[[], Iterable[Any]]) -> None:
        self.clock, self._clients = clock, clients
        self.calls: list[tuple[str, str]] = []
        self.renew(refused, lambda call, number: False)

    def renew(self, happening: Happening, hits: Callable[[int, int], bool]) -> None:
        """Begin a new container, in which this happens to the attempts of these numbers of the call and in the call."""
        forget_clients()
        self.calls, self._happening, self._hits, self._id, self._number = [], happening, hits, "", 0
        for client in self._clients():
            client.meta.events.register_first("before-send", self._before_send)

    def _before_send(self, request: Any, event_name: str, **_: object) -> AWSResponse | None:
        _, service, operation = event_name.split(".")
        call = request.headers["amz-sdk-invocation-id"]
        self._number = self._number + 1 if call == self._id else 1
        if call != self._id:
            self._id = call
            self.calls.append((service, operation))
        if not self._hits(len(self.calls), self._number):
            return None
        return self._happening(Attempt(service, operation, request, self.clock, _unsent))


def _unsent(_: object) -> AWSResponse:
    raise AssertionError("no fault here sends the request")


@contextmanager
def clocked(timeout: float) -> Iterator[Clock]:
    """Let the shipped code and botocore see a clock that no real second moves, and this timeout of the function."""
    clock = Clock()
    with ExitStack() as stack:
        stack.enter_context(mock.patch.object(deadline, "CLOCK", clock))
        stack.enter_context(mock.patch.object(deadline, "TIMEOUT", timeout))
        stack.enter_context(mock.patch.object(retries, "CLOCK", clock))
        stack.enter_context(mock.patch.object(retries, "SLEEP", clock.sleep))
        stack.enter_context(mock.patch("botocore.endpoint.time", SimpleNamespace(sleep=clock.back_off)))
        yield clock
