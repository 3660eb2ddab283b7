"""Clients, followers of the stream and of the queue, and reconcile, interleaved call by call, and killed anywhere.

The stream's function may be late, or stop for a while, or lose records as a stop of `make run` does. At the end the
index equals the rows; after a loss, once reconcile was there.
"""

import os
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import pytest
from greenlet import getcurrent

from shared import aws
from tests.support import memory_index
from tests.support.memory_aws import World
from tests.support.memory_index import SETTINGS, IndexWorld
from tests.support.simulation import LABEL, Killed, Simulation
from tools.reconcile.indexed import IndexReconciliation, index_reconciliation
from tools.reconcile.inventory import Inventory

SCENARIOS = int(os.environ.get("INDEX_SCENARIOS", "100"))
BATCHES = 20
OPERATIONS = 120
THROTTLED = 0.2


class IndexSimulation(Simulation):
    """A scenario with the index."""

    world: IndexWorld
    world_type: type[World] = IndexWorld

    def __init__(self, seed: int, *, loses: bool, **more: Any) -> None:
        super().__init__(seed, operations=OPERATIONS, **more)
        self.loses = loses
        self.world.throttled = THROTTLED
        self.done: Counter[str] = Counter()

    def _more_code(self) -> AbstractContextManager[None]:
        return memory_index.index_on(self.world)

    def _more_clients(self) -> Sequence[Callable[[], None]]:
        """Nothing that would mend a mistake by chance goes on to the end, but where records are lost."""
        clients = (self._follower, self._taker, self._taker, self._stranger)
        return (*clients, self._index_reconciler) if self.loses else clients

    def _rest(self) -> None:
        """Let others run for a while, sometimes for long."""
        for _ in range(self.rng.choice([1, 2, 20])):
            self.main.switch()

    def _follower(self) -> None:
        """Have the records of the stream in their order, a batch again after a kill."""
        while self.left > 0:
            self._rest()
            batch = self.world.stream[: self.rng.choice([1, 5, 25])]
            if self.loses and self.rng.random() < 0.1:
                del self.world.stream[: len(batch)]
            elif batch and self._survives(lambda batch=batch: memory_index.follow(self.world, batch)):
                del self.world.stream[: len(batch)]
                self.done["batches"] += 1

    def _taker(self) -> None:
        """Have messages of the queue, in any order; those of a killed call come again."""
        while self.left > 0:
            self._rest()
            self.rng.shuffle(self.world.queue)
            some, self.world.queue = self.world.queue[:5], self.world.queue[5:]
            again: list[dict[str, Any]] = []
            survived = self._survives(lambda some=some, again=again: again.extend(memory_index.take(some)))
            self.world.queue += again if survived else some
            self.done["messages"] += len(some)

    def _stranger(self) -> None:
        """Put any images into the queue, as a redrive may do at any time."""
        while self.left > OPERATIONS // 4:
            self._rest()
            name = self.rng.choice(self.names)
            self.world.queue.append(memory_index.message(f"{LABEL}/{name}"))

    def _index_reconciler(self) -> None:
        while self.left > 0:
            self._rest()
            self._survives(lambda: self._compared())

    def _survives(self, work: Callable[[], object]) -> bool:
        """Return whether the work was not killed."""
        self._begin(frailty=0.5)
        try:
            work()
        except Killed:
            self.outcome.killed += 1
            return False
        finally:
            self.begun.pop(getcurrent(), None)
        return True

    def _compared(self) -> IndexReconciliation:
        reconciliation = index_reconciliation(SETTINGS, Inventory(aws.dynamodb(), SETTINGS))
        reconciliation.log = lambda line: None
        reconciliation.run()
        return reconciliation

    def _check_more(self) -> None:
        self.world.throttled = 0.0
        while self.world.stream:
            batch, self.world.stream = self.world.stream[:25], self.world.stream[25:]
            memory_index.follow(self.world, batch)
        memory_index.drain(self.world)
        if self.loses:
            self._compared()
            memory_index.drain(self.world)
        found = memory_index.differences(self.world)
        assert not found, found
        assert self._compared().report.queued == 0


def check(batch: int, *, pictures: int) -> None:
    done: Counter[str] = Counter()
    for seed in range(batch, SCENARIOS, BATCHES):
        simulation = IndexSimulation(seed, loses=seed // BATCHES % 4 == 0, pictures=pictures)
        simulation.run()
        done += simulation.done
    assert done["batches"] > SCENARIOS // BATCHES
    assert done["messages"] > 2 * SCENARIOS // BATCHES


def test_the_index_equals_the_rows_however_calls_meet_and_die() -> None:
    check(0, pictures=2)


@pytest.mark.usefixtures("slow_tier")
@pytest.mark.parametrize("pictures", [1, 3])
@pytest.mark.parametrize("batch", range(1, BATCHES))
def test_so_it_does_in_many_more_scenarios(batch: int, pictures: int) -> None:
    check(batch, pictures=pictures)
