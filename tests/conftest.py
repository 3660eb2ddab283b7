"""The tiers of the tests, the hosts that HTTP tests run in, and a label for each test."""

import gc
import os
import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import botocore.session
import pytest
from hypothesis import settings as hypothesis_settings

from shared import deadline
from tests.support.hosts import Api, Handlers, Host, Remote, Running, forget_clients, new_label
from tests.support.local_service import LocalService
from tests.support.memory_aws import World
from tests.support.moto_aws import REGION, MotoAws
from tests.support.simulation import shipped_code_on

hypothesis_settings.register_profile("ci", deadline=None, derandomize=True)
hypothesis_settings.load_profile("ci")

# A test calls `make` as people do, not as a part of the `make test` that runs it.
for variable in ("MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MFLAGS"):
    os.environ.pop(variable, None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that ask for `slow_tier`, themselves or through another fixture; `make test` leaves them out."""
    for item in items:
        if "slow_tier" in getattr(item, "fixturenames", ()):
            item.add_marker("slow")


def pytest_collection_finish() -> None:
    """Leave thousands of tests out of garbage collections, which would take a part of a second in a measured one."""
    gc.collect()
    gc.freeze()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run HTTP tests on the handlers, and in `make run`, too, where `also_in_make_run` says why.

    If PETAPI_URL is set, as `make sam-test` does, they run there only.
    """
    own = any("host" in mark.args[0] for mark in metafunc.definition.iter_markers("parametrize"))
    if own or "host" not in metafunc.fixturenames:
        return
    hosts: list[Any] = ["PETAPI_URL"] if "PETAPI_URL" in os.environ else ["handlers"]
    if (again := metafunc.definition.get_closest_marker("also_in_make_run")) and "PETAPI_URL" not in os.environ:
        hosts.append(pytest.param("make run", marks=_tier(**again.kwargs)))
    metafunc.parametrize("host", hosts, indirect=True)


def _tier(*, why: str, slow: bool = False) -> list[pytest.MarkDecorator]:
    assert why
    return [pytest.mark.slow] if slow else []


@pytest.fixture(scope="session")
def slow_tier() -> None:
    """Put every test that asks for this fixture into `make test-all`."""


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    """Run `make run` on fresh data, with any label allowed; one for all tests of a process."""
    folder: Path = tmp_path_factory.mktemp("running")
    with LocalService(folder / "data", variables={"LABELS": "*"}) as service:
        yield service.be_patient()


@pytest.fixture(scope="session", autouse=True)
def _descriptions_of_aws_are_read_once() -> Iterator[None]:
    """Let all sessions share what botocore reads: a session that reads it by itself takes a quarter of a second."""
    with mock.patch.object(botocore.session, "create_loader", cache(botocore.session.create_loader)):
        yield


@pytest.fixture(scope="session")
def _moto() -> MotoAws:
    """Return the AWS by moto of this process."""
    with pytest.MonkeyPatch.context() as patch:
        _become_moto(patch)
        return MotoAws()


@pytest.fixture
def moto_aws(_moto: MotoAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[MotoAws]:
    """Provide an AWS by moto with tables, buckets, queue and parameters, and nothing in them; it takes any label."""
    _become_moto(monkeypatch)
    monkeypatch.setenv("PUBLIC_WRITES", "true")
    monkeypatch.setattr(deadline, "CLOCK", lambda: 0.0)  # no request fails because the machine is busy
    forget_clients()
    with _moto.fresh() as aws:
        yield aws
    forget_clients()


def _become_moto(patch: pytest.MonkeyPatch) -> None:
    """Set the credentials and the region of moto, and no other variable of AWS."""
    for name in list(os.environ):
        if name.startswith("AWS_"):
            patch.delenv(name)
    patch.setenv("AWS_DEFAULT_REGION", REGION)
    patch.setenv("AWS_ACCESS_KEY_ID", "testing")
    patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")


@pytest.fixture
def world() -> Iterator[World]:
    """Let the shipped code run on an AWS in memory, without a scheduler: each call is answered at once."""
    world = World(random.Random(7))
    with shipped_code_on(world):
        yield world


@pytest.fixture
def host(request: pytest.FixtureRequest) -> Host:
    """Return the place that petAPI runs in, as `pytest_generate_tests` chose it."""
    if request.param == "PETAPI_URL":
        return Remote(os.environ["PETAPI_URL"])
    if request.param == "handlers":
        request.getfixturevalue("moto_aws")
        return Handlers()
    return Running(request.getfixturevalue("running"))


@pytest.fixture
def api(host: Host) -> Api:
    """Return petAPI with a label that no other test uses."""
    return Api(host, new_label())
