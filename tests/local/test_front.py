"""The front of `make run`, without a network."""

import asyncio
import json
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from tools.local import front
from tools.local.front import Answer, Front

OK: Answer = (200, {"X-Request-Id": "1", "Content-Type": "text/plain"}, b"fine")


class Client:
    """One request to a front, whose API gives the answer `answer`; `calls` is what the API saw."""

    def __init__(self, answer: Answer | Exception = OK, *, failing: bool = False) -> None:
        self._failing = failing
        self.calls: list[tuple[str, str, bytes, dict[str, str], bytes]] = []
        self.sent: list[dict[str, Any]] = []
        self.messages: Iterator[dict[str, Any]] | None = None
        self._answer = answer

    def send(self, method: str, path: str, chunks: Iterable[bytes] = (b"",), headers: Any = ()) -> int:
        scope = {"type": "http", "method": method, "path": path, "query_string": b"a=1", "headers": headers}
        messages = self.messages or self._messages(chunks)

        async def receive() -> dict[str, Any]:
            return next(messages)

        async def send(message: dict[str, Any]) -> None:
            self.sent.append(message)

        asyncio.run(Front(self._call, "x.log", failing=lambda: self._failing)(scope, receive, send))
        return int(self.sent[0]["status"]) if self.sent else 0

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode().lower(): value.decode() for name, value in self.sent[0]["headers"]}

    @property
    def body(self) -> bytes:
        return bytes(self.sent[1]["body"])

    async def _call(self, method: str, path: str, query: bytes, headers: dict[str, str], body: bytes) -> Answer:
        self.calls.append((method, path, query, headers, body))
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer

    @staticmethod
    def _messages(chunks: Iterable[bytes]) -> Iterator[dict[str, Any]]:
        for chunk in chunks:
            yield {"type": "http.request", "body": chunk, "more_body": True}
        yield {"type": "http.request", "body": b"", "more_body": False}


def test_a_request_reaches_the_api_as_it_came() -> None:
    client = Client()

    status = client.send("POST", "/upload", [b"ab", b"c"], [(b"Host", b"127.0.0.1:1"), (b"x-a", b"1"), (b"x-a", b"2")])

    assert (status, client.body, client.headers["content-length"]) == (200, b"fine", "4")
    assert client.calls == [
        ("POST", "/upload", b"a=1", {"host": "127.0.0.1:1", "x-a": "1, 2", "accept": "*/*"}, b"abc")
    ]


@pytest.mark.parametrize("host", ["evil.test", "evil.test:3000", "127.0.0.1.evil.test", "x.localhost", ""])
def test_other_hosts_names_are_refused(host: str) -> None:
    client = Client()

    assert client.send("GET", "/", headers=[(b"host", host.encode())]) == 403
    assert client.calls == []


@pytest.mark.parametrize("origin", ["https://evil.test", "null", "http://localhost.evil.test:3000"])
def test_pages_of_other_hosts_may_read_and_not_write(origin: str) -> None:
    headers = [(b"host", b"localhost:3000"), (b"origin", origin.encode())]

    assert Client().send("POST", "/upload", headers=headers) == 403
    assert Client().send("DELETE", "/images/cat/x", headers=headers) == 403
    assert Client().send("GET", "/random", headers=headers) == 200
    headers[1] = (b"origin", b"http://127.0.0.1:5173")
    assert Client().send("POST", "/upload", headers=headers) == 200


def test_writes_are_refused_while_nothing_can_be_saved() -> None:
    for method, status in (("POST", 503), ("DELETE", 503), ("GET", 200), ("HEAD", 200)):
        assert Client(failing=True).send(method, "/") == status


def test_the_largest_body_passes() -> None:
    client = Client()

    assert client.send("POST", "/upload", [b"x" * front.BODY_MAX]) == 200
    assert len(client.calls[0][4]) == front.BODY_MAX


def test_a_larger_body_is_413_and_no_function_is_called() -> None:
    client = Client()

    assert client.send("POST", "/upload", [b"x" * front.BODY_MAX, b"x"]) == 413
    assert client.calls == []
    assert client.headers["content-type"] == "application/problem+json"
    assert client.headers["access-control-allow-origin"] == "*"
    detail = json.loads(client.body)["detail"]
    assert "at most 4.5 MB; send a picture of up to 20 MB with POST /uploads" in detail


def test_an_endless_body_is_answered() -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield b"x" * 1_000_000

    assert Client().send("POST", "/upload", endless()) == 413


def test_a_client_that_leaves_gets_nothing() -> None:
    client = Client()
    client.messages = iter([{"type": "http.disconnect"}])

    assert client.send("POST", "/upload") == 0
    assert client.calls == []


@pytest.mark.parametrize("answer", [(502, {"Content-Type": "application/json"}, b'{"message": "x"}'), KeyError("x")])
def test_a_failure_of_the_emulator_is_a_problem_that_names_the_log(answer: Answer | Exception) -> None:
    client = Client(answer)

    assert client.send("GET", "/random") == 502
    assert client.headers["content-type"] == "application/problem+json"
    assert "x.log" in json.loads(client.body)["detail"]


def test_head_and_204_carry_no_length_of_their_own() -> None:
    head, none = Client((200, {**OK[1], "Content-Length": "7"}, b"")), Client((204, OK[1], b""))

    head.send("HEAD", "/")
    none.send("DELETE", "/")

    assert (head.headers["content-length"], head.body) == ("7", b"")
    assert "content-length" not in none.headers
