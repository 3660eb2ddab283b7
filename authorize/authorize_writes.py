"""The API's Lambda authorizer: it finds out whose token comes with a write, and which scopes the token has.

A request passes with a valid token and, if writes are public or disabled, without one. The functions decide what the
scopes allow (shared/api/access.py). A bad token is a Deny, which template.yaml turns into 401. While the issuer is out
of reach and its keys are unknown, the caller has no scope, and the functions get the reason.
"""

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

import issuer
import tokens
from shared import errors, logs
from shared.api import access, arrival
from shared.entry import entry

PUBLIC_SCOPES = f"{access.WRITE} {access.DELETE}"  # of everyone if writes are public


@entry
def handler(event: Mapping[str, Any]) -> dict[str, Any]:
    """Answer API Gateway: allow the request, with the caller's `subject` and `scope`, or deny it."""
    try:
        arrival.refuse_detours(event)
        subject, scope = _caller(event)
    except errors.Forbidden:  # it went past the CDN: the function says so, and no token is looked at
        return _answer(event, "Allow", "unknown", {})
    except tokens.BadToken as bad:
        logs.log().info("%s refused: %s", event["httpMethod"], bad)
        return _answer(event, "Deny", "nobody", {})
    except issuer.IssuerUnreachable:
        return _answer(event, "Allow", "unknown", {"outage": "true"})
    return _answer(event, "Allow", subject or "everyone", {"subject": subject, "scope": scope})


def _caller(event: Mapping[str, Any]) -> tuple[str, str]:
    """Return subject and scopes.

    Without an issuer, the subject is empty, and the scopes are those of everyone, which are none unless writes are
    public. With an issuer and public writes, a token is checked if there is one.
    """
    authorization = tokens.authorization(event)
    public = os.environ.get("PUBLIC_WRITES") == "true"
    if not os.environ.get("JWT_ISSUER") or (public and not authorization):
        return "", PUBLIC_SCOPES if public else ""
    return tokens.verify(tokens.bearer(authorization), _keys(), os.environ.get("JWT_AUDIENCE", ""))


@cache
def _keys() -> issuer.Keys:
    return issuer.Keys(os.environ["JWT_ISSUER"])


def _answer(event: Mapping[str, Any], effect: str, principal: str, context: Mapping[str, str]) -> dict[str, Any]:
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": event["methodArn"]}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    return {"principalId": principal, "policyDocument": policy, "context": dict(context)}
