"""Waiting for what another process does in its own time."""

import time
from collections.abc import Callable

PATIENCE = 60.0  # seconds, on a busy machine


def eventually(holds: Callable[[], bool]) -> None:
    """Wait until this holds."""
    until = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < until, "it has not happened"
        time.sleep(0.1)
