"""How a request came: the address that it was sent to, whether through the CDN, and with which method."""

import os
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urljoin

from shared import errors

Event = Mapping[str, Any]

HOST_MAX = 253  # characters (RFC 1035)
PORT_MAX = 5  # digits
# Not a pattern, which a cold start would compile.
IN_HOST = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-."
METHOD_OVERRIDE = "x-http-method-override"
ORIGIN_SECRET = "x-origin-secret"  # noqa: S105 (the name of the header that CloudFront adds, not its value)


def headers(event: Event) -> dict[str, str]:
    """Return the headers, with names in lower case."""
    return {name.lower(): value for name, value in (event.get("headers") or {}).items() if value is not None}


def base_url(event: Event, headers: Mapping[str, str]) -> str:
    """Resolve the setting LINK_BASE (a path or a URL) against the scheme, host and stage of the request."""
    host = headers.get("host", "")
    scheme = "https" if headers.get("x-forwarded-proto") == "https" else "http"
    origin = f"{scheme}://{host}" if _is_host(host) else ""
    return _joined(f"{origin}{_prefix(event, host)}/", os.environ.get("LINK_BASE", ""))


@lru_cache(64)  # a deployment has a few addresses; each request has one of them
def _joined(base: str, link_base: str) -> str:
    return urljoin(base, link_base).rstrip("/") + "/"


def with_slash(event: Event) -> str:
    """Return the path of the stage with its slash if the request lacks that, otherwise nothing.

    The page's files and links are relative to it, and API Gateway serves `/Prod` as it does `/Prod/`.
    """
    stage = f"/{_context(event).get('stage', '')}"
    return f"{stage}/" if _context(event).get("path") == stage != "/" and event["resource"] == "/" else ""


def refuse_detours(event: Event) -> None:
    """Raise Forbidden for a request that did not come through the CDN, if all must: then ORIGIN_SECRETS is set.

    CloudFront adds a header with a secret. The setting has two of them, separated by a space, during a rotation.
    """
    secrets = os.environ.get("ORIGIN_SECRETS", "").split()
    if not secrets:
        return
    from hmac import compare_digest  # imported only where there is a CDN

    given = headers(event)
    sent = given.get(ORIGIN_SECRET, "").encode(errors="replace")
    if not any(compare_digest(sent, secret.encode()) for secret in secrets):
        raise errors.Forbidden(f"This address serves its CDN only; send the request to {base_url(event, given)}.")


def is_overridden(event: Event) -> bool:
    """Return whether API Gateway took the method from a header.  Caches know the response by the other method."""
    return any(name.lower() == METHOD_OVERRIDE for name in event.get("headers") or ())


def _is_host(text: str) -> bool:
    """Return whether a Host header is a name and perhaps a port. Others are not repeated in links."""
    name, colon, port = text.partition(":")
    has_port = port.isascii() and port.isdigit() and len(port) <= PORT_MAX
    return 0 < len(name) <= HOST_MAX and not name.strip(IN_HOST) and (has_port or not colon)


def _prefix(event: Event, host: str) -> str:
    """Return what stands before the path: the stage, which is in the address of API Gateway itself only."""
    context = _context(event)
    if ".execute-api." in host and context.get("stage"):
        return f"/{context['stage']}"
    path, whole = event["path"], context.get("path", "")
    return whole.removesuffix(path) if whole.endswith(path) else ""  # `sam local` sends the path's pattern


def _context(event: Event) -> Mapping[str, Any]:
    return event.get("requestContext") or {}
