"""All invariants in 2,000 interleaved scenarios of the shipped handlers (tests/support/simulation.py)."""

import os
from collections import Counter

import pytest

from tests.support.simulation import Simulation

SCENARIOS = int(os.environ.get("SCENARIOS", "2000"))
BATCHES = 40  # so that the workers of pytest share them out
QUICK = 1  # batches that are in `make test`: a fortieth of the scenarios


@pytest.mark.parametrize("batch", range(QUICK))
def test_no_invariant_breaks_when_clients_meet_and_die(batch: int) -> None:
    check(batch)


@pytest.mark.usefixtures("slow_tier")
@pytest.mark.parametrize("batch", range(QUICK, BATCHES))
def test_no_invariant_breaks_in_many_more_scenarios(batch: int) -> None:
    check(batch)


def check(batch: int) -> None:
    """Run the scenarios of one batch; each checks the invariants after every transaction."""
    outcomes = [Simulation(seed).run() for seed in range(batch, SCENARIOS, BATCHES)]
    answers = sum((outcome.answers for outcome in outcomes), Counter[str]())
    killed = sum(outcome.killed for outcome in outcomes)
    done = sum(answers.values())
    assert done + killed >= 150 * (SCENARIOS // BATCHES)
    gave_up = sum(count for answer, count in answers.items() if answer.endswith(" 503"))
    assert gave_up <= done // 5000  # 10% of the transactions conflict with another one
    # The scenarios are worth running: every operation succeeds often, and fails often.
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
    for seed in range(40):
        Simulation(seed, pictures=1, operations=60).run()


@pytest.mark.usefixtures("slow_tier")
def test_so_is_it_in_many_more_scenarios() -> None:
    for seed in range(40, 200):
        Simulation(seed, pictures=1, operations=60).run()
