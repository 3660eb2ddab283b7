"""The log file of `make run`: the lines of this process and of the functions."""

import logging
from logging.handlers import RotatingFileHandler
from pathlib import Path

LOG_MAX = 5_000_000  # bytes, twice: the present log file and the one before


def log_to(path: Path) -> None:
    """Send all log lines of this process to this file, so that the terminal shows our own sentences only."""
    handler = RotatingFileHandler(path, maxBytes=LOG_MAX, backupCount=1, encoding="utf-8")
    logging.basicConfig(handlers=[handler], format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.captureWarnings(True)
    logging.raiseExceptions = False  # a full disk takes no log lines, and the terminal does not show why
    logging.getLogger("functions").setLevel(logging.INFO)
