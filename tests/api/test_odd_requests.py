"""Requests that no HTTP library writes: each gets its own status, a problem with its requestId, and never a 5xx.

The first half runs in every host.  The second half is not valid HTTP, or only just, and goes over a plain socket to
`make run`.
"""

import http.client
import socket

import pytest

from shared.limits import HEAD_MAX
from tests.support import pictures
from tests.support.answers import problem
from tests.support.hosts import Api, Handlers, json_of
from tests.support.local_service import ANSWER_MAX, Answer, LocalService

pytestmark = pytest.mark.also_in_make_run(why="other programs parse the HTTP before the functions do")

NONE = "/images/none/" + "0" * 32 + ".png"

# target -> (status, field at fault); {} is a label without images
TARGETS = {
    "/random?Label={}": (400, "Label"),
    "/random?LABEL={}": (400, "LABEL"),
    "/random?label[]={}": (400, "label[]"),
    "/random?%20label={}": (400, " label"),
    "/random?label%00={}": (400, "label\0"),
    "/random??label={}": (400, "?label"),
    "/random?label={}&=1": (400, ""),
    "/random?label={}&x": (400, "x"),
    "/random?label={}&%FF=1": (400, "\N{REPLACEMENT CHARACTER}"),
    "/random?label={}&seed=1&seed=2": (400, "seed"),
    "/random?label={}&label=": (400, "label"),
    "/random?label={}&%6Cabel=dog": (400, "label"),
    "/random?&&&": (400, "label"),
    "/random?label": (422, "label"),
    "/random?label={};format=json": (422, "label"),
    "/random?label={}%26format=json": (422, "label"),
    "/random?label={}%00": (422, "label"),
    "/random?label=%00": (422, "label"),
    "/random?label=%FF%FE": (422, "label"),
    "/random?label=%C0%80": (422, "label"),
    "/random?label=%ED%A0%80": (422, "label"),
    "/random?label=%zz": (422, "label"),
    "/random?label={}%": (422, "label"),
    "/random?label=%2563at": (422, "label"),
    "/random?label=..%2F..%2Fcat": (422, "label"),
    "/random?label=c%0Aat": (422, "label"),
    "/random?label=c+at": (422, "label"),
    "/random?label={}%E2%80%8B": (422, "label"),
    "/random?label=%EF%BC%A3at": (422, "label"),
    "/random?label=" + "a" * 20_000: (422, "label"),
    "/random?label={}&format=JSON": (422, "format"),
    "/random?label={}&format=json%00": (422, "format"),
    "/random?label={}&format=": (422, "format"),
    "/random?" + "label={}&" * 1000: (400, "label"),
    "/random?label={}&" + "&".join(f"x{number}=1" for number in range(2000)): (400, "x0"),
    "/random?label={}%0A": (404, "label"),
    "/random?label=%09{}+": (404, "label"),
    "/random?&label={}&": (404, "label"),
    "/random?%6C%61bel={}": (404, "label"),
    "/RANDOM?label={}": (404, None),
    "/random%00?label={}": (404, None),
    "/random%0A?label={}": (404, None),
    "/random%3Flabel={}": (404, None),
    "/images/{}/%2e%2e%2f%2e%2e%2frandom": (404, None),
    "/images/../" + "0" * 32 + ".png": (404, None),
    "/images/%2E%2E/" + "0" * 32 + ".png": (404, None),
    "/images/%252E%252E/" + "0" * 32 + ".png": (404, None),
    "/images/{}/%00": (404, None),
    "/images/{}/%FF": (404, None),
    "/images/{}/" + "0" * 32 + ".png%0A": (404, None),
    "/images/{}/" + "0" * 32 + ".PNG": (404, None),
    "/images/{}/" + "0" * 32 + ".png;v=1": (404, None),
    "/images/{}/" + "A" * 32 + ".png": (404, None),
    "/images/{}/" + "a" * 20_000: (404, None),
    "/images/{}/" + "0" * 32 + ".png?size=1": (422, "size"),
    "/labels?x": (400, "x"),
    "/labels?*": (400, "*"),
    "/" + "a/" * 5000: (404, None),
    "/%2e%2e/%2e%2e/etc/passwd": (404, None),
    "/<script>": (404, None),
    "/{label}": (404, None),
}

