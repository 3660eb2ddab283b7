"""The log: a line a request and one a failure, with ids, classes and places in our code; nothing that a caller wrote.

Refusals and exceptions quote what they are about: a parameter, a path, perhaps the bytes that AWS did not take.  So
the log has a refusal's class and the line of code that refused, which tells the rule, and of an exception the classes
and lines, and what AWS calls the error, without any message.  The caller was told the rest, with the request's id.
"""

import logging
import os
import traceback
from http import HTTPMethod

logger = logging.getLogger("petapi")


class Failed(Exception):
    """Stands in the log for an exception and its causes, whose messages are not for it."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(f"{type(error).__qualname__} {_aws_code(error)}".rstrip())
        self.__traceback__ = error.__traceback__
        cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        self.__cause__ = Failed(cause) if cause else None


def request(request_id: str, method: str, resource: str, status: int, milliseconds: int, why: str) -> None:
    """The line that each request has; a method is shown if HTTP knows it."""
    known = method if method in HTTPMethod.__members__ else "-"
    log().info("%s %s %s %d %d ms %s", request_id, known, resource, status, milliseconds, why)


def failure(request_id: str, error: Exception) -> None:
    """The record of an exception that nobody foresaw, with its stack."""
    log().error("%s failed", request_id, exc_info=Failed(error))


def refused(refusal: Exception) -> str:
    """The class of a refusal and the line of code that raised it."""
    *_, (frame, line) = traceback.walk_tb(refusal.__traceback__)
    return f"{type(refusal).__name__} {os.path.basename(frame.f_code.co_filename)}:{line}"


def _aws_code(error: BaseException) -> str:
    """AWS's names for the operation and the error; empty for all other errors."""
    from botocore.exceptions import ClientError  # not before something failed

    return f"{error.operation_name} {error.response['Error']['Code']}" if isinstance(error, ClientError) else ""


def log() -> logging.Logger:
    """The log. Lambda has given the root logger its JSON handler; elsewhere lines go to standard error."""
    logging.basicConfig()
    logger.setLevel(logging.INFO)
    return logger
