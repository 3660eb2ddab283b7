"""The public keys of the tokens' issuer, found by OpenID Connect Discovery and kept for a few minutes."""

import json
import time
from collections.abc import Callable
from typing import Any
from urllib.request import urlopen

import jwt

from shared.cached import Refreshing

DISCOVERY = "/.well-known/openid-configuration"
LIFETIME = 300.0  # seconds that keys are used: a key that the issuer withdraws is refused after that
PATIENCE = 5.0  # seconds between two reads, however many tokens name unknown keys
OUTAGE_MAX = 3600.0  # seconds that keys are used while their issuer is out of reach
TIMEOUT = 2.0  # seconds for each of two requests
DOCUMENT_MAX = 200_000  # bytes


class IssuerUnreachable(Exception):
    """The issuer does not answer, and without its keys a token can be neither accepted nor refused."""


class Keys:
    """The public keys of an issuer, by key id."""

    def __init__(
        self, issuer: str, *, fetch: Callable[[str], Any] | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.issuer, self._fetch = issuer, fetch or document
        self._keys = Refreshing(
            f"the keys of {issuer}",
            self._read,
            failures=(IssuerUnreachable,),
            lifetime=LIFETIME,
            patience=PATIENCE,
            stale_max=OUTAGE_MAX,
            failure_lifetime=PATIENCE,
            clock=clock,
        )

    def find(self, key_id: str | None) -> jwt.PyJWK | None:
        """Return the key of this id, or None if the issuer has none.

        Raise IssuerUnreachable if that cannot be known now.
        """
        key = self._keys.get().get(key_id or "") or self._keys.refresh().get(key_id or "")
        if key is None and self._keys.failure:
            raise IssuerUnreachable from self._keys.failure
        return key

    def _read(self) -> dict[str, jwt.PyJWK]:
        try:
            found = jwt.PyJWKSet.from_dict(self._fetch(self._fetch(self._discovery())["jwks_uri"])).keys
        except (OSError, ValueError, LookupError, TypeError, jwt.PyJWTError) as error:
            raise IssuerUnreachable from error
        return {key.key_id: key for key in found if key.key_id}

    def _discovery(self) -> str:
        return self.issuer.rstrip("/") + DISCOVERY


def document(url: str) -> Any:
    """Fetch the JSON document at this URL."""
    with urlopen(url, timeout=TIMEOUT) as response:  # noqa: S310 (the operator names the issuer; a pattern says https)
        return json.loads(response.read(DOCUMENT_MAX))
