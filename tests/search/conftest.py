"""The scene of the tests of searches."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import search_scene
from tests.support.search_scene import SearchScene


@pytest.fixture
def scene(moto_aws: None, tmp_path: Path) -> Iterator[SearchScene]:
    with search_scene.scene(tmp_path) as found:
        yield found
