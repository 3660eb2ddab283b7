"""What an issuer of tokens may answer by mistake, under attack or on a bad day, by name."""

import json
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any

Answer = Callable[[BaseHTTPRequestHandler], object]

GIVEN_UP = 20.0  # seconds after which an endless answer ends by itself


def raw(content: bytes) -> Answer:
    """Send these bytes, and close the connection."""
    return lambda handler: handler.wfile.write(content)


def body(content: bytes, status: str = "200 OK", *lines: str) -> Answer:
    """Send this body."""
    head = "\r\n".join((f"HTTP/1.1 {status}", f"Content-Length: {len(content)}", *lines))
    return raw(head.encode() + b"\r\n\r\n" + content)


def document(value: Any) -> Answer:
    """Send this value as JSON."""
    return body(json.dumps(value).encode())


def redirect(location: str) -> Answer:
    return body(b"{}", "302 Found", f"Location: {location}")


def endless(begin: bytes, piece: bytes, pause: float = 0.0) -> Answer:
    """Send the beginning, and then a piece after each pause, until the reader goes."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(begin)
        until = time.monotonic() + GIVEN_UP
        while time.monotonic() < until:
            handler.wfile.write(piece)
            handler.wfile.flush()
            time.sleep(pause)

    return answer


OK = b"HTTP/1.1 200 OK\r\n"

# Each can be the answer to either request.
ANYWHERE: dict[str, Answer] = {
    "nothing": raw(b""),
    "no HTTP": raw(b"\0\xff" * 100),
    "HTTP 0.9": raw(b'{"keys": []}'),
    "a line that is no status": raw(b"HTTP/1.1 abc\r\n\r\n"),
    "a status of 30 digits": raw(b"HTTP/1.1 " + b"2" * 30 + b"\r\n\r\n"),
    "a body that breaks off": raw(OK + b"Content-Length: 100\r\n\r\n{"),
    "a length that is no number": raw(OK + b"Content-Length: x\r\n\r\n{}"),
    "a length below zero": raw(OK + b"Content-Length: -1\r\n\r\n{}"),
    "broken chunks": raw(OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
    "a header of 100 kB": raw(OK + b"X: " + b"x" * 100_000 + b"\r\n\r\n{}"),
    "500 headers": raw(OK + b"X: x\r\n" * 500 + b"\r\n{}"),
    "no content": raw(b"HTTP/1.1 204 No Content\r\n\r\n"),
    "not found": body(b'{"keys": []}', "404 Not Found"),
    "an error": body(b'{"keys": []}', "500 Internal Server Error"),
    "too many requests": body(b"{}", "429 Too Many Requests", "Retry-After: 1000"),
    "a redirect to itself": redirect("/keys"),
    "a redirect to a file": redirect("file:///etc/passwd"),
    "a redirect to data": redirect("data:application/json,{}"),
    "an empty body": body(b""),
    "half of a document": body(b'{"keys": ['),
    "bytes that are no text": body(b"\xff\xfe\xfd"),
    "HTML": body(b"<!doctype html>"),
    "compressed bytes": body(b"\x1f\x8b\x08\0", "200 OK", "Content-Encoding: gzip"),
    "null": document(None),
    "true": document(True),
    "a number": document(1),
    "a number of 10,000 digits": body(b"1" * 10_000),
    "a text": document("keys"),
    "a list": document([{"keys": []}]),
    "an empty object": document({}),
    "lists in lists, 100,000 deep": body(b"[" * 100_000),
    "objects in objects, 20,000 deep": body(b'{"keys":' * 20_000),
    "300 kB": body(b" " * 300_000 + b"{}"),
    "20 MB": body(b" " * 20_000_000),
}

# The issuer's own URL takes the place of ISSUER.
DISCOVERIES: dict[str, Any] = {
    "no address of keys": {"issuer": "ISSUER"},
    "no issuer": {"jwks_uri": "ISSUERkeys"},
    "another issuer": {"issuer": "https://evil.test/", "jwks_uri": "ISSUERkeys"},
    "an issuer with another slash": {"issuer": "ISSUER/", "jwks_uri": "ISSUERkeys"},
    "a list of issuers": {"issuer": ["ISSUER"], "jwks_uri": "ISSUERkeys"},
    **{
        f"keys at {address!r}": {"issuer": "ISSUER", "jwks_uri": address}
        for address in (
            *(None, True, 7, ["ISSUERkeys"], {"uri": "ISSUERkeys"}, "", "keys", "/keys", "//127.0.0.1/keys"),
            *("data:application/json,{}", "file:///etc/passwd", "ftp://127.0.0.1/keys", "javascript:1", "jwks"),
            *("http://evil.test/keys", "http://169.254.169.254/latest/meta-data/", "http://[::1", "http://:1/"),
            *(
                "https://",
                "https://127.0.0.1:1/keys",
                "https://127.0.0.1:99999/keys",
                "https://a b/",
                "https://\ud800/",
            ),
            *("ISSUERkeys\r\nX: y", "ISSUERke ys", "http://\n/", "https://" + "a" * 5000 + "/"),
        )
    },
}

KEY_SETS: dict[str, Any] = {
    "no keys": {"keys": []},
    "keys that are an object": {"keys": {"ec": {}}},
    "keys that are a text": {"keys": "ec"},
    "keys that are no keys": {"keys": [None, 1, "x", [], {}, [[]], True]},
    "a shared secret": {"keys": [{"kty": "oct", "kid": "ec", "k": "c2VjcmV0"}]},
}

# Each is beside a good key, which must still be found.
KEYS: dict[str, Any] = {
    "nothing": None,
    "a list": [],
    "a text": "ec",
    "an empty object": {},
    "a list as an id": {"kty": "RSA", "kid": ["ec"], "n": "AQAB", "e": "AQAB"},
    "an object as an id": {"kty": "RSA", "kid": {"a": 1}, "n": "AQAB", "e": "AQAB"},
    "a number as an id": {"kty": "RSA", "kid": 1, "n": "AQAB", "e": "AQAB"},
    "no id": {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
    "no numbers": {"kty": "RSA", "kid": "x"},
    "numbers that are none": {"kty": "EC", "kid": "x", "crv": "P-256", "x": 1, "y": [2]},
    "numbers that are no base64": {"kty": "RSA", "kid": "x", "n": "!", "e": "\u00e9"},
    "a point that is not on the curve": {"kty": "EC", "kid": "x", "crv": "P-256", "x": "AQ", "y": "AQ"},
    "an unknown curve": {"kty": "EC", "kid": "x", "crv": ["P-256"], "x": "AQ", "y": "AQ"},
    "an unknown kind": {"kty": "XYZ", "kid": "x"},
    "a list as a kind": {"kty": ["RSA"], "kid": "x", "n": "AQAB", "e": "AQAB"},
    "a shared secret": {"kty": "oct", "kid": "x", "k": "c2VjcmV0"},
    "a shared secret that says otherwise": {"kty": "oct", "kid": "x", "k": "c2VjcmV0", "alg": "RS256"},
    "an algorithm of another kind": {"kty": "RSA", "kid": "x", "n": "AQAB", "e": "AQAB", "alg": "ES256"},
    "an algorithm with a secret": {"kty": "RSA", "kid": "x", "n": "AQAB", "e": "AQAB", "alg": "HS256"},
    "no algorithm": {"kty": "RSA", "kid": "x", "n": "AQAB", "e": "AQAB", "alg": "none"},
    "a list of algorithms": {"kty": "RSA", "kid": "x", "n": "AQAB", "e": "AQAB", "alg": ["RS256"]},
    "a private key": {"kty": "EC", "kid": "x", "crv": "P-256", "x": "AQ", "y": "AQ", "d": "AQ"},
    "a key to encrypt with": {"kty": "RSA", "kid": "x", "n": "AQAB", "e": "AQAB", "use": "enc"},
    "a key for other operations": {"kty": "RSA", "kid": "x", "n": "AQAB", "e": "AQAB", "key_ops": ["encrypt"]},
    "operations that are no list": {"kty": "RSA", "kid": "x", "n": "AQAB", "e": "AQAB", "key_ops": 1},
    "a key of 100 kB": {"kty": "RSA", "kid": "x", "n": "_" * 100_000, "e": "AQAB"},
    "an exponent of 100 kB": {"kty": "RSA", "kid": "x", "n": "_" * 342, "e": "_" * 100_000},
}

# These never end by themselves.
SLOW: dict[str, Answer] = {
    "silence": endless(b"", b"", 0.1),
    "a body that drips": endless(OK + b"Content-Length: 1000\r\n\r\n", b" ", 0.1),
    "a header that drips": endless(OK + b"X: ", b"x", 0.1),
    "headers that drip": endless(OK, b"X: x\r\n", 0.5),
    "100 Continue, again and again": endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.1),
    "gigabytes": endless(OK + b"Content-Length: 10000000000\r\n\r\n", b" " * 65_536),
    "chunks without end": endless(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n", 0.1),
}