# headers -> the status of a random draw of a label that has one picture
HEADERS: dict[str, tuple[dict[str, str], int]] = {
    "another method in a header": ({"X-HTTP-Method": "DELETE", "X-Method-Override": "DELETE"}, 200),
    "a range": ({"Range": "bytes=0-3"}, 200),
    "a range that is none": ({"Range": "bytes=9-1,-"}, 200),
    "an Accept that is none": ({"Accept": ";;;q=,,/"}, 200),
    "an Accept of 8 kB": ({"Accept": "image/webp," * 700 + "*/*"}, 200),
    "a header of 8 kB": ({"X-A": "a" * 8000}, 200),
    "headers by the hundred": ({f"X-{number}": "1" for number in range(300)}, 200),
    "Latin-1 in a header": ({"Accept": "\xff\xfe", "Cookie": "\xe9"}, 200),
    "a host of its own in a header": ({"X-Forwarded-Host": "evil.test", "Forwarded": "host=evil.test"}, 200),
    "conditions that are for other resources": ({"If-Match": '"x"', "If-None-Match": "*", "If-Range": '"x"'}, 200),
    "a compressed body": ({"Content-Encoding": "gzip"}, 415),
    "a body compressed twice": ({"Content-Encoding": "br, identity"}, 415),
    "a body compressed with nothing": ({"Content-Encoding": ""}, 415),
    "a body compressed with an unknown thing": ({"Content-Encoding": "\xff"}, 415),
}


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target[:60])
def test_an_odd_target_gets_its_own_refusal(api: Api, target: str) -> None:
    status, field = TARGETS[target]
    path = target.replace("{}", api.label)
    if not isinstance(api.host, Handlers) and len(path) > HEAD_MAX:
        status, field = 431, None  # API Gateway reads no longer ones
    answer = api.get(path)
    problem(answer, status, field=field)
    assert ("errors" in json_of(answer)) == (field is not None)
    assert len(answer.body) < 2000


@pytest.mark.parametrize("name", HEADERS)
def test_odd_headers_change_nothing_or_are_refused(api: Api, name: str) -> None:
    headers, status = HEADERS[name]
    url = json_of(api.upload(pictures.tiny(1)))["url"]
    answer = api.host.request("GET", f"/random?label={api.label}", headers={"Accept": "*/*"} | headers)
    assert answer.status == status, answer
    if status == 200:
        assert answer.body == pictures.tiny(1)
    else:
        problem(answer, status)
    assert api.get(url).status == 200


def test_invalid_entity_tags_change_nothing(api: Api) -> None:
    url = json_of(api.upload(pictures.tiny(1), "0.5"))["url"]
    now = api.get(url + "/info").headers["etag"]
    for tag in ("", "x", '"', f"W/{now}", now[:-1], now[1:], ",,,", "*, *", '"\xff"', '"' * 8000, f"x{now[1:]}"):
        problem(api.patch(url, {"weight": 0.6}, if_match=tag), 412, field="If-Match")
        problem(api.delete(url, if_match=tag), 412, field="If-Match")
    assert json_of(api.get(url + "/info"))["weight"] == 0.5


@pytest.mark.parametrize("method", ["TRACE", "QUERY", "PROPFIND", "FOO", "X" * 1000])
def test_an_unknown_method_is_405(api: Api, method: str) -> None:
    for path in ("/upload", "/random", NONE + "/info", "/", "/images", "/search", NONE + "/similar", "/labels"):
        answer = api.host.request(method, path)
        problem(answer, 405)
        assert len(answer.body) < 2000


def exchange(service: LocalService, *, line: bytes, lines: bytes = b"", host: bytes = b"Host: 127.0.0.1\r\n") -> Answer:
    """Send these bytes. `lines` are the headers after Host, and an empty line and a body if there is one."""
    head, _, body = (host + b"Connection: close\r\n" + lines).partition(b"\r\n\r\n")
    with socket.create_connection(("127.0.0.1", service.port), timeout=ANSWER_MAX) as connection:
        connection.sendall(line + b"\r\n" + head.removesuffix(b"\r\n") + b"\r\n\r\n" + body)
        response = http.client.HTTPResponse(connection)
        response.begin()
        names = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, names, response.read())


