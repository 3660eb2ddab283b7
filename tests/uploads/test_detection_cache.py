"""Results of recognition are stored by digest: detections for a while, failures for ever, outages never."""

import os
import random
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from shared.recognised_label import DECIMALS
from shared.recognition.detection_cache import DetectionCache
from shared.recognition.detections import Detection, RecognitionUnavailable, Unrecognisable, UnrecognisableNow
from tests.support.clock import Clock
from tests.support.memory_aws import DETECTIONS, DynamoDB, World

TABLE, LIFETIME, NOW = "recognitions", 100, 1_800_000_000
CAT = [Detection("Cat", 99.25), Detection("Pet", 12.000001)]
DIGESTS = (f"{number:064x}" for number in count())


class Recogniser:
    """A recogniser that returns these results in turn, and must not be asked for more."""

    def __init__(self, *results: list[Detection] | Exception) -> None:
        self.results, self.calls = list(results), 0

    def __call__(self) -> list[Detection]:
        self.calls += 1
        result = self.results.pop(0)
        if isinstance(result, Exception):
            raise result
        return result


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """Make a DynamoDB with an empty table."""
    with pytest.MonkeyPatch.context() as environment:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            environment.delenv(name)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            environment.setenv(name, "testing")
        with mock_aws():
            client = boto3.client("dynamodb", region_name="us-east-1")
            attributes = {"digest": "HASH", "recogniser": "RANGE"}
            client.create_table(
                TableName=TABLE,
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in attributes],
                KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in attributes.items()],
            )
            yield client


@pytest.fixture
def clock() -> Clock:
    return Clock(float(NOW))


@pytest.fixture
def cache(client: Any, clock: Clock) -> DetectionCache:
    return DetectionCache(client, TABLE, LIFETIME, clock=clock)


@pytest.fixture
def digest() -> str:
    """Return the digest of a picture that no other test has."""
    return next(DIGESTS)


def item(client: Any, digest: str) -> Any:
    key = {"digest": {"S": digest}, "recogniser": {"S": "r"}}
    return client.get_item(TableName=TABLE, Key=key).get("Item")


def test_the_second_time_no_recogniser_is_asked(cache: DetectionCache, digest: str) -> None:
    recogniser = Recogniser(CAT)
    assert cache.get_or_recognise(digest, "r", recogniser) == CAT
    assert cache.get_or_recognise(digest, "r", recogniser) == CAT
    assert recogniser.calls == 1


def test_confidences_have_six_decimals_from_the_first_time_on(cache: DetectionCache, digest: str) -> None:
    for recogniser in (Recogniser([Detection("Cat", 100 / 3), Detection("Dog", 1e-200)]), Recogniser()):
        found = cache.get_or_recognise(digest, "r", recogniser)
        assert found == [Detection("Cat", 33.333333), Detection("Dog", 0)]


def test_no_detections_are_a_result_too(cache: DetectionCache, digest: str) -> None:
    recogniser = Recogniser([])
    assert cache.get_or_recognise(digest, "r", recogniser) == []
    assert cache.get_or_recognise(digest, "r", recogniser) == []


def test_another_picture_or_recogniser_is_another_result(cache: DetectionCache, digest: str) -> None:
    other = next(DIGESTS)
    for key, result in (((digest, "r"), CAT), ((digest, "s"), CAT[:1]), ((other, "r"), [])):
        assert cache.get_or_recognise(*key, Recogniser(result)) == result
    for key, result in (((digest, "r"), CAT), ((digest, "s"), CAT[:1]), ((other, "r"), [])):
        assert cache.get_or_recognise(*key, Recogniser()) == result


def test_detections_expire_even_before_ttl_has_removed_them(
    cache: DetectionCache, digest: str, clock: Clock, client: Any
) -> None:
    cache.get_or_recognise(digest, "r", Recogniser(CAT))
    clock.now += LIFETIME - 1
    assert cache.get_or_recognise(digest, "r", Recogniser()) == CAT
    clock.now += 1
    assert item(client, digest)
    assert cache.get_or_recognise(digest, "r", Recogniser(CAT[:1])) == CAT[:1]
    assert item(client, digest)["expires"] == {"N": str(NOW + 2 * LIFETIME)}
    assert cache.get_or_recognise(digest, "r", Recogniser()) == CAT[:1]


def test_a_failure_is_stored_for_ever_and_raised_again(
    cache: DetectionCache, digest: str, clock: Clock, client: Any
) -> None:
    recogniser = Recogniser(Unrecognisable("The picture is broken."))
    for _ in range(3):
        with pytest.raises(Unrecognisable, match=r"^The picture is broken\.$"):
            cache.get_or_recognise(digest, "r", recogniser)
        clock.now += 10**9
    assert recogniser.calls == 1
    assert "expires" not in item(client, digest)


