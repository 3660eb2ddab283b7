"""All invariants under 2,000 interleaved scenarios of the shipped handlers (tests/support/simulation.py)."""

import os
from collections import Counter

import pytest

from tests.support.simulation import Outcome, Simulation

SCENARIOS = int(os.environ.get("SCENARIOS", "2000"))
BATCHES = 40  # so that the test runner can share them out


def total(outcomes: list[Outcome]) -> tuple[Counter[str], int]:
    """All answers and all killed operations."""
    return sum((outcome.answers for outcome in outcomes), Counter()), sum(outcome.killed for outcome in outcomes)


@pytest.mark.parametrize("batch", range(BATCHES))
def test_no_invariant_breaks_when_clients_meet_and_die(batch: int) -> None:
    answers, killed = total([Simulation(seed).run() for seed in range(batch, SCENARIOS, BATCHES)])
    done = sum(answers.values())
    assert done + killed >= 150 * (SCENARIOS // BATCHES)
    gave_up = sum(count for answer, count in answers.items() if answer.endswith(" 503"))
    assert gave_up <= done // 5000  # 10% of the transactions meet another one
    # The scenarios are about something: every operation succeeds, and fails, often.
    for answer in (
        "_upload 201",
        "_upload 200",
        "_upload 409",
        "_delete 204",
        "_delete 404",
        "_patch 200",
        "_random 200",
    ):
        assert answers[answer] > done // 500, answer
    assert killed > done // 500


def test_a_label_of_one_picture_is_uploaded_and_deleted_by_all() -> None:
    for seed in range(200):
        Simulation(seed, pictures=1, operations=60).run()
