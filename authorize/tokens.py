"""Verification of JSON Web Tokens that come as bearer tokens (RFC 6750, RFC 8725, RFC 9068)."""

import re
from collections.abc import Mapping
from typing import Any

import jwt

from issuer import Keys
from key_set import ALGORITHMS

LEEWAY = 60  # seconds by which clocks may differ
REQUIRED = ("iss", "aud", "exp", "sub")
TIMES = ("exp", "nbf", "iat")
SUBJECT_MAX = 255  # characters, as in OpenID Connect
SCOPE = re.compile(r"[!#-\[\]-~]+")  # RFC 6749, section 3.3: visible ASCII without quotation marks and backslashes


class BadToken(Exception):
    """There is no token, or it is not valid. The message says why, without the token."""


def authorization(event: Mapping[str, Any]) -> str:
    """Return the value of the Authorization header, empty if there is none. Raise BadToken if there are several."""
    many = {name.lower(): values for name, values in (event.get("multiValueHeaders") or {}).items()}
    one = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    if len(many.get("authorization") or []) > 1:
        raise BadToken("there are several Authorization headers")
    return str(one.get("authorization") or "")


def bearer(value: str) -> str:
    """Return the token in the value of an Authorization header.

    The scheme may stand there twice, because people copy it with the token. No token has a space.
    """
    *schemes, token = value.split() or [""]
    if not schemes or {scheme.lower() for scheme in schemes} != {"bearer"}:
        raise BadToken("there is no bearer token")
    return token


def verify(token: str, keys: Keys, audience: str) -> tuple[str, str]:
    """Return subject and scopes (separated by spaces) of a token of the keys' issuer for this audience.

    Raise BadToken if it is not valid, and IssuerUnreachable if its key cannot be known now. The issuer decides which
    algorithm a key is for, and no allowed algorithm uses a shared secret. So a token cannot choose how it is checked.
    """
    if not audience:
        raise BadToken("no audience is configured (JwtAudience)")
    try:
        key = keys.find(jwt.get_unverified_header(token).get("kid"))
        if key is None:
            raise BadToken("the issuer has no such key")
        claims = jwt.decode(
            token,
            key,
            algorithms=ALGORITHMS,
            audience=audience,
            issuer=keys.issuer,
            leeway=LEEWAY,
            options={"require": list(REQUIRED), "enforce_minimum_key_length": True},
        )
    except (jwt.PyJWTError, ValueError, TypeError, ArithmeticError, RecursionError) as error:
        raise BadToken(type(error).__name__) from error
    if not all(type(claims.get(name, 0)) in (int, float) for name in TIMES):  # the library takes texts and true, too
        raise BadToken("a time is no number")
    subject = claims["sub"]
    if not (0 < len(subject) <= SUBJECT_MAX and subject.isprintable()):
        raise BadToken("the subject is empty, too long or not printable")
    return subject, _scopes(claims.get("scope", claims.get("scp")))


def _scopes(claim: Any) -> str:
    """Return the scopes separated by single spaces, without what is no scope.

    Most issuers write one text with spaces, and only spaces, between the scopes; some write a list of scopes.
    """
    texts = claim if isinstance(claim, list) else claim.split(" ") if isinstance(claim, str) else []
    return " ".join(text for text in texts if isinstance(text, str) and SCOPE.fullmatch(text))
