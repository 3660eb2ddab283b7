"""Stops of `make run` under load, again and again on the same data: each ends, nothing is lost, no answer is 500."""

import http.client
import itertools
import random
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from tests.support.local_service import LocalService
from tests.support.pictures import png

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
CLIENTS = 6
LABEL = "stops"
LOAD = (0.3, 1.5)  # seconds of load before the signal
GOOD = {200, 201, 204, 404, 503}  # 404 is a draw of a label without images
END_MAX = 60.0  # seconds; tools/local/ending.py ends the process by force then
HALF = (
    b"POST /upload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=b\r\n"
    b"Content-Length: 100000\r\n\r\nhalf"
)
READ_NOTHING = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 200
# What clients of a turn send that then neither send nor read anything. A stop waits ten seconds for those that have a
# request under way, so they come in two of ten turns.
PATIENT_TURNS = 10
IDLE = {0: (b"", HALF, READ_NOTHING), 5: (b"", READ_NOTHING)}


class Load:
    """Clients of one run. `kept` are the paths of acknowledged uploads, `statuses` what all requests got."""

    def __init__(self, service: LocalService, numbers: Iterator[int]) -> None:
        self._service, self._numbers = service, numbers
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._work, args=(turn,)) for turn in range(CLIENTS)]
        self.kept: dict[str, bytes] = {}
        self.statuses: Counter[int] = Counter()
        self.wrong: list[str] = []

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Wait for the clients, which leave when the service no longer answers."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _work(self, turn: int) -> None:
        while not self._over.is_set():
            with suppress(OSError, http.client.HTTPException):
                if turn % 2:
                    self._note(self._service.get(f"/random?label={LABEL}").status)
                else:
                    self._upload()
                continue
            return

    def _upload(self) -> None:
        content = png(next(self._numbers))
        answer = self._service.upload(content, label=LABEL)
        self._note(answer.status)
        if answer.status == 503 and "retry-after" not in answer.headers:
            self.wrong.append("a 503 without Retry-After")
        if answer.status in (200, 201):
            self.kept[answer.headers["location"].removeprefix(self._service.url)] = content

    def _note(self, status: int) -> None:
        self.statuses[status] += 1
        if status not in GOOD:
            self.wrong.append(f"{status} during a stop")


def stops(data: Path, count: int, *, seed: int = 1) -> Iterator[str]:
    """Stop the service so many times under load, by each signal in turn. Yield what is wrong; print the figures.

    The next start tells whether anything was lost.
    """
    rng, numbers = random.Random(seed), itertools.count(1)
    statuses: Counter[int] = Counter()
    kept: dict[str, bytes] = {}
    longest = 0.0
    for turn, number in enumerate(itertools.islice(itertools.cycle(SIGNALS), count)):
        with LocalService(data) as service:
            yield from _lost(service, kept)
            idle = IDLE.get(turn % PATIENT_TURNS, (b"",))
            load, code, seconds = _one(service, number, rng.uniform(*LOAD), numbers, idle=idle)
        statuses += load.statuses
        longest, kept = max(longest, seconds), load.kept
        yield from load.wrong
        if code:
            yield f"exit code {code} after {number.name}"
        if seconds > END_MAX + 5:
            yield f"{number.name} took {seconds:.0f} s"
    with LocalService(data) as service:
        yield from _lost(service, kept)
    print(f"{count} stops under load: the longest took {longest:.1f} s; responses by status: {dict(statuses)}")


def _one(
    service: LocalService, number: signal.Signals, seconds: float, numbers: Iterator[int], *, idle: Sequence[bytes]
) -> tuple[Load, int, float]:
    """Stop a service under load. Some clients send the bytes in `idle`, and then neither send nor read anything."""
    load = Load(service, numbers)
    with ExitStack() as connections:
        for request in idle:
            connection = connections.enter_context(socket.create_connection(("127.0.0.1", service.port)))
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.sendall(request)
        load.start()
        time.sleep(seconds)
        started = time.monotonic()
        code = service.stop(number)
        took = time.monotonic() - started
    load.end()
    return load, code, took


def _lost(service: LocalService, kept: Mapping[str, bytes]) -> Iterator[str]:
    """Yield the acknowledged uploads that this service has not."""
    yield from (f"{path} is lost" for path, content in kept.items() if service.get(path).body != content)
