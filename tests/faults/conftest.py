"""The scenes of the faults: in the AWS in memory, and on the emulator of `make run`."""

from collections.abc import Iterator

import pytest

from tests.support.fault_clouds import InMemory, OnEmulator
from tests.support.fault_scene import Scene, staged
from tests.support.local_service import LocalService


@pytest.fixture
def scene() -> Iterator[Scene]:
    """Provide six images of one label in the AWS in memory, and the injector before each AWS call."""
    with staged(InMemory()) as scene:
        yield scene


@pytest.fixture(scope="session")
def _emulator(slow_tier: None, running: LocalService) -> OnEmulator:
    return OnEmulator(running)


@pytest.fixture
def emulated(_emulator: OnEmulator) -> Iterator[Scene]:
    """Provide the same on the emulator, which has more of DynamoDB and S3, and takes twenty times as long."""
    with staged(_emulator) as scene:
        yield scene
