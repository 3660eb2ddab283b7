"""One emulator for all tests of faults: `make run` on fresh data."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.fault_scene import Scene, staged
from tests.support.local_service import LocalService


@pytest.fixture(scope="session")
def emulator(slow_tier: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    """`make run` of this checkout."""
    folder: Path = tmp_path_factory.mktemp("faults")
    with LocalService(folder / "data") as service:
        yield service


@pytest.fixture
def scene(emulator: LocalService) -> Iterator[Scene]:
    """Six images of one label, and the injector before each AWS call."""
    with staged(emulator) as scene:
        yield scene
