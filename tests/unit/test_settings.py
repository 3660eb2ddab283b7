"""The settings: few SSM calls, five minutes, fallbacks, and SSM that is down."""

import os
from typing import Any
from unittest import mock

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from shared.errors import Unavailable
from shared.settings import LIFETIME, NAMES_MAX, PARAMETERS, PATIENCE, Settings, SettingsCache
from tests.support.clock import Clock

VALUES = {
    "s3/upload-bucket-name": "a-bucket",
    "s3/thumbnail-bucket-name": "another-bucket",
    "dynamoDB/chunk-info-table-name": "chunks",
    "dynamoDB/image-chunks-table-name": "images",
    "labels": "cat, dog",
    "s3/incoming-bucket-name": "a-third-bucket",
    "dynamoDB/uploads-table-name": "uploads",
    "dynamoDB/recognitions-table-name": "recognitions",
    "sqs/callback-queue-url": "https://sqs.test/callbacks",
    "writes": "closed",
    "s3vectors/vector-index-arn": "arn:aws:s3vectors:us-east-1:123456789012:bucket/vectors/index/titan-1024-1",
    "dynamoDB/tiles-table-name": "tiles",
    "sqs/index-queue-url": "https://sqs.test/index",
}
READ = Settings("a-bucket", "chunks", "images", frozenset({"cat", "dog"}), "another-bucket", *list(VALUES.values())[5:])
VARIABLES = dict(PARAMETERS.values())
ALL_FALLBACKS = {VARIABLES[name]: value for name, value in VALUES.items()}
CALLS = 2  # that read all names
DOWN = [
    ConnectTimeoutError(endpoint_url="ssm"),
    ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, "GetParameters"),
]


class Ssm:
    """SSM with these values; it counts its calls and may be down."""

    def __init__(self, values: dict[str, str]) -> None:
        self.values, self.calls, self.down = values, 0, None
        self.asked: list[list[str]] = []

    def get_parameters(self, Names: list[str]) -> Any:
        self.calls += 1
        self.asked.append(Names)
        if self.down:
            raise self.down
        found = {name: self.values.get(name.removeprefix("/pet-api/test/")) for name in Names}
        return {"Parameters": [{"Name": name, "Value": value} for name, value in found.items() if value]}


def cache_of(ssm: Any) -> tuple[SettingsCache, Clock]:
    clock = Clock(1000.0)
    return SettingsCache(lambda: ssm, "test", clock=clock), clock


def test_settings_are_read_in_one_call_and_kept_for_five_minutes() -> None:
    ssm = Ssm(VALUES)
    cache, clock = cache_of(ssm)
    with mock.patch.dict(os.environ, {"fb_labels": ""}):
        assert cache.read().labels == READ.labels
        clock.now += LIFETIME - 1
        assert (cache.read().labels, ssm.calls) == (READ.labels, 1)
        ssm.values = {**VALUES, "labels": "*"}
        clock.now += 2
        assert (cache.read().labels, ssm.calls) == (frozenset("*"), 2)
    assert LIFETIME == 300


@pytest.mark.parametrize("down", DOWN)
def test_while_ssm_is_down_what_was_read_goes_on_being_used(down: Exception, caplog: pytest.LogCaptureFixture) -> None:
    ssm = Ssm(VALUES)
    cache, clock = cache_of(ssm)
    cache.read()
    ssm.down = down
    clock.now += LIFETIME + 1
    assert cache.read() == READ
    assert "settings from SSM: reading failed" in caplog.text
    assert (cache.read(), ssm.calls) == (READ, CALLS + 1)  # no request waits for SSM again, for a while
    ssm.down, ssm.values = None, {**VALUES, "labels": "emu"}
    clock.now += PATIENCE + 1
    assert cache.read().labels == {"emu"}  # the failure was not kept


@pytest.mark.parametrize("down", DOWN)
def test_with_ssm_down_at_a_cold_start_the_fallbacks_serve_and_ssm_is_asked_again_soon(down: Exception) -> None:
    ssm = Ssm({**VALUES, "labels": "emu"})
    ssm.down = down
    cache, clock = cache_of(ssm)
    with mock.patch.dict(os.environ, ALL_FALLBACKS):
        assert [cache.read(), cache.read()] == [READ, READ]
        assert ssm.calls == 1  # it was down at the first
        ssm.down = None
        clock.now += PATIENCE
        assert cache.read().labels == {"emu"}


@pytest.mark.parametrize("down", DOWN)
@pytest.mark.parametrize("name", sorted({*VALUES} - {"writes"}))
def test_with_ssm_down_and_one_fallback_empty_it_is_503_and_not_remembered(down: Exception, name: str) -> None:
    ssm = Ssm(VALUES)
    ssm.down = down
    cache, _ = cache_of(ssm)
    with mock.patch.dict(os.environ, {**ALL_FALLBACKS, VARIABLES[name]: ""}):
        with pytest.raises(Unavailable):
            cache.read()
        ssm.down = None
        assert cache.read() == READ


@pytest.mark.parametrize("down", DOWN)
def test_without_fallbacks_it_is_503_and_not_remembered(down: Exception) -> None:
    ssm = Ssm(VALUES)
    ssm.down = down
    cache, _ = cache_of(ssm)
    with pytest.raises(Unavailable):
        cache.read()
    ssm.down = None
    assert cache.read() == READ


@pytest.mark.parametrize("name", VALUES)
def test_a_function_asks_only_for_the_names_whose_fallbacks_it_has(name: str) -> None:
    ssm = Ssm({name: VALUES[name]})
    cache, _ = cache_of(ssm)
    with mock.patch.dict(os.environ, {VARIABLES[name]: ""}):
        cache.read()
    assert ssm.asked == [[f"/pet-api/test/{name}"]]


@pytest.mark.parametrize("name", VALUES)
def test_what_ssm_does_not_have_is_taken_from_the_environment(name: str) -> None:
    cache, _ = cache_of(Ssm({key: value for key, value in VALUES.items() if key != name}))
    with mock.patch.dict(os.environ, ALL_FALLBACKS):
        assert cache.read() == READ


def test_ssm_goes_before_the_environment() -> None:
    cache, _ = cache_of(Ssm(VALUES))
    with mock.patch.dict(os.environ, dict.fromkeys(VARIABLES.values(), "other")):
        assert cache.read() == READ


def test_labels_are_listed_as_people_write_them() -> None:
    cache, _ = cache_of(Ssm({**VALUES, "labels": " Cat,,dog , "}))
    assert cache.read().labels == {"cat", "dog"}


def test_writes_are_open_where_neither_ssm_nor_the_environment_says_so() -> None:
    cache, _ = cache_of(Ssm({key: value for key, value in VALUES.items() if key != "writes"}))
    assert cache.read().writes == "open"


@pytest.mark.parametrize("name", sorted({*VALUES} - {"writes"}))
def test_a_missing_name_is_503_and_in_the_log(name: str, caplog: pytest.LogCaptureFixture) -> None:
    cache, _ = cache_of(Ssm({key: value for key, value in VALUES.items() if key != name}))
    with pytest.raises(Unavailable):
        cache.read()
    assert name in caplog.text


def test_one_call_has_at_most_the_ten_names_that_ssm_takes() -> None:
    ssm = Ssm(VALUES)
    assert cache_of(ssm)[0].read() == READ
    assert [len(names) for names in ssm.asked] == [NAMES_MAX, len(PARAMETERS) - NAMES_MAX]
    assert NAMES_MAX == 10
