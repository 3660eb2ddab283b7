"""The start and end of each call of a function whose events are not HTTP requests (for those see api/endpoint.py)."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from shared import deadline, end_cold_start

Result = TypeVar("Result")


def entry(handle: Callable[[Any], Result]) -> Callable[[Any, Any], Result]:
    """Make a Lambda handler of this function: give each call its deadline, and end the cold start after it."""

    @wraps(handle)
    def handler(event: Any, context: Any) -> Result:
        try:
            with deadline.of(context):
                return handle(event)
        finally:
            end_cold_start()

    return handler
