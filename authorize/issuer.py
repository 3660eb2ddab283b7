"""The keys of the tokens' issuer, found as OpenID Connect Discovery says and kept for a few minutes."""

import json
import logging
import time
from collections.abc import Callable
from typing import Any
from urllib.request import urlopen

import jwt

logger = logging.getLogger("petapi")

DISCOVERY = "/.well-known/openid-configuration"
LIFETIME = 300.0  # seconds that keys are good for: a key that the issuer withdraws is refused after that
PATIENCE = 5.0  # seconds between two reads, however many tokens name keys that are not there
OUTAGE_MAX = 3600.0  # seconds that keys are used, because their issuer is out of reach
TIMEOUT = 2.0  # seconds for each of two requests
DOCUMENT_MAX = 200_000  # bytes


class IssuerUnreachable(Exception):
    """The issuer does not answer, and without its keys nothing can be said of the token."""


class Keys:
    """The public keys of an issuer, by key id."""

    def __init__(
        self, issuer: str, *, fetch: Callable[[str], Any] | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.issuer, self._fetch, self._clock = issuer, fetch or document, clock
        self._keys: dict[str, jwt.PyJWK] = {}
        self._read_at = self._tried_at = float("-inf")
        self._failed = False

    def find(self, key_id: str | None) -> jwt.PyJWK | None:
        """The key of this id, None if the issuer has none; IssuerUnreachable if that cannot be known now."""
        now = self._clock()
        known = self._keys.get(key_id or "")
        if (known is None or now - self._read_at > LIFETIME) and now - self._tried_at > PATIENCE:
            self._read(now)
            known = self._keys.get(key_id or "")
        if self._failed and (known is None or now - self._read_at > OUTAGE_MAX):
            raise IssuerUnreachable
        return known

    def _read(self, now: float) -> None:
        """Read the keys; those read before stay if that fails."""
        self._tried_at, self._failed = now, True
        try:
            found = jwt.PyJWKSet.from_dict(self._fetch(self._fetch(self._discovery())["jwks_uri"])).keys
        except (OSError, ValueError, LookupError, TypeError, jwt.PyJWTError):
            logger.exception("the keys of %s cannot be read", self.issuer)
            return
        self._keys = {key.key_id: key for key in found if key.key_id}
        self._read_at, self._failed = now, False

    def _discovery(self) -> str:
        return self.issuer.rstrip("/") + DISCOVERY


def document(url: str) -> Any:
    """The JSON document at this address."""
    with urlopen(url, timeout=TIMEOUT) as response:  # noqa: S310 (the operator names the issuer; a pattern says https)
        return json.loads(response.read(DOCUMENT_MAX))
