"""The API's Lambda authorizer: whose token comes with a write, and which scopes it has.

It lets pass who shows a valid token, and who shows none where none is asked for; what the scopes allow is up to the
functions (shared/access.py).  A bad token is a Deny, which template.yaml makes a 401 of.  While the issuer is out of
reach and its keys are not known, nobody has any scope, and the functions are told why.
"""

import logging
import os
from collections.abc import Mapping
from functools import cache
from typing import Any

import issuer
import tokens
from shared import access, end_cold_start

logger = logging.getLogger("petapi")

PUBLIC_SCOPES = f"{access.WRITE} {access.DELETE}"  # of everyone, where writes are open


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """The answer to API Gateway: allowed, with `subject` and `scope`, or denied."""
    logger.setLevel(logging.INFO)
    try:
        subject, scope = _caller(event)
    except tokens.BadToken as bad:
        logger.info("%s refused: %s", event["httpMethod"], bad)
        return _answer(event, "Deny", "nobody", {})
    except issuer.OutOfReach:
        return _answer(event, "Allow", "unknown", {"outage": "true"})
    finally:
        end_cold_start()
    return _answer(event, "Allow", subject or "everyone", {"subject": subject, "scope": scope})


def _caller(event: Mapping[str, Any]) -> tuple[str, str]:
    """Subject and scopes; both are empty for those without a token where no issuer is named and writes are closed."""
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
