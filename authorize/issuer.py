"""The public keys of the tokens' issuer, found by OpenID Connect Discovery and kept for a few minutes."""

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import jwt

from documents import within
from key_set import public_keys
from shared.cached import Refreshing

DISCOVERY = "/.well-known/openid-configuration"
LIFETIME = 300.0  # seconds that keys are used: a key that the issuer withdraws is refused after that
PATIENCE = 5.0  # seconds between two reads, however many tokens name unknown keys
# Seconds that keys are used after their last read while later ones fail: an hour of outage, which may begin when the
# keys are as old as they get.
OUTAGE_MAX = 3600.0 + LIFETIME
REFRESH_MAX = 3.5  # seconds for both documents, with all that belongs to it; so a refresh ends within four
LOOPBACK = ("127.0.0.1", "::1", "localhost")

Fetch = Callable[[str], Any]


class IssuerUnreachable(Exception):
    """The issuer does not answer as it should, and without its keys a token can be neither accepted nor refused."""


class Keys:
    """The public keys of an issuer, by key id."""

    def __init__(
        self,
        issuer: str,
        *,
        fetch: Fetch | None = None,
        seconds: float = REFRESH_MAX,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.issuer, self._fetch, self._seconds = issuer, fetch, seconds
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
        """Read the issuer's keys. Raise IssuerUnreachable for whatever happens instead: the older keys still serve."""
        try:
            return within(self._seconds, lambda fetch: self._documents(self._fetch or fetch))
        except Exception as error:
            raise IssuerUnreachable from error

    def _documents(self, fetch: Fetch) -> dict[str, jwt.PyJWK]:
        discovery = fetch(self.issuer.rstrip("/") + DISCOVERY)
        if discovery["issuer"] != self.issuer:
            raise ValueError("the discovery document is that of another issuer")
        if not _may_have_keys(discovery["jwks_uri"], self.issuer):
            raise ValueError("the keys are not at an address by TLS")
        return public_keys(fetch(discovery["jwks_uri"]))


def _may_have_keys(url: str, issuer: str) -> bool:
    """Return whether an issuer's keys may be at this URL.

    By https they may be on any host. By http they may be on this machine or the issuer's, if the issuer is by http,
    too, which template.yaml allows on this machine only.
    """
    keys, own = urlsplit(url), urlsplit(issuer)
    if keys.scheme == "https":
        return bool(keys.hostname)
    return keys.scheme == own.scheme == "http" and keys.hostname in (*LOOPBACK, own.hostname)
