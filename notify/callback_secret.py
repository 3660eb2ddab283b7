"""The keys that callbacks are signed with: read from Secrets Manager and kept for five minutes."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

import signature
from shared.cached import Refreshing
from shared.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

LIFETIME = 300.0  # seconds that a key is used: a new secret takes effect after that
PATIENCE = 10.0  # seconds between two attempts to read the secret while Secrets Manager fails; the older key is used


class SigningKeyMissing(Exception):
    """There is no key to sign with, now or at all; the cause says why."""


def signing_keys(
    client: Callable[[], "SecretsManagerClient"], secret_id: str, *, clock: Callable[[], float] = time.monotonic
) -> Refreshing[signature.Keys]:
    """Return the cache of the keys in this secret. It raises SigningKeyMissing until they were read once."""

    def read() -> signature.Keys:
        try:
            return signature.keys_of(client().get_secret_value(SecretId=secret_id)["SecretString"])
        except (BotoCoreError, ClientError, Unavailable, KeyError, signature.BadSecret) as error:
            raise SigningKeyMissing from error

    return Refreshing(
        "the callbacks' secret",
        read,
        failures=(SigningKeyMissing,),
        lifetime=LIFETIME,
        patience=PATIENCE,
        clock=clock,
    )
