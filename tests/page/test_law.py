"""The law of a label in Node.js: probabilities, slices of the strip, and whether draws agree with what is expected."""

import json
import math
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.cloud import ROOT

NARROW = 26  # pixels
# Each line is the name of a function and its arguments; each answer is a line.
PROGRAM = """
import { createInterface } from "node:readline";
import * as law from %s;
for await (const line of createInterface({ input: process.stdin })) {
  const [name, ...given] = JSON.parse(line);
  console.log(JSON.stringify(law[name](...given)));
}
"""
# From tables of chi-square: P(chi-square >= value) by degrees of freedom.
TABLE = {
    0.5: {1: 0.454936, 2: 1.386294, 5: 4.351460, 10: 9.341818, 30: 29.335993, 50: 49.334937},
    0.1: {1: 2.705543, 2: 4.605170, 5: 9.236357, 10: 15.987179, 30: 40.256024, 50: 63.167121},
    0.05: {1: 3.841459, 2: 5.991465, 5: 11.070498, 10: 18.307038, 30: 43.772972, 50: 67.504807},
    0.01: {1: 6.634897, 2: 9.210340, 5: 15.086272, 10: 23.209251, 30: 50.892181, 50: 76.153891},
    0.001: {1: 10.827566, 2: 13.815511, 5: 20.515006, 10: 29.588298, 30: 59.703064, 50: 86.660815},
}


class Law:
    """The functions of web/page/law.js."""

    def __init__(self, node: "subprocess.Popen[str]") -> None:
        self._node = node

    def __call__(self, name: str, *given: Any) -> Any:
        assert self._node.stdin
        assert self._node.stdout
        print(json.dumps([name, *given]), file=self._node.stdin, flush=True)
        return json.loads(self._node.stdout.readline())


