"""The issuer of tokens of `make run TOKENS=1`: a key in the data folder, and documents under the service's own port.

The key is made at the first start and stays, so tokens outlive a restart on the same port. `make token` reads the file.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from tools.local.data_folder import write_private
from tools.local.refusals import Refusal

AUDIENCE = "petapi"
KEY_ID = "local"
KEYS_PATH = "/.well-known/jwks.json"
DISCOVERY_PATH = "/.well-known/openid-configuration"
LIFETIME = 86_400  # seconds that a token is valid


@dataclass(frozen=True, slots=True)
class LocalIssuer:
    """An issuer. `url` is the claim `iss` of its tokens, the address of the service without a slash at the end."""

    url: str
    key: ec.EllipticCurvePrivateKey

    def documents(self) -> dict[str, bytes]:
        """Return its public documents by path, as OpenID Connect Discovery names them."""
        public = jwt.algorithms.ECAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        keys = {"keys": [{**public, "kid": KEY_ID, "use": "sig", "alg": "ES256"}]}
        discovery = {"issuer": self.url, "jwks_uri": self.url + KEYS_PATH}
        return {DISCOVERY_PATH: json.dumps(discovery).encode(), KEYS_PATH: json.dumps(keys).encode()}

    def parameters(self) -> Mapping[str, str]:
        """Return the parameters of template.yaml that make the service trust it."""
        return {"JwtIssuer": self.url, "JwtAudience": AUDIENCE}

    def token(self, subject: str, scope: str) -> str:
        """Return a token of this subject with these scopes, separated by spaces. It is valid for a day."""
        now = int(time.time())
        claims = {"iss": self.url, "aud": AUDIENCE, "sub": subject, "scope": scope, "iat": now, "exp": now + LIFETIME}
        return jwt.encode(claims, self.key, "ES256", {"kid": KEY_ID})


def begin(path: Path, url: str) -> LocalIssuer:
    """Return the issuer that is kept in this file, under this URL. Make its key if there is none."""
    key = _read(path).key if path.exists() else ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    write_private(path, json.dumps({"issuer": url, "key": pem}))
    return LocalIssuer(url, key)


def find(path: Path) -> LocalIssuer:
    """Return the issuer of the last start. Raise Refusal if there is none."""
    if not path.exists():
        raise Refusal(
            f"There is no issuer of tokens in {path.parent}. Start the service with one (make run TOKENS=1), or name "
            "the data folder of the one that runs (make token DATA=<folder>)."
        )
    return _read(path)


def _read(path: Path) -> LocalIssuer:
    try:
        kept = json.loads(path.read_bytes())
        key = load_pem_private_key(kept["key"].encode(), None)
        url = str(kept["issuer"])
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise Refusal(
            f"{path} cannot be read ({type(error).__name__}). Remove it; the next start makes a new key, and tokens of "
            "the old one are no longer valid."
        ) from error
    assert isinstance(key, ec.EllipticCurvePrivateKey)  # noqa: S101 (`begin` made it)
    return LocalIssuer(url, key)
