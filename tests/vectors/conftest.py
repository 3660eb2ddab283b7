"""The files of `lite0` for the tests that load them."""

from collections.abc import Iterator

import pytest

from tests.support import lite0_models


@pytest.fixture(scope="module")
def models() -> Iterator[None]:
    """Let the code use files that were made here."""
    with lite0_models.in_use():
        yield
