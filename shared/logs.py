"""The log: one line for each request and one for each failure, with nothing that a caller wrote.

Messages of refusals and exceptions may quote a parameter, a path or bytes that AWS refused, so they are not logged.
For a refusal, the log has its class and the line of code that raised it, which shows the rule.  For an exception, it
has the classes, the lines of code, and AWS's name for the error.  The caller got the message with the request id.

Each line has fields beside its message, which Lambda's JSON log handler writes as members: those of `about` and `note`,
and in the line of a request its metrics, too (metrics.py).
"""

import logging
import os
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from http import HTTPMethod
from typing import Any

from shared import metrics

logger = logging.getLogger("petapi")
LINE = "%s %s %s %d %d ms %s"  # of a request

_fields: ContextVar[dict[str, str] | None] = ContextVar("fields", default=None)


class Failed(Exception):
    """An exception and its causes as the log shows them, without their messages."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(f"{type(error).__qualname__} {_aws_code(error)}".rstrip())
        self.__traceback__ = error.__traceback__
        cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        self.__cause__ = Failed(cause) if cause else None


@contextmanager
def about(**fields: str) -> Iterator[None]:
    """Give these fields to all lines of this block, also to those of its threads."""
    before = _fields.set({**(_fields.get() or {}), **fields})
    try:
        yield
    finally:
        _fields.reset(before)


def note(**fields: str) -> None:
    """Give these fields to the lines that follow in this block of `about`, too. An empty one is left out."""
    present = _fields.get()
    if present is not None:
        present.update({name: text for name, text in fields.items() if text})


def _add_fields(record: logging.LogRecord) -> bool:
    """Add the fields to a line. Those that it has already stay."""
    for name, value in (_fields.get() or {}).items():
        record.__dict__.setdefault(name, value)
    return True


logger.addFilter(_add_fields)


def request(
    request_id: str, method: str, resource: str, status: int, milliseconds: int, why: str, found: Mapping[str, Any]
) -> None:
    """Log the line of a request, with its metrics. A method that HTTP does not define is shown as `-`."""
    known = method if method in HTTPMethod.__members__ else "-"
    fields = {
        "request": request_id,
        "method": known,
        "resource": resource,
        "status": status,
        "milliseconds": milliseconds,
        **({"why": why} if why else {}),
        **metrics.members(found),
    }
    values = (request_id, known, resource, status, milliseconds, why)
    ready = log()
    if ready.isEnabledFor(logging.INFO):  # the place in the code is always this one, so no frame is looked for
        line = ready.makeRecord(ready.name, logging.INFO, __file__, 0, LINE, values, None, extra=fields)
        ready.handle(line)


def failure(request_id: str, error: Exception, found: Mapping[str, Any] | None = None) -> None:
    """Log an unexpected exception with its stack, and with these metrics."""
    log().error("%s failed", request_id, exc_info=Failed(error), extra=metrics.members(found or {}))


def refused(refusal: Exception) -> str:
    """Return the class of a refusal and the line of code that raised it."""
    *_, (frame, line) = traceback.walk_tb(refusal.__traceback__)
    return f"{type(refusal).__name__} {os.path.basename(frame.f_code.co_filename)}:{line}"


def _aws_code(error: BaseException) -> str:
    """Return AWS's names for the operation and the error, or an empty text for other exceptions."""
    from botocore.exceptions import ClientError  # imported only once something has failed

    return f"{error.operation_name} {error.response['Error']['Code']}" if isinstance(error, ClientError) else ""


def log() -> logging.Logger:
    """Return the logger, ready for lines of the level INFO.

    Lambda gives the root logger a JSON handler; elsewhere, lines go to standard error. Warnings and errors need none of
    this: modules write them to `logging.getLogger("petapi")`.
    """
    if logger.level != logging.INFO:  # else it is ready; setting the level would clear what all loggers keep
        logging.basicConfig()
        logger.setLevel(logging.INFO)
    return logger
