"""Refusals as values, for properties that hold for any input."""

from collections.abc import Callable
from typing import Any

import pytest

from shared.errors import ApiError, UnsupportedMediaType


def outcome(parse: Callable[..., Any], *given: Any) -> Any:
    """Return what it parses to, or its refusal."""
    try:
        return parse(*given)
    except ApiError as refusal:
        return refusal


def sentence_of(check: Callable[[bytes], Any], picture: bytes, error: type[ApiError] = UnsupportedMediaType) -> str:
    """Return the sentence with which a picture is refused."""
    with pytest.raises(error) as caught:
        check(picture)
    assert caught.value.field == "img"
    return caught.value.detail
