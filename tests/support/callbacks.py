"""A callback to send, and the secret that signs it."""

import json

from shared.uploads.callbacks import Callback

SECRET = "whsec_" + "Petapi0123456789" * 4
PATIENCE = 30.0  # seconds for what must not time out, not even on a busy machine
PAYLOAD = json.dumps({"id": "upload-1", "state": "done", "text": "Kätzchen"}, ensure_ascii=False)


def callback(url: str, *, id: str = "upload-1", insecure: bool = False) -> Callback:  # noqa: A002 (as its field)
    return Callback(id, url, insecure, PAYLOAD)
