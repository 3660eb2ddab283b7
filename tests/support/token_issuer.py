"""An issuer of tokens: it publishes its keys by OpenID Connect Discovery, and signs what tests ask for."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

AUDIENCE = "petapi"
DISCOVERY, KEYS = "/.well-known/openid-configuration", "/keys"  # the paths of an issuer's documents
SCOPES = "images:write images:delete"

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


class Issuer:
    """A running issuer. It is out of reach while `down`, and answers `odd` paths in other ways."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self.keys: dict[str, Key] = {"rsa": rsa_key(), "ec": ec_key()}
        self.down, self.reads = False, 0
        self.odd: dict[str, Callable[[BaseHTTPRequestHandler], object]] = {}
        self._server = ThreadingHTTPServer((host, port), self._handler())
        self.url = f"http://{host}:{self._server.server_port}/"
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def close(self) -> None:
        """Stop the issuer."""
        self._server.shutdown()
        self._server.server_close()

    def claims(self, **others: Any) -> dict[str, Any]:
        """Return the claims of a good token, changed by others; None removes a claim."""
        now = int(time.time())
        claims = {"iss": self.url, "aud": AUDIENCE, "sub": "alice", "iat": now, "exp": now + 600, "scope": SCOPES}
        return {name: value for name, value in (claims | others).items() if value is not None}

    def token(self, kid: str = "ec", **others: Any) -> str:
        """Return a token with these claims, signed with this key."""
        return signed(self.claims(**others), self.keys[kid], kid)

    def public_pem(self, kid: str) -> bytes:
        """Return the public part of a key."""
        public = self.keys[kid].public_key()
        return public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

    def _document(self, path: str) -> Any:
        if path == DISCOVERY:
            return {"issuer": self.url, "jwks_uri": self.url + "keys"}
        self.reads += 1
        return {"keys": [public_jwk(kid, key) for kid, key in self.keys.items()]}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if issuer.down:
                    return self.connection.close()
                if self.path in issuer.odd:
                    with suppress(OSError):  # the reader has gone
                        issuer.odd[self.path](self)
                    self.close_connection = True
                    return None
                body = json.dumps(issuer._document(self.path)).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                return None

            def log_message(self, *_: object) -> None: ...

        return Handler


def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def public_jwk(kid: str, key: Key) -> dict[str, Any]:
    algorithm = jwt.algorithms.RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else jwt.algorithms.ECAlgorithm
    return {**json.loads(algorithm.to_jwk(key.public_key())), "kid": kid, "use": "sig"}  # type: ignore[arg-type]


def signed(claims: dict[str, Any], key: Key, kid: str | None) -> str:
    """Sign a token with the algorithm of the key."""
    algorithm = "RS256" if isinstance(key, rsa.RSAPrivateKey) else "ES256"
    return jwt.encode(claims, key, algorithm, {"kid": kid} if kid else None)


def forged(header: dict[str, Any], claims: dict[str, Any], secret: bytes | None) -> str:
    """Make a token that libraries refuse to make: signed by HMAC with this secret, or unsigned."""
    text = f"{_part(json.dumps(header).encode())}.{_part(json.dumps(claims).encode())}"
    signature = hmac.new(secret, text.encode(), hashlib.sha256).digest() if secret else b""
    return f"{text}.{_part(signature)}"


def _part(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
