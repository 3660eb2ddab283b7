"""Sessions: each image of a label once, in an order drawn by weight that is the same on every machine."""

import decimal
import json
import random
import subprocess
import sys
from collections import Counter
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import random_image
import session
import session_order
from bulk_reads import Rows
from petapi_client.chi_square import p_value
from shared.errors import NotFound, Unavailable, UnprocessableValue
from shared.labels.store import Store
from tests.support.cloud import ROOT
from tests.support.memory_aws import S3, DynamoDB, World
from tests.support.memory_label import POOL, image, stored
from tests.support.simulation import LABEL, SETTINGS, call
from tools.bundle import interpreters

EIGHT = {f"{number:032x}.png": (number + 1) * 10**7 for number in range(8)}
ORDER = [7, 4, 3, 5, 6, 2, 0, 1]  # of "a session"; another order would change everyone's sessions
SEEDED = [943503278270, 966508830926, 208683540437, 106577164881]  # of "a seed"


def at(world: World, position: int, *, text: str = "s") -> session.Drawn:
    client = DynamoDB(world)
    store, rows = Store(client, SETTINGS), Rows(client, SETTINGS)  # type: ignore[arg-type]
    return session.image_at_position(store, rows, POOL, text, position)


def test_a_session_over_300_images_gives_each_once_with_its_probability(world: World) -> None:
    rng = random.Random(300)
    weights = [rng.randrange(1, 10**9) for _ in range(300)]
    stored(world, weights)
    walk = [at(world, position) for position in range(300)]
    assert {one.name for one in walk} == {image(number, 1).name for number in range(300)}
    left = sum(weights)
    for one in walk:
        assert (one.total_weight, one.probability) == (sum(weights), one.weight / left)
        left -= one.weight
    assert left == 0
    assert walk[-1].probability == 1


def test_the_first_three_places_follow_the_law() -> None:
    weights = {f"{number:032x}.png": weight for number, weight in enumerate([1, 3, 9, 30, 60, 200])}
    times = 6000
    observed = Counter(str(session_order.names_in_order(weights, f"session {n}")[:3]) for n in range(times))
    expected = {}
    for triple in permutations(weights, 3):
        left, probability = sum(weights.values()), 1.0
        for name in triple:
            probability *= weights[name] / left
            left -= weights[name]
        expected[str(list(triple))] = times * probability
    assert p_value(observed, expected) > 0.001


@pytest.mark.usefixtures("slow_tier")
def test_the_first_places_of_300_images_follow_their_weights() -> None:
    rng = random.Random(1)
    weights = {f"{number:032x}.png": rng.randrange(1, 10**9) for number in range(300)}
    firsts = Counter(session_order.names_in_order(weights, f"session {n}")[0] for n in range(500))
    heavy = {name for name, _ in sorted(weights.items(), key=lambda item: -item[1])[:60]}
    total = sum(weights.values())
    for group in (heavy, {name for name in weights if name < f"{150:032x}"}):
        share = sum(weights[name] for name in group) / total
        inside = sum(count for name, count in firsts.items() if name in group)
        assert p_value({"in": inside, "out": 500 - inside}, {"in": 500 * share, "out": 500 * (1 - share)}) > 0.001


@given(st.dictionaries(st.sampled_from(sorted(EIGHT)), st.integers(1, 10**9), min_size=1), st.text(max_size=9))
def test_removing_an_image_keeps_the_order_of_the_others(weights: dict[str, int], text: str) -> None:
    whole = session_order.names_in_order(weights, text)
    for gone in weights:
        fewer = {name: weight for name, weight in weights.items() if name != gone}
        assert session_order.names_in_order(fewer, text) == [name for name in whole if name != gone]


def test_the_order_does_not_depend_on_the_precision_of_the_process() -> None:
    for precision in (3, 28, 90):
        with decimal.localcontext(prec=precision, rounding=decimal.ROUND_UP):
            assert [int(name[:32], 16) for name in session_order.names_in_order(EIGHT, "a session")] == ORDER


