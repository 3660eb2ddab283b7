"""The tiers of the tests, the hosts that HTTP tests run in, and a label for each test."""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings
from moto import mock_aws

from tests.support import cloud
from tests.support.hosts import Api, Handlers, Host, Remote, Running, forget_clients, new_label
from tests.support.local_service import LocalService
from tests.support.memory_aws import World
from tests.support.simulation import shipped_code_on

hypothesis_settings.register_profile("ci", deadline=None, derandomize=True)
hypothesis_settings.load_profile("ci")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that ask for `slow_tier`, themselves or through another fixture; `make test` leaves them out."""
    for item in items:
        if "slow_tier" in getattr(item, "fixturenames", ()):
            item.add_marker("slow")


@pytest.fixture(scope="session")
def slow_tier() -> None:
    """Puts whatever asks for it into `make test-all`."""


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    """`make run` on fresh data, with any label allowed; one for all tests of a process."""
    folder: Path = tmp_path_factory.mktemp("running")
    with LocalService(folder / "data", variables={"LABELS": "*"}) as service:
        yield service


@pytest.fixture
def moto_aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty AWS by moto, with tables, bucket and parameters; any label is allowed."""
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("PUBLIC_WRITES", "true")
    forget_clients()
    with mock_aws():
        cloud.create()
        yield
    forget_clients()


@pytest.fixture
def world() -> Iterator[World]:
    """The shipped code on an AWS in memory, without a scheduler: calls just happen."""
    world = World(random.Random(7))
    with shipped_code_on(world):
        yield world


@pytest.fixture(params=["PETAPI_URL"] if "PETAPI_URL" in os.environ else ["handlers", "make run"])
def host(request: pytest.FixtureRequest) -> Host:
    """Each place that petAPI runs in; only the one that PETAPI_URL names if it is set, as `make sam-test` does."""
    if request.param == "PETAPI_URL":
        return Remote(os.environ["PETAPI_URL"])
    if request.param == "handlers":
        request.getfixturevalue("moto_aws")
        return Handlers()
    return Running(request.getfixturevalue("running"))


@pytest.fixture
def api(host: Host) -> Api:
    """PetAPI with a label that no other test uses."""
    return Api(host, new_label())
