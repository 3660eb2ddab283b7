"""The signature of a callback with a shared secret, by Standard Webhooks (https://www.standardwebhooks.com).

The secret's text is `whsec_` and the key in base64, or only the base64, as Secrets Manager generates it: 64 letters and
digits are the base64 of 48 bytes. Receivers give their library `whsec_` and the base64.

While the secret is changed, its text has two such keys with a space between them. Then a callback has a signature of
each, so that receivers may know either: the standard allows several in one header.
"""

import base64
import binascii
import hashlib
import hmac

PREFIX = "whsec_"
KEY_MIN, KEY_MAX = 24, 64  # bytes, by the standard
KEYS_MAX = 2  # while a new one takes the place of an old one

Keys = tuple[bytes, ...]


class BadSecret(Exception):
    """The secret's text has no key. The message says what it must be, and quotes nothing of it."""


def keys_of(secret: str) -> Keys:
    """Return the keys in the secret's text. Raise BadSecret if there are none, too many, or one that is no key."""
    texts = secret.split(" ")
    if len(texts) > KEYS_MAX:
        raise BadSecret(f"The secret may have at most {KEYS_MAX} keys, with one space between them.")
    return tuple(map(key_of, texts))


def key_of(secret: str) -> bytes:
    """Return the key in the secret's text. Raise BadSecret if there is none of a valid length."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not KEY_MIN <= len(key) <= KEY_MAX:
        raise BadSecret(
            f"The secret must be the base64 of {KEY_MIN} to {KEY_MAX} bytes, with {PREFIX} before it or without."
        )
    return key


def headers(message_id: str, timestamp: int, body: bytes, keys: Keys) -> dict[str, str]:
    """Return the three headers that sign this body; `timestamp` is that of this attempt, in seconds since 1970."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    digests = [hmac.new(key, signed, hashlib.sha256).digest() for key in keys]
    signatures = " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)
    return {"webhook-id": message_id, "webhook-timestamp": str(timestamp), "webhook-signature": signatures}
