"""The signature of callbacks, and the key that it is made with."""

import base64
import time

import pytest
from botocore.exceptions import ClientError
from hypothesis import assume, given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

import signature
from callback_secret import SigningKeyMissing, signing_keys
from shared.uploads import callbacks
from tests.support.callbacks import SECRET

KEYS = signature.keys_of(SECRET)


@given(st.from_regex(callbacks.ID, fullmatch=True), st.text(), st.binary(min_size=24, max_size=64))
def test_a_receivers_library_verifies_what_was_signed_and_nothing_else(id: str, body: str, key: bytes) -> None:  # noqa: A002
    encoded = body.encode("utf-8", "replace")
    headers = signature.headers(id, int(time.time()), encoded, (key,))
    Webhook(key).verify(encoded, headers, json_parse=False)
    for other in (encoded + b" ", b"x" + encoded):
        assert signature.headers(id, int(headers["webhook-timestamp"]), other, (key,)) != headers


def test_the_prefix_of_the_secret_makes_no_difference() -> None:
    assert signature.key_of(SECRET) == signature.key_of(SECRET.removeprefix("whsec_"))
    assert len(signature.key_of(SECRET)) == 48


@pytest.mark.parametrize("text", ["", "whsec_", "a" * 30, "a" * 28, "!" * 64, "ü" * 64, "a" * 63, "a" * 96])
def test_a_secret_without_a_key_of_the_standards_length_is_refused_and_not_quoted(text: str) -> None:
    with pytest.raises(signature.BadSecret, match="must be the base64 of 24 to 64 bytes") as refusal:
        signature.key_of(text)
    assert len(text) < 28 or text not in str(refusal.value)


@given(st.binary(min_size=24, max_size=64), st.binary(min_size=24, max_size=64), st.text())
def test_while_the_secret_is_changed_a_receiver_may_know_the_old_key_or_the_new_one(
    new: bytes, old: bytes, text: str
) -> None:
    keys = signature.keys_of(" ".join(base64.b64encode(key).decode() for key in (new, old)))
    body = text.encode("utf-8", "replace")
    headers = signature.headers("id", int(time.time()), body, keys)
    assert keys == (new, old)
    assert len(headers["webhook-signature"].split(" ")) == 2
    for key in keys:
        Webhook(key).verify(body, headers, json_parse=False)
    strange = bytes(byte ^ 1 for byte in new)
    assume(strange.rstrip(b"\0") not in [key.rstrip(b"\0") for key in keys])  # HMAC fills short keys with zeros
    with pytest.raises(WebhookVerificationError):
        Webhook(strange).verify(body, headers, json_parse=False)


@pytest.mark.parametrize(
    "text", [f"{'a' * 64} ", f"{'a' * 64}  {'b' * 64}", f"{'a' * 64} short", " ".join(["a" * 64] * 3)]
)
def test_what_is_not_one_key_or_two_is_refused(text: str) -> None:
    with pytest.raises(signature.BadSecret):
        signature.keys_of(text.format("a" * 64))


class Secrets:
    """Secrets Manager, for one secret."""

    def __init__(self, text: str) -> None:
        self.text, self.reads, self.down = text, 0, False

    def get_secret_value(self, *, SecretId: str) -> dict[str, str]:
        self.reads += 1
        if self.down:
            raise ClientError({"Error": {"Code": "InternalServiceError", "Message": SecretId}}, "GetSecretValue")
        return {"SecretString": self.text}


def test_a_key_is_read_once_in_five_minutes_and_outlives_an_outage() -> None:
    secrets, now = Secrets(SECRET), [0.0]
    cached = signing_keys(lambda: secrets, "callbacks", clock=lambda: now[0])  # type: ignore[arg-type,return-value]
    assert cached.get() == cached.get() == KEYS
    assert secrets.reads == 1
    secrets.text, now[0] = "b" * 64, 299
    assert cached.get() == KEYS
    secrets.down, now[0] = True, 301
    assert cached.get() == cached.get() == KEYS
    assert secrets.reads == 2
    secrets.down, now[0] = False, 312
    assert cached.get() == signature.keys_of("b" * 64)


@pytest.mark.parametrize("text", ["too short", None])
def test_a_missing_key_is_asked_for_again_by_the_next_call(text: str | None) -> None:
    secrets = Secrets(text or SECRET)
    secrets.down = text is None
    cached = signing_keys(lambda: secrets, "callbacks")  # type: ignore[arg-type,return-value]
    for _ in range(2):
        with pytest.raises(SigningKeyMissing):
            cached.get()
    assert secrets.reads == 2
