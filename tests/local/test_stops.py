"""Stops under load, connections, and waits that would never end."""

import asyncio
import os
import resource
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.support.local_service import ANSWER_MAX, ROOT, LocalService
from tools.benchmarks.stops import stops
from tools.local import ending
from tools.local.front import Answer, Front
from tools.local.listening import listen, loopback_socket

CONNECTIONS, SECONDS, DESCRIPTORS = 1_100, 20, 256
OK: Answer = (200, {"X-Request-Id": "1", "Content-Type": "text/plain"}, b"fine")


@pytest.mark.usefixtures("slow_tier")
def test_ten_stops_under_load_end_and_lose_nothing(tmp_path: Path) -> None:
    assert list(stops(tmp_path / "data", 10)) == []


@pytest.mark.usefixtures("slow_tier")
@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts open files in Linux's /proc")
def test_many_short_connections_need_few_descriptors(tmp_path: Path) -> None:
    """The soft limit and the hard one are 256, so nothing can be raised."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, hard))
    try:
        service = LocalService(tmp_path / "data", variables={"WARM": "1"})
        limited = ["prlimit", f"--nofile={DESCRIPTORS}:{DESCRIPTORS}", "--pid"]
        service.start()
        subprocess.run([*limited, str(service.pid)], check=True)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    with closing_service(service):
        started = time.monotonic()
        for number in range(CONNECTIONS):
            # A client that leaves without a word; HTTP clients that keep the connection are every tenth.
            connection = socket.create_connection(("127.0.0.1", service.port), timeout=ANSWER_MAX)
            if number % 10 == 0:
                connection.sendall(GET)
                assert connection.recv(100).startswith(b"HTTP/1.1 200")
            connection.close()
            time.sleep(max(0.0, started + number * SECONDS / CONNECTIONS - time.monotonic()))
        assert service.get("/").status == 200
        assert len(os.listdir(f"/proc/{service.pid}/fd")) < DESCRIPTORS / 2
        assert "Too many open files" not in (service.data / "emulator.log").read_text()


class closing_service:
    """The service, stopped at the end."""

    def __init__(self, service: LocalService) -> None:
        self._service = service

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        assert self._service.stop() == 0


def test_the_soft_limit_of_open_files_is_raised_to_the_hard_one() -> None:
    program = (
        "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (64, 200));"
        "from tools.local.__main__ import _allow_more_files; _allow_more_files();"
        "print(resource.getrlimit(resource.RLIMIT_NOFILE))"
    )
    ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)

    assert ended.stdout.strip() == "(200, 200)"


# --- one HTTP server, without the emulator ---


class Server:
    """A front on a socket whose API does what the test says; `ended` stops it."""

    def __init__(self, call: Any, *, grace: float = 0.5, keep_alive: float = 30.0) -> None:
        self.socket = loopback_socket(0)
        self.port = self.socket.getsockname()[1]
        self.front = Front(call, "x.log")
        self.ended = asyncio.Event()
        self._grace, self._keep_alive = grace, keep_alive
        self._writers: list[asyncio.StreamWriter] = []

    async def serve(self) -> None:
        async def end() -> None:
            await self.ended.wait()
            self.front.stop(self._grace)

        await listen(self.front, self.socket, end, keep_alive=self._keep_alive, grace=self._grace + 0.5)

    async def client(self, request: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self._writers.append(writer)
        writer.write(request)
        await writer.drain()
        return reader, writer

    async def end(self, serving: "asyncio.Task[None]") -> None:
        """Stop it, wait for its end, and close the clients."""
        self.ended.set()
        await asyncio.wait_for(serving, 30)
        for writer in self._writers:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


GET = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
HALF = b"POST /upload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 10\r\n\r\nhalf"


async def answer(*_: object) -> Answer:
    return OK


def test_requests_that_do_not_end_get_503_and_the_server_ends() -> None:
    async def never(*_: object) -> Answer:
        await asyncio.sleep(3600)
        return OK

    async def scene() -> None:
        server = Server(never)
        serving = asyncio.create_task(server.serve())
        clients = [await server.client(request) for request in (GET, HALF, b"GET / HTTP/1.1\r\nHost:", b"")]
        await asyncio.sleep(0.2)
        server.ended.set()
        for reader, _ in clients[:2]:
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 503"), head
            assert b"etry-" in head
        await server.end(serving)
        assert server.front.busy

    protocol_installed()
    asyncio.run(scene())


def test_a_client_that_never_reads_does_not_keep_the_server() -> None:
    async def large(*_: object) -> Answer:
        return 200, OK[1], bytes(4_000_000)

    async def scene() -> None:
        server = Server(large)
        serving = asyncio.create_task(server.serve())
        raw = socket.create_connection(("127.0.0.1", server.port))
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.sendall(GET * 4)
        await asyncio.sleep(0.5)
        server.ended.set()
        await asyncio.wait_for(serving, 30)
        raw.close()

    protocol_installed()
    asyncio.run(scene())


def test_a_connection_ends_when_its_client_leaves_and_after_some_seconds_without_a_request() -> None:
    async def scene() -> None:
        server = Server(answer)
        serving = asyncio.create_task(server.serve())
        for request in (b"", GET, b"GET / HT"):
            _, writer = await server.client(request)
            await asyncio.sleep(0.05)
            writer.close()
        await asyncio.sleep(0.5)
        assert not [task for task in asyncio.all_tasks() if "_server_callback" in repr(task)]
        await server.end(serving)

        server = Server(answer, keep_alive=0.2)
        serving = asyncio.create_task(server.serve())
        reader, _ = await server.client(GET)
        assert (await asyncio.wait_for(reader.read(), 30)).endswith(b"fine")
        await server.end(serving)

    protocol_installed()
    asyncio.run(scene())


def test_clients_that_leave_while_the_server_ends_do_not_delay_it() -> None:
    async def scene() -> None:
        server = Server(answer, grace=120.0)
        serving = asyncio.create_task(server.serve())
        clients = [await server.client(GET) for _ in range(60)]
        for reader, _ in clients:
            await reader.readuntil(b"fine")
        server.ended.set()
        for _, writer in clients:  # one in each turn of the event loop, so that some leave at the same time as it ends
            writer.close()
            await asyncio.sleep(0)
        await server.end(serving)

    protocol_installed()
    asyncio.run(scene())


def protocol_installed() -> None:
    from tools.local import protocol

    protocol.install()


@pytest.mark.parametrize(("saved", "code"), [(True, 0), (False, 1)])
def test_a_process_that_waits_for_ever_is_ended(tmp_path: Path, saved: bool, code: int) -> None:
    program = (
        "import sys, threading; from pathlib import Path; from tools.local.ending import Ending;"
        f"ending = Ending(Path(sys.argv[1])); ending.saved = {saved}; ending.begin(0.2); threading.Event().wait()"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "log")]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=ANSWER_MAX)

    assert ended.returncode == code
    assert ("did not stop in time" in ended.stderr) != saved
    assert "wait" in (tmp_path / "log").read_text(), "the log says where it stood"
    assert ending.STOP_MAX <= 60