def test_sessions_and_seeds_are_the_same_in_another_process_and_python() -> None:
    code = (
        "import sys; sys.path[:0] = ['.', 'random']\n"
        "sys.modules['pybase64'] = sys  # the other Python may lack it, and nothing here uses it\n"
        "import options, session_order\n"
        f"weights = {EIGHT}\n"
        "rng = options.generator('a seed')\n"
        "print([int(name[:32], 16) for name in session_order.names_in_order(weights, 'a session')])\n"
        "print([rng.randrange(10**12) for _ in range(4)])\n"
    )
    pythons = {sys.executable}
    try:
        pythons.add(interpreters.find())  # the version of the Lambda runtime
    except interpreters.NoneFound:
        print("ONE PYTHON ONLY IS TESTED: there is none of the runtime's version")
    for python in pythons:
        done = subprocess.run([python, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
        assert done.stdout == f"{ORDER}\n{SEEDED}\n"


@pytest.mark.parametrize(("position", "count"), [(7, 7), (10**9 - 1, 1)])
def test_a_position_after_the_last_image_is_a_422_with_the_number_of_images(
    world: World, position: int, count: int
) -> None:
    stored(world, [5] * count)
    with pytest.raises(UnprocessableValue, match=f"below {count}") as refusal:
        at(world, position)
    assert refusal.value.field == "position"


def test_a_label_without_images_is_404(world: World) -> None:
    with pytest.raises(NotFound):
        at(world, 0)


def test_a_label_with_too_many_images_for_a_session_is_422(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "IMAGES_MAX", 6)
    stored(world, [5] * 6)
    assert at(world, 5).probability == 1
    Store(DynamoDB(world), SETTINGS).add(image(6, 5))  # type: ignore[arg-type]
    with pytest.raises(UnprocessableValue, match="at most 6 images") as refusal:
        at(world, 0)
    assert refusal.value.field == "session"


def test_lanes_and_chunks_that_do_not_agree_are_read_again(world: World) -> None:
    stored(world, [5] * 20)
    reads = 0
    shipped = Rows.weights

    def weights(self: Rows, place: str) -> dict[str, int]:
        nonlocal reads
        reads += 1
        found = shipped(self, place)
        return dict(list(found.items())[1:]) if reads < 3 else found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Rows, "weights", weights)
        assert at(world, 19).probability == 1
    assert reads == 3


def test_lanes_and_chunks_that_never_agree_are_a_503(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    stored(world, [5])
    monkeypatch.setattr(Rows, "weights", lambda self, place: {})
    with pytest.raises(Unavailable):
        at(world, 0)


@pytest.mark.parametrize("form", ["image", "json", "redirect"])
def test_a_session_works_in_every_form(world: World, form: str) -> None:
    stored(world, [5, 6, 7])
    for number in range(3):
        S3(world).put_object(Key=image(number, 1).id, Body=b"bytes")
    found = []
    for position in "012":
        query = {"label": [LABEL], "format": [form], "session": ["me"], "position": [position]}
        answer = call(random_image, "GET", "/random", "/random", query=query)
        assert answer["statusCode"] == (302 if form == "redirect" else 200)
        found.append((answer["headers"]["Image-Id"], answer["headers"]["Image-Probability"]))
        if form == "json":
            assert json.loads(answer["body"])["totalWeight"] == 18e-9
    assert {name for name, _ in found} == {image(number, 1).id for number in range(3)}
    assert found[-1][1] == "1.0"


def test_a_session_takes_two_queries_and_the_row(world: World) -> None:
    stored(world, [5] * 200)
    calls: Counter[str] = Counter()
    shipped = DynamoDB.get_paginator

    def get_paginator(self: DynamoDB, name: str) -> object:
        calls[f"pages of {name}"] += 1
        return shipped(self, name)

    world.pause = lambda name: calls.update([name])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DynamoDB, "get_paginator", get_paginator)
        query = {"label": [LABEL], "format": ["json"], "session": ["me"], "position": ["7"]}
        assert call(random_image, "GET", "/random", "/random", query=query)["statusCode"] == 200
    assert calls == {"query": 1, "query page": 1, "pages of query": 1, "get_item": 1}
