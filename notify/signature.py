"""The signature of a callback, as Standard Webhooks says (https://www.standardwebhooks.com), by a shared secret.

The secret's text is `whsec_` and the key in base64, or that base64 alone, as Secrets Manager generates it: 64 letters
and digits are the base64 of 48 bytes.  Receivers give their library `whsec_` and the base64.
"""

import base64
import binascii
import hashlib
import hmac

PREFIX = "whsec_"
KEY_MIN, KEY_MAX = 24, 64  # bytes, as the standard has it


class BadSecret(Exception):
    """The secret's text has no key; says what it should be, and nothing of what it is."""


def key_of(secret: str) -> bytes:
    """The key that the secret's text tells."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not KEY_MIN <= len(key) <= KEY_MAX:
        raise BadSecret(f"the secret has to be the base64 of {KEY_MIN} to {KEY_MAX} bytes, perhaps after {PREFIX}")
    return key


def headers(message_id: str, timestamp: int, body: bytes, key: bytes) -> dict[str, str]:
    """The three headers that sign this body; `timestamp` is this attempt's, in seconds since 1970."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    signature = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return {"webhook-id": message_id, "webhook-timestamp": str(timestamp), "webhook-signature": f"v1,{signature}"}
