"""The keys in a JSON Web Key Set (RFC 7517) that may have signed a token."""

import logging
from collections.abc import Iterator
from typing import Any

import jwt

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
KINDS = ("RSA", "EC", "OKP")  # the asymmetric ones
KEYS_MAX = 100
NUMBER_MAX = 2731  # characters in base64 of a number of 16,384 bits, the longest RSA key that OpenSSL uses

logger = logging.getLogger("petapi")


def public_keys(document: Any) -> dict[str, jwt.PyJWK]:
    """Return the keys of a set by their ids. Skip each that no token can be checked with.

    Raise ValueError if no key is left: an issuer has at least one.
    """
    entries = document.get("keys") if isinstance(document, dict) else None
    keys = dict(_usable(entries[:KEYS_MAX] if isinstance(entries, list) else []))
    if not keys:
        raise ValueError("the set has no key that tokens can be checked with")
    return keys


def _usable(entries: list[Any]) -> Iterator[tuple[str, jwt.PyJWK]]:
    for entry in entries:
        key = _key(entry) if isinstance(entry, dict) and _is_to_verify(entry) else None
        if key is None:
            logger.info("a key of the issuer is of no use here")
        else:
            yield entry["kid"], key


def _is_to_verify(entry: dict[str, Any]) -> bool:
    """Return whether an entry says that it is a public key with an id, for signatures that are taken here."""
    kid, operations = entry.get("kid"), entry.get("key_ops", ["verify"])
    return (
        isinstance(kid, str)
        and kid != ""
        and entry.get("kty") in KINDS
        and entry.get("use", "sig") == "sig"
        and isinstance(operations, list)
        and "verify" in operations
        and entry.get("alg", ALGORITHMS[0]) in ALGORITHMS
        and "d" not in entry  # a private key
        and all(len(str(entry.get(number, ""))) <= NUMBER_MAX for number in ("n", "e", "x", "y"))
    )


def _key(entry: dict[str, Any]) -> jwt.PyJWK | None:
    """Return the key, or None if it cannot be read. Its numbers may break the library in any way."""
    try:
        return jwt.PyJWK(entry)
    except Exception:
        return None