def test_too_much_work_is_stored_for_an_hour(cache: DetectionCache, digest: str, clock: Clock) -> None:
    """A slow container may be the cause, and another upload of the picture must not have to bear it for ever."""
    slow = Recogniser(UnrecognisableNow("The picture is too large: decoding it takes more than 10 seconds."))
    for _ in range(2):
        with pytest.raises(Unrecognisable, match="too large"):
            cache.get_or_recognise(digest, "lite", slow)
        clock.now += 1_799
    assert slow.calls == 1

    clock.now += 2
    assert cache.get_or_recognise(digest, "lite", Recogniser(CAT)) == CAT
    assert cache.known(digest, "lite") == CAT


@pytest.mark.parametrize("error", [RecognitionUnavailable("It is busy."), KeyError("a bug")], ids=["outage", "bug"])
def test_an_error_that_may_be_over_later_is_never_stored(
    error: Exception, cache: DetectionCache, digest: str, client: Any
) -> None:
    with pytest.raises(type(error)):
        cache.get_or_recognise(digest, "r", Recogniser(error))
    assert item(client, digest) is None
    assert cache.get_or_recognise(digest, "r", Recogniser(CAT)) == CAT


def test_an_outage_leaves_expired_detections_as_they_are(
    cache: DetectionCache, digest: str, clock: Clock, client: Any
) -> None:
    cache.get_or_recognise(digest, "r", Recogniser(CAT))
    before = item(client, digest)
    clock.now += LIFETIME
    with pytest.raises(RecognitionUnavailable):
        cache.get_or_recognise(digest, "r", Recogniser(RecognitionUnavailable("It is busy.")))
    assert item(client, digest) == before


Ask = Callable[[Callable[[], list[Detection]]], list[Detection]]


def outcome(ask: Ask, recognise: Callable[[], list[Detection]]) -> object:
    """Return the detections, or the sentence of the failure."""
    try:
        return ask(recognise)
    except Unrecognisable as error:
        return str(error)


@pytest.mark.parametrize("first", [CAT, [], Unrecognisable("Broken.")], ids=["detections", "none", "failure"])
@pytest.mark.parametrize("expired", [False, True])
def test_two_calls_at_once_store_and_return_one_result(
    first: Any, expired: bool, cache: DetectionCache, digest: str, clock: Clock
) -> None:
    def ask(recognise: Callable[[], list[Detection]]) -> list[Detection]:
        return cache.get_or_recognise(digest, "r", recognise)

    if expired:
        ask(Recogniser([Detection("Old", 1)]))
        clock.now += LIFETIME
    wanted = str(first) if isinstance(first, Exception) else first

    def overtaken() -> list[Detection]:  # while this one is recognised, another call begins and ends
        assert outcome(ask, Recogniser(first)) == wanted
        return [Detection("Late", 50)]

    assert outcome(ask, overtaken) == wanted
    assert outcome(ask, Recogniser()) == wanted


def test_other_errors_of_dynamodb_are_raised(client: Any, digest: str) -> None:
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        DetectionCache(client, "no-table", LIFETIME).get_or_recognise(digest, "r", Recogniser(CAT))


confidences = st.floats(0, 100).map(lambda confidence: round(confidence, DECIMALS))
detections = st.lists(st.builds(Detection, st.text(min_size=1, max_size=8), confidences), max_size=3)
results = st.one_of(detections, st.sampled_from(["Broken.", "Too large."]), st.none())  # None: an outage
steps = st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, LIFETIME), results), min_size=1, max_size=8)


@given(steps)
def test_the_cache_behaves_like_a_dictionary_with_times(history: list[tuple[str, int, Any]]) -> None:
    clock, digest = Clock(float(NOW)), next(DIGESTS)
    cache = DetectionCache(DynamoDB(World(random.Random(7))), DETECTIONS, LIFETIME, clock=clock)  # type: ignore[arg-type]
    kept: dict[str, tuple[Any, float]] = {}
    for recogniser, wait, result in history:
        clock.now += wait
        known, until = kept.get(recogniser, (None, 0.0))
        fresh = known is not None and clock.now < until
        answer = {list: result, str: Unrecognisable(result), type(None): RecognitionUnavailable()}[type(result)]
        ask = Recogniser() if fresh else Recogniser(answer)
        if not fresh and result is None:
            with pytest.raises(RecognitionUnavailable):
                cache.get_or_recognise(digest, recogniser, ask)
            continue
        if not fresh:
            kept[recogniser] = (result, clock.now + LIFETIME if isinstance(result, list) else float("inf"))
        found = outcome(lambda recognise, r=recogniser: cache.get_or_recognise(digest, r, recognise), ask)  # type: ignore[misc]
        assert found == kept[recogniser][0]
