"""GET /status: what this deployment takes and offers, so that a page or client offers nothing that would be refused."""

import json
import os
from collections.abc import Mapping
from typing import Any

from shared import writes
from shared.api.endpoint import Request, Response
from shared.api.revalidated import revalidated
from shared.images import CONTENT_TYPES
from shared.limits import BODY_MAX, FILE_MAX
from shared.settings import Settings, read_settings
from shared.tiles import TILES_MIN


def get_status(request: Request) -> Response:
    """Answer with the status as JSON, or with 304. It is made only of settings, which are kept for five minutes."""
    text = json.dumps(_status(read_settings())) + "\n"
    return revalidated(request, text, {"Content-Type": "application/json"})


def _status(settings: Settings) -> Mapping[str, Any]:
    """Return the members. `labels` is None if any may be used; sizes are in bytes."""
    return {
        "writes": _writes(settings),
        "labels": None if "*" in settings.labels else sorted(settings.labels),
        "search": os.environ.get("ENCODER") or "none",
        "mosaicTilesMin": TILES_MIN,
        "formMax": BODY_MAX,
        "fileMax": FILE_MAX,
        "contentTypes": list(CONTENT_TYPES.values()),
    }


def _writes(settings: Settings) -> str:
    """Return who may write now: `open` to all, with a `token`, `closed` for a while, or `disabled`, as access.py says.

    With public writes and an issuer, both a token and none will do.
    """
    if settings.writes != writes.OPEN:
        return "closed"
    if os.environ.get("PUBLIC_WRITES") == "true":
        return "open"
    return "token" if os.environ.get("JWT_ISSUER") else "disabled"
