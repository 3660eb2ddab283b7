"""The front of `make run`, without a network."""

import asyncio
import json
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import PayloadTooLarge, Unavailable
from shared.limits import EVENT_MAX, HEAD_MAX
from tools.local import origins, quotas
from tools.local.front import Answer, Front, Rules

OK: Answer = (200, {"X-Request-Id": "1", "Content-Type": "text/plain"}, b"fine")


class Client:
    """One request to a front, whose API gives the answer `answer`; `calls` is what the API saw."""

    def __init__(self, answer: Answer | Exception = OK, rules: Rules | None = None) -> None:
        self._rules = rules or Rules()
        self.calls: list[tuple[str, str, bytes, dict[str, str], bytes]] = []
        self.sent: list[dict[str, Any]] = []
        self.messages: Iterator[dict[str, Any]] | None = None
        self._answer = answer

    def send(self, method: str, path: str, chunks: Iterable[bytes] = (b"",), headers: Any = ()) -> int:
        scope = {"type": "http", "method": method, "path": path, "query_string": b"a=1", "headers": headers}
        messages = self.messages or self._messages(chunks)
        self.sent.clear()

        async def receive() -> dict[str, Any]:
            return next(messages)

        async def send(message: dict[str, Any]) -> None:
            self.sent.append(message)

        asyncio.run(Front(self._call, "x.log", self._rules)(scope, receive, send))
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
        ("POST", "/upload", b"a=1", {"host": "127.0.0.1:1", "x-a": "1, 2", "accept": "*/*;q=0"}, b"abc")
    ]


@pytest.mark.parametrize("host", ["evil.test", "evil.test:3000", "127.0.0.1.evil.test", "x.localhost", ""])
def test_other_hosts_names_are_refused(host: str) -> None:
    client = Client()

    assert client.send("GET", "/", headers=[(b"host", host.encode())]) == 403
    assert client.calls == []


