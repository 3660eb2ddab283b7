"""Refusals as values, for properties that hold for any input."""

from collections.abc import Callable
from typing import Any

from shared.errors import ApiError


def outcome(parse: Callable[..., Any], *given: Any) -> Any:
    """Return what it parses to, or its refusal."""
    try:
        return parse(*given)
    except ApiError as refusal:
        return refusal
