"""The key that callbacks are signed with: read from Secrets Manager and kept for five minutes."""

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

import signature
from shared.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

logger = logging.getLogger("petapi")

LIFETIME = 300.0  # seconds that a key is good for: a new secret is used after that
PATIENCE = 10.0  # seconds that an older key is used before Secrets Manager, which did not answer, is asked again


class SigningKeyMissing(Exception):
    """There is no key to sign with, now or at all; the cause says why."""


class CallbackSecret:
    """The secret of this id, as it was at most five minutes ago; as it was before while it cannot be read."""

    def __init__(
        self,
        client: Callable[[], "SecretsManagerClient"],
        secret_id: str,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client, self._id, self._clock = client, secret_id, clock
        self._key = b""
        self._good_until = 0.0

    def key(self) -> bytes:
        """The key; SigningKeyMissing if it was never read and cannot be read now."""
        if self._key and self._clock() < self._good_until:
            return self._key
        try:
            self._key = signature.key_of(self._client().get_secret_value(SecretId=self._id)["SecretString"])
            self._good_until = self._clock() + LIFETIME
        except (BotoCoreError, ClientError, Unavailable, KeyError, signature.BadSecret) as error:
            if not self._key:
                raise SigningKeyMissing from error
            logger.warning("the callbacks' secret cannot be read; the one read before goes on being used")
            self._good_until = self._clock() + PATIENCE
        return self._key