@pytest.mark.parametrize("origin", ["https://evil.test", "null", "http://localhost.evil.test:3000", "file://"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST", "PATCH", "DELETE"])
def test_pages_of_other_sites_may_neither_read_nor_write(origin: str, method: str) -> None:
    client = Client()

    assert client.send(method, "/random", headers=[(b"host", b"localhost:3000"), (b"origin", origin.encode())]) == 403
    assert client.calls == []
    assert not [name for name in client.headers if name.startswith("access-control-")]


@pytest.mark.parametrize(
    "origin", ["http://127.0.0.1:5173", "http://localhost", "https://LOCALHOST:8443", "http://[::1]:80"]
)
def test_pages_of_this_machine_may_read_and_write(origin: str) -> None:
    client = Client((200, {**OK[1], "Access-Control-Allow-Origin": "*"}, b""))

    for method in ("GET", "OPTIONS", "POST", "PATCH", "DELETE"):
        assert client.send(method, "/x", headers=[(b"host", b"localhost:3000"), (b"origin", origin.encode())]) == 200
        assert client.headers["access-control-allow-origin"] == "*"


FETCHES = [  # Sec-Fetch-Site, -Mode, -Dest, and whether a page of another site may send the request
    ("cross-site", "navigate", "document", True),
    ("cross-site", "no-cors", "image", True),
    ("cross-site", "navigate", "iframe", False),
    ("cross-site", "no-cors", "script", False),
    ("cross-site", "no-cors", "empty", False),
    ("cross-site", "no-cors", "style", False),
    ("cross-site", "cors", "empty", False),
    ("same-site", "no-cors", "script", True),  # another port of this host
    ("same-origin", "cors", "empty", True),
    ("none", "navigate", "document", True),
]


@pytest.mark.parametrize(("site", "mode", "dest", "allowed"), FETCHES)
def test_a_page_of_another_site_may_link_to_a_picture_and_show_it(
    site: str, mode: str, dest: str, allowed: bool
) -> None:
    names = {b"sec-fetch-site": site, b"sec-fetch-mode": mode, b"sec-fetch-dest": dest, b"host": "localhost:3000"}
    headers = [(name, value.encode()) for name, value in names.items()]
    client = Client((200, {**OK[1], "Access-Control-Allow-Origin": "*"}, b""))

    assert client.send("GET", "/random", headers=headers) == (200 if allowed else 403)
    assert ("access-control-allow-origin" in client.headers) == (site != "cross-site")
    assert client.send("DELETE", "/images/cat/x", headers=headers) == (403 if site == "cross-site" else 200)
    headers.append((b"referer", b"http://localhost:5173/page"))
    assert client.send("GET", "/random", headers=headers) == 200


@given(origin=st.text(max_size=30) | st.from_regex(r"https?://[a-z0-9.\[\]:-]{1,30}", fullmatch=True))
def test_no_origin_but_a_loopback_one_is_of_this_machine(origin: str) -> None:
    of_this_machine = not origins.is_foreign({"origin": origin})

    assert of_this_machine == (
        origin.partition("://")[0].lower() in ("http", "https")
        and re.sub(r":[0-9]{1,5}$", "", origin.partition("://")[2]).lower() in ("127.0.0.1", "localhost", "[::1]")
    )


def test_writes_are_refused_while_nothing_can_be_saved() -> None:
    def refuse(method: str, size: int) -> None:
        raise Unavailable(f"{method} {size}")

    for method, status in (("POST", 503), ("DELETE", 503), ("GET", 200), ("HEAD", 200)):
        assert Client(rules=Rules(check_write=refuse)).send(method, "/") == status
    assert Client(rules=Rules(check_write=refuse)).send("POST", "/search") == 200, "it stores nothing"


def test_the_largest_event_passes_and_one_byte_more_is_413() -> None:
    def too_large(size: int) -> bool:
        try:
            quotas.check_event("POST", "/upload", b"a=1", {"accept": "*/*;q=0"}, b"x" * size)
        except PayloadTooLarge:
            return True
        return False

    largest = bisect_left(range(quotas.BODY_ROOM), True, key=too_large) - 1
    client = Client()

    assert EVENT_MAX - 2_000 < (largest + 2) // 3 * 4 < EVENT_MAX
    assert client.send("POST", "/upload", [b"x" * largest]) == 200
    assert len(client.calls[0][4]) == largest
    assert client.send("POST", "/upload", [b"x" * largest, b"x"]) == 413
    assert len(client.calls) == 1
    assert client.headers["content-type"] == "application/problem+json"
    assert client.headers["access-control-allow-origin"] == "*"
    detail = json.loads(client.body)["detail"]
    assert "at most 4.5 MB; send a picture of up to 20 MB with POST /uploads" in detail


def test_headers_count_twice_in_an_event() -> None:
    header = (b"x-large", b"h" * 5_000)
    body = b"x" * (quotas.BODY_ROOM - 4_000)

    assert Client().send("POST", "/upload", [body]) == 200
    assert Client().send("POST", "/upload", [body], [header]) == 413


@pytest.mark.parametrize("more", [0, 1])
def test_a_longer_head_than_api_gateway_reads_is_431(more: int) -> None:
    """The head is `GET /x?a=1 HTTP/1.1`, and a header line, with their line ends."""
    line = len("GET /x?a=1 HTTP/1.1\r\n") + len("x-a: \r\n")
    client = Client()

    status = client.send("GET", "/x", headers=[(b"x-a", b"h" * (HEAD_MAX - line + more))])

    assert status == (431 if more else 200)
    assert bool(client.calls) != bool(more)


@pytest.mark.parametrize("sent", ["GET", "POST"])
def test_a_method_in_a_header_is_the_method_as_in_api_gateway(sent: str) -> None:
    client = Client()

    assert client.send(sent, "/images/cat/x", headers=[(b"X-HTTP-Method-Override", b"head")]) == 200
    assert client.calls[0][0] == "HEAD"
    assert (client.headers["content-length"], client.body) == ("4", b"fine"), "a cache would keep an empty one"


def test_a_method_in_a_header_gets_past_no_refusal() -> None:
    foreign = (b"origin", b"https://evil.test")
    image = [(b"sec-fetch-site", b"cross-site"), (b"sec-fetch-mode", b"no-cors"), (b"sec-fetch-dest", b"image")]
    deleting, reading = (b"x-http-method-override", b"DELETE"), (b"x-http-method-override", b"GET")

    for method, headers in (("GET", [deleting, foreign]), ("GET", [deleting, *image]), ("POST", [reading, *image])):
        assert Client().send(method, "/images/cat/x", headers=headers) == 403


def test_a_function_that_takes_longer_than_api_gateway_waits_is_504() -> None:
    async def slow(*_: object) -> Answer:
        await asyncio.sleep(0.05)
        return OK

    client = Client(rules=Rules(seconds=0.001))
    client._call = slow  # type: ignore[method-assign]

    assert client.send("GET", "/random") == 504
    assert client.headers["retry-after"] == "1"


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

    assert client.send("GET", "/random") == 503
    assert client.headers["retry-after"] == "1"
    assert client.headers["content-type"] == "application/problem+json"
    assert "x.log" in json.loads(client.body)["detail"]


def test_head_has_the_length_of_get_and_204_has_none() -> None:
    head, none = Client((200, {**OK[1], "Content-Length": "9"}, b"1234567")), Client((204, OK[1], b""))

    head.send("HEAD", "/")
    none.send("DELETE", "/")

    assert (head.headers["content-length"], head.body) == ("7", b"")
    assert "content-length" not in none.headers
