"""Writers and readers of one label, all at once, and what they were told."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from shared.images import UNITS

T = TypeVar("T")

CLIENTS = 16  # writers, and as many readers
STEADY = 64  # images that keep their weight, of an expected half each: about half of all draws
PAUSE = 0.2  # seconds on average from a writer's write to its next, so that readers get the larger share
OWN_MAX = 8  # images that a writer has at a time
PATIENCE = 30.0  # seconds that a client goes on asking for one thing that is answered 503


class Busy(Exception):
    """503 with Retry-After: the same is to be asked again."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"still busy after {PATIENCE} s")
        self.seconds = seconds


class Pets(Protocol):
    """One label.  `again` says that the same was answered Busy before, so that it may have been done by now."""

    def upload(self, number: int, weight: int, *, again: bool) -> str:
        """The name of a new image."""
        ...

    def reweigh(self, name: str, weight: int) -> None:
        """Another weight for an image that is there."""
        ...

    def delete(self, name: str, *, again: bool) -> None:
        """Remove an image that is there."""
        ...

    def draw(self, turn: int) -> str:
        """The name of a random image; `turn` is how many were drawn before."""
        ...


@dataclass
class Told:
    """What clients were told: the images that are there now, writes by kind, draws by name, and how often to wait."""

    weights: dict[str, int] = field(default_factory=dict)
    writes: Counter[str] = field(default_factory=Counter)
    draws: Counter[str] = field(default_factory=Counter)
    busy: int = 0

    def __add__(self, other: "Told") -> "Told":
        return Told(
            self.weights | other.weights,
            self.writes + other.writes,
            self.draws + other.draws,
            self.busy + other.busy,
        )


@dataclass(frozen=True)
class Outcome:
    """A whole soak: what all were told, the steady images' weights, and what `gauge` said at a quarter and the end."""

    told: Told
    steady: Mapping[str, int]
    seconds: float
    gauged: tuple[int, int]


def soak(pets: Pets, seconds: float, *, clients: int = CLIENTS, gauge: Callable[[], int] = lambda: 0) -> Outcome:
    """Let the writers and readers at the label for so long; what the first of them fails with is raised."""
    founders = [_Client(pets, number) for number in range(STEADY)]
    team = [_Client(pets, STEADY + number) for number in range(2 * clients)]
    with ThreadPoolExecutor(2 * clients) as pool:
        list(pool.map(_Client.upload, founders))
        _warm_up(pool, team)
        failed, started = threading.Event(), time.monotonic()
        end = started + seconds

        def work(client: _Client, turn: Callable[[_Client], None]) -> None:
            try:
                while time.monotonic() < end and not failed.is_set():
                    turn(client)
            except BaseException:
                failed.set()
                raise

        at_work = [pool.submit(work, client, _Client.write) for client in team[:clients]]
        at_work += [pool.submit(work, client, _Client.read) for client in team[clients:]]
        failed.wait(seconds / 4)
        quarter = gauge()
        failed.wait(end - time.monotonic())
        gauged = quarter, gauge()
        for client in at_work:
            client.result()
    steady = {name: weight for founder in founders for name, weight in founder.told.weights.items()}
    told = sum((client.told for client in team), Told(dict(steady)))
    return Outcome(told, steady, time.monotonic() - started, gauged)


def _warm_up(pool: ThreadPoolExecutor, team: list["_Client"]) -> None:
    """All do each thing at once and once, so that every process of a function that will be needed is there."""
    for turn in (_Client.upload, _Client.read, _Client.reweigh, _Client.delete):
        list(pool.map(turn, team))
    for client in team:
        client.told = Told()


class _Client:
    """One client, with images and luck of its own; `told` is what it was told."""

    def __init__(self, pets: Pets, number: int) -> None:
        self._pets, self._rng, self.told = pets, random.Random(number), Told()

    def write(self) -> None:
        """Upload another image, re-weigh or delete one of its own, after a pause."""
        time.sleep(self._rng.uniform(0, 2 * PAUSE))
        own = len(self.told.weights)
        if not own or (self._rng.random() < 0.5 and own < OWN_MAX):
            self.upload()
        elif self._rng.random() < 0.5:
            self.reweigh()
        else:
            self.delete()

    def upload(self) -> None:
        """Upload another image."""
        number, weight = self._rng.getrandbits(48), self._weight()
        name = self._until_done(lambda again: self._pets.upload(number, weight, again=again))
        self.told.weights[name] = weight
        self.told.writes["uploads"] += 1

    def reweigh(self) -> None:
        """Re-weigh an image of its own."""
        name, weight = self._own(), self._weight()
        self._until_done(lambda again: self._pets.reweigh(name, weight))
        self.told.weights[name] = weight
        self.told.writes["new weights"] += 1

    def delete(self) -> None:
        """Delete an image of its own."""
        name = self._own()
        self._until_done(lambda again: self._pets.delete(name, again=again))
        del self.told.weights[name]
        self.told.writes["deletes"] += 1

    def read(self) -> None:
        """Draw once."""
        turn = self.told.draws.total()
        self.told.draws[self._until_done(lambda again: self._pets.draw(turn))] += 1

    def _own(self) -> str:
        return self._rng.choice(list(self.told.weights))

    def _weight(self) -> int:
        return self._rng.randrange(1, UNITS)

    def _until_done(self, ask: Callable[[bool], T]) -> T:
        give_up, again = time.monotonic() + PATIENCE, False
        while True:
            try:
                return ask(again)
            except Busy as busy:
                if time.monotonic() > give_up:
                    raise
                self.told.busy, again = self.told.busy + 1, True
                time.sleep(busy.seconds)