@pytest.fixture(scope="module")
def law() -> Iterator[Law]:
    if not (node := shutil.which("node")):
        pytest.skip("THE LAW OF THE PAGE IS NOT TESTED: there is no Node.js (apt-get install nodejs)")
    program = PROGRAM % json.dumps((ROOT / "web/page/law.js").as_uri())
    with subprocess.Popen(
        [node, "--input-type=module", "-e", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Law(process)
        assert process.stdin
        process.stdin.close()


def images(*weights: float) -> list[dict[str, Any]]:
    return [{"id": f"cat/{place:032}.png", "weight": weight} for place, weight in enumerate(weights)]


# A weight has up to nine decimals.
weights = st.integers(1, 999_999_999).map(lambda billionths: billionths / 1e9)


@given(st.lists(weights, min_size=1, max_size=60))
def test_probabilities_are_exact_and_the_likeliest_come_first(law: Law, given: list[float]) -> None:
    found = law("law", images(*given))
    billionths = [round(weight * 1e9) for weight in given]
    expected = {image["id"]: weight / sum(billionths) for image, weight in zip(images(*given), billionths, strict=True)}
    assert {image["id"]: image["probability"] for image in found} == pytest.approx(expected, rel=1e-12)
    assert found == sorted(found, key=lambda image: (-image["weight"], image["id"]))


def test_ten_tenths_are_one(law: Law) -> None:
    assert [image["probability"] for image in law("law", images(*[0.1] * 10))] == [0.1] * 10


def test_of_a_label_of_which_some_were_read_each_has_its_share_of_the_whole(law: Law) -> None:
    assert [image["probability"] for image in law("law", images(0.5, 0.25), 2)] == [0.25, 0.125]


@given(st.lists(weights, min_size=1, max_size=100), st.integers(100, 1280))
def test_slices_divide_the_strip_in_order_and_none_is_narrow_unless_all_that_is_left_is(
    law: Law, given: list[float], width: int
) -> None:
    known = law("law", images(*given))
    parts = law("slices", known, width)
    assert [image["id"] for part in parts for image in part["of"]] == [image["id"] for image in known]
    assert sum(part["probability"] for part in parts) == pytest.approx(1, abs=1e-9)
    for part in parts:
        assert part["probability"] == pytest.approx(sum(image["probability"] for image in part["of"]), abs=1e-12)
    narrow = [place for place, part in enumerate(parts) if part["probability"] * width < NARROW - 1e-6]
    assert narrow in ([], [len(parts) - 1])
    if narrow and len(parts) > 1:  # all that would not have had a slice of its own
        assert all(len(part["of"]) == 1 for part in parts[:-1])
    for part in parts[:-1]:  # it was too narrow before its last image came
        assert len(part["of"]) == 1 or part["probability"] - part["of"][-1]["probability"] < NARROW / width + 1e-9
    wide = [image for image in known if image["probability"] * width >= NARROW]
    assert [part["of"][0]["id"] for part in parts[: len(wide)]] == [image["id"] for image in wide]


@given(st.lists(weights, min_size=1, max_size=60), st.integers(100, 1280), st.floats(0.01, 0.99))
def test_slices_leave_room_for_what_was_not_read(law: Law, given: list[float], width: int, share: float) -> None:
    total = sum(given) / share
    parts = law("slices", law("law", images(*given), total), width)
    assert sum(part["probability"] for part in parts) == pytest.approx(share, abs=1e-9)
    narrow = [place for place, part in enumerate(parts) if part["probability"] * width < NARROW - 1e-6]
    assert narrow in ([], [len(parts) - 1])


# --- chi-square ---


@pytest.mark.parametrize("probability", TABLE)
def test_the_tail_of_chi_square_is_that_of_the_tables(law: Law, probability: float) -> None:
    for freedom, value in TABLE[probability].items():
        assert law("tail", value, freedom) == pytest.approx(probability, abs=3e-6)


@given(st.floats(0, 200), st.integers(1, 24))
def test_the_tail_of_an_even_number_of_degrees_is_a_sum_of_poisson(law: Law, chi: float, half: int) -> None:
    x = chi / 2
    exact = math.fsum(math.exp(-x + k * math.log(x) - math.lgamma(k + 1)) for k in range(half)) if x else 1
    assert law("tail", chi, 2 * half) == pytest.approx(exact, abs=1e-10)


@given(st.floats(0, 200), st.integers(0, 23))
def test_the_tail_of_an_odd_number_of_degrees_comes_from_the_normal_law(law: Law, chi: float, half: int) -> None:
    x = chi / 2
    terms = (math.exp(-x + (k + 0.5) * math.log(x) - math.lgamma(k + 1.5)) for k in range(half)) if x else ()
    assert law("tail", chi, 2 * half + 1) == pytest.approx(math.erfc(math.sqrt(x)) + math.fsum(terms), abs=1e-9)


@given(st.floats(0, 150), st.floats(0, 50), st.integers(1, 48))
def test_the_tail_is_a_probability_that_falls(law: Law, chi: float, more: float, freedom: int) -> None:
    one, other = law("tail", chi, freedom), law("tail", chi + more, freedom)
    assert 0 <= other <= one + 1e-9
    assert one <= 1 + 1e-9


# --- the verdict ---


def classes(drawn: int, shares: list[float], seen: list[int]) -> list[dict[str, float]]:
    assert sum(seen) == drawn
    return [{"expected": drawn * share, "count": count} for share, count in zip(shares, seen, strict=True)]


SHARES = [0.6, 0.3, 0.1]
TOO_FEW, ONLY_ONE = "Too few to tell.", "There is only one to draw."
EXPECTED = "As expected: a correct service is this uneven or more {} of the time."
UNUSUAL = "Unusual: a correct service is this uneven only {} of the time."


@pytest.mark.parametrize(
    ("drawn", "shares", "seen", "draws", "sentence"),
    [
        (0, SHARES, [0, 0, 0], "", "Draw a few and see where they fall."),
        (1, SHARES, [1, 0, 0], "1 draw.", TOO_FEW),
        (9, SHARES, [5, 3, 1], "9 draws.", TOO_FEW),
        (13, SHARES, [8, 4, 1], "13 draws.", EXPECTED.format("91%")),  # 7.8, and 5.2 of both others
        (101, [1], [101], "101 draws.", ONLY_ONE),
        (101, SHARES, [61, 30, 10], "101 draws.", EXPECTED.format("100%")),
        (101, SHARES, [53, 35, 13], "101 draws.", EXPECTED.format("28%")),
        (101, SHARES, [45, 42, 14], "101 draws.", UNUSUAL.format("0.7%")),
        (101, SHARES, [101, 0, 0], "101 draws.", UNUSUAL.format("less than 0.1%")),
        (1001, [0.999, 0.001], [999, 2], "1,001 draws.", TOO_FEW),
        (12_345, SHARES, [7407, 3703, 1235], "12,345 draws.", EXPECTED.format("100%")),
    ],
)
def test_the_verdict_is_a_sentence(
    law: Law, drawn: int, shares: list[float], seen: list[int], draws: str, sentence: str
) -> None:
    assert law("verdict", classes(drawn, shares, seen), drawn) == [draws, sentence]


def test_classes_that_are_too_rare_count_together(law: Law) -> None:
    """Each of 20 is expected 2.5 times, all of them 50 times: two classes, one degree of freedom."""
    seen = [60, *[2] * 20]
    chi = 10**2 / 50 * 2
    _, sentence = law("verdict", classes(100, [0.5, *[0.025] * 20], seen), 100)
    assert sentence == EXPECTED.format(f"{100 * math.erfc(math.sqrt(chi / 2)):.0f}%")
