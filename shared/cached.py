"""A value from elsewhere that is kept for a while: settings, a secret, an issuer's keys."""

import logging
import math
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from shared import logs

logger = logging.getLogger("petapi")

T = TypeVar("T")


class Refreshing(Generic[T]):
    """A value that is read on first use, and again when it is older than `lifetime` seconds.

    While reading raises one of `failures`, the older value is used for at most `stale_max` seconds, and the source is
    asked again after `patience` seconds. Without an older value, `fallback()` is used likewise. Without a fallback, the
    failure is raised, and again without asking for `failure_lifetime` seconds.
    """

    def __init__(
        self,
        name: str,
        read: Callable[[], T],
        *,
        failures: tuple[type[Exception], ...],
        lifetime: float,
        patience: float,
        fallback: Callable[[], T] | None = None,
        stale_max: float = math.inf,
        failure_lifetime: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name, self._read, self._failures, self._fallback, self._clock = name, read, failures, fallback, clock
        self._lifetime, self._patience = lifetime, patience
        self._stale_max, self._failure_lifetime = stale_max, failure_lifetime
        self._values: list[T] = []  # the value in use, if there is one
        self._read_at = self._tried_at = -math.inf
        self._failure: Exception | None = None

    def get(self) -> T:
        """Return the value, read again if it is too old. Raise the failure if there is no value that may be used."""
        return self._current(self._lifetime)

    def refresh(self) -> T:
        """Return the value as `get` does, but read it again unless that was tried less than `patience` seconds ago."""
        return self._current(0.0)

    @property
    def failure(self) -> Exception | None:
        """What the last read failed with; None if it succeeded, or if nothing was read yet."""
        return self._failure

    def _current(self, lifetime: float) -> T:
        now = self._clock()
        pause = self._patience if self._values else self._failure_lifetime
        if now - self._read_at > lifetime and now - self._tried_at >= pause:
            self._try(now)
        if self._failure and (not self._values or now - self._read_at > self._stale_max):
            raise self._failure
        return self._values[0]

    def _try(self, now: float) -> None:
        self._tried_at = now
        try:
            self._values, self._read_at, self._failure = [self._read()], now, None
        except self._failures as failure:
            self._failure = failure
            if not self._values and self._fallback:
                self._values = [self._fallback()]
            outlook = "; an older value is used" if self._values else ""
            logger.warning("%s: reading failed%s", self._name, outlook, exc_info=logs.Failed(failure))