GET, POST, DRAW = b"GET / HTTP/1.1", b"POST /upload HTTP/1.1", b"/random?label=none"
CHUNKED = b"Transfer-Encoding: chunked\r\n"

# name -> (arguments of `exchange`, status)
EXCHANGES = {
    "no version": ({"line": b"GET /"}, 400),
    "no target": ({"line": b"GET  HTTP/1.1"}, 400),
    "no method": ({"line": b"/ HTTP/1.1"}, 400),
    "TLS": ({"line": b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03"}, 400),
    "a method of braces": ({"line": b"{} / HTTP/1.1"}, 400),
    "a method in lower case is taken for the other": ({"line": b"get / HTTP/1.1"}, 200),
    "HTTP/1.0": ({"line": b"GET %s HTTP/1.0" % DRAW, "host": b""}, 404),
    "a version to come": ({"line": b"GET %s HTTP/1.9" % DRAW}, 404),
    "a version of another kind": ({"line": b"GET / HTCPCP/1.0"}, 400),
    "a space in the target": ({"line": b"GET /random?label=a cat HTTP/1.1"}, 400),
    "NUL in the target": ({"line": b"GET /random?label=cat\0 HTTP/1.1"}, 400),
    "bytes that are no text in the target": ({"line": b"GET /\xff HTTP/1.1"}, 400),
    "UTF-8 in the target": ({"line": "GET /kätzchen HTTP/1.1".encode()}, 400),
    "a fragment": ({"line": b"GET %s#x HTTP/1.1" % DRAW}, 422),
    "a target without a slash": ({"line": b"GET random?label=none HTTP/1.1"}, 400),
    "a whole URL": ({"line": b"GET http://127.0.0.1%s HTTP/1.1" % DRAW}, 404),
    "a whole URL in capitals": ({"line": b"GET HTTP://LOCALHOST%s HTTP/1.1" % DRAW}, 404),
    "a whole URL without a path": ({"line": b"GET http://127.0.0.1 HTTP/1.1"}, 200),
    "a whole URL of another host": ({"line": b"GET http://evil.test%s HTTP/1.1" % DRAW}, 403),
    "a whole URL with a name in it": ({"line": b"GET http://127.0.0.1@evil.test/ HTTP/1.1"}, 403),
    "a whole URL of another kind": ({"line": b"GET ftp://127.0.0.1/ HTTP/1.1"}, 400),
    "CONNECT": ({"line": b"CONNECT 127.0.0.1:80 HTTP/1.1"}, 400),
    "OPTIONS of the server": ({"line": b"OPTIONS * HTTP/1.1"}, 400),
    "TRACE": ({"line": b"TRACE / HTTP/1.1"}, 405),
    "a target of 60 kB": ({"line": b"GET %s HTTP/1.1" % (DRAW + b"a" * 60_000)}, 431),
    "a target of 200 kB": ({"line": b"GET %s HTTP/1.1" % (DRAW + b"a" * 200_000)}, 431),
    "a header of 200 kB": ({"line": GET, "lines": b"X: " + b"a" * 200_000 + b"\r\n"}, 431),
    "20,000 headers": ({"line": GET, "lines": b"X-Header: 1\r\n" * 20_000}, 431),
    "no host": ({"line": GET, "host": b""}, 400),
    "an empty host": ({"line": GET, "host": b"Host:\r\n"}, 403),
    "two hosts": ({"line": GET, "host": b"Host: 127.0.0.1\r\nHost: evil.test\r\n"}, 400),
    "two hosts in one": ({"line": GET, "host": b"Host: 127.0.0.1, evil.test\r\n"}, 403),
    "a host with a path": ({"line": GET, "host": b"Host: 127.0.0.1/x\r\n"}, 403),
    "a host that is no text": ({"line": GET, "host": b"Host: \xff\r\n"}, 403),
    "a port out of range": ({"line": GET, "host": b"Host: 127.0.0.1:999999\r\n"}, 403),
    "NUL in a header": ({"line": GET, "lines": b"X: a\0b\r\n"}, 400),
    "a space before the colon": ({"line": GET, "lines": b"X : a\r\n"}, 400),
    "a header without a colon": ({"line": GET, "lines": b"X\r\n"}, 400),
    "a header without a name": ({"line": GET, "lines": b": x\r\n"}, 400),
    "a folded header": ({"line": GET, "lines": b"X: a\r\n b\r\n"}, 200),
    "a length below zero": ({"line": POST, "lines": b"Content-Length: -1\r\n"}, 400),
    "a length with a sign": ({"line": POST, "lines": b"Content-Length: +1\r\n\r\nx"}, 400),
    "a length of 30 digits": ({"line": POST, "lines": b"Content-Length: %s\r\n" % (b"9" * 30)}, 400),
    "two lengths": ({"line": POST, "lines": b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx"}, 400),
    "one length twice": ({"line": POST, "lines": b"Content-Length: 1\r\nContent-Length: 1\r\n\r\nx"}, 415),
    "chunks and a length": ({"line": POST, "lines": CHUNKED + b"Content-Length: 9\r\n\r\n1\r\nx\r\n0\r\n\r\n"}, 415),
    "a chunk without a number": ({"line": POST, "lines": CHUNKED + b"\r\nx\r\n"}, 400),
    "a chunk longer than it says": ({"line": POST, "lines": CHUNKED + b"\r\n1\r\nxxx\r\n0\r\n\r\n"}, 400),
    "a chunk of 30 digits": ({"line": POST, "lines": CHUNKED + b"\r\n%s\r\n" % (b"f" * 30)}, 400),
    "compressed on the way": ({"line": POST, "lines": b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"}, 400),
    "an unknown transfer coding": ({"line": POST, "lines": b"Transfer-Encoding: xchunked\r\n"}, 400),
    "100-continue": ({"line": POST, "lines": b"Expect: 100-continue\r\nContent-Length: 1\r\n\r\nx"}, 415),
    "another expectation": ({"line": POST, "lines": b"Expect: tea\r\nContent-Length: 1\r\n\r\nx"}, 415),
    "two content types": (
        {"line": POST, "lines": b"Content-Type: a/b\r\nContent-Type: multipart/form-data; boundary=b\r\n"},
        415,
    ),
    "a websocket": (
        {"line": b"GET %s HTTP/1.1" % DRAW, "lines": b"Connection: Upgrade\r\nUpgrade: websocket\r\n"},
        404,
    ),
}


@pytest.mark.parametrize("name", EXCHANGES)
def test_almost_invalid_http_is_answered_with_a_problem(running: LocalService, name: str) -> None:
    sent, status = EXCHANGES[name]
    answer = exchange(running, **sent)
    if status == 200:
        assert answer.status == 200, answer
    else:
        problem(answer, status)
        assert "x-request-id" in answer.headers
    assert running.get("/").status == 200


def test_one_header_names_another_method_as_api_gateway_has_it(running: LocalService) -> None:
    image = json_of(running.upload(pictures.tiny(1), label="odd"))
    path = f"/images/{image['id']}"
    for name in ("X-HTTP-Method", "X-Method-Override"):
        assert running.send("GET", path, headers={name: "DELETE"}).body == pictures.tiny(1)
        problem(running.send("POST", path + "?_method=DELETE", headers={name: "DELETE"}), 405)
    for method in ("HEAD", "GET"):
        answer = running.send("GET", path, headers={"X-HTTP-Method-Override": method})
        assert (answer.body, answer.headers["cache-control"]) == (pictures.tiny(1), "no-store")
    assert running.get(path).headers["cache-control"] != "no-store"
    assert running.send("POST", path, headers={"X-HTTP-Method-Override": "DELETE"}).status == 204
    assert running.get(path).status == 404


def test_an_incomplete_request_is_dropped(running: LocalService) -> None:
    for part in (b"", b"GET", POST + b"\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\nhalf"):
        with socket.create_connection(("127.0.0.1", running.port), timeout=ANSWER_MAX) as connection:
            connection.sendall(part)
        assert running.get("/").status == 200
