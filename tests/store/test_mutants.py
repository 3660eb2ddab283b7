"""The simulation notices when a condition or step of the transactions is dropped; `make mutants` prints the table."""

import pytest

from tests import mutants

pytestmark = pytest.mark.usefixtures("slow_tier")

EVERY = mutants.mutants()
IMPLIED = 5 * len(mutants.KINDS)  # scenarios of those that nothing can notice; nine in ten others need at most 42


@pytest.mark.parametrize("number", range(len(EVERY)), ids=[mutant.name for mutant in EVERY])
def test_a_mutant_is_noticed_unless_it_is_implied(number: int) -> None:
    implied = EVERY[number].implied
    noticed = mutants.run(number, scenarios=IMPLIED if implied else mutants.SCENARIOS)
    assert bool(noticed) != bool(implied), noticed


def test_without_a_mutant_nothing_is_noticed() -> None:
    assert not mutants.notice(mutants.Mutant("none", []), IMPLIED)
