"""The log: one line for each request and one for each failure, with nothing that a caller wrote.

Messages of refusals and exceptions may quote a parameter, a path or bytes that AWS refused, so they are not logged.
For a refusal, the log has its class and the line of code that raised it, which shows the rule.  For an exception, it
has the classes, the lines of code, and AWS's name for the error.  The caller got the message with the request id.
"""

import logging
import os
import traceback
from http import HTTPMethod

logger = logging.getLogger("petapi")


class Failed(Exception):
    """An exception and its causes as the log shows them, without their messages."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(f"{type(error).__qualname__} {_aws_code(error)}".rstrip())
        self.__traceback__ = error.__traceback__
        cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        self.__cause__ = Failed(cause) if cause else None


def request(request_id: str, method: str, resource: str, status: int, milliseconds: int, why: str) -> None:
    """Log the line of a request. A method that HTTP does not define is shown as `-`."""
    known = method if method in HTTPMethod.__members__ else "-"
    log().info("%s %s %s %d %d ms %s", request_id, known, resource, status, milliseconds, why)


def failure(request_id: str, error: Exception) -> None:
    """Log an unexpected exception with its stack."""
    log().error("%s failed", request_id, exc_info=Failed(error))


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
    logging.basicConfig()
    if logger.level != logging.INFO:  # setting it clears what all loggers keep
        logger.setLevel(logging.INFO)
    return logger
