"""Writers and readers of one label, all at once, and a record of their responses."""

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
STEADY = 64  # images that keep their weight, 0.5 on average; they get about half of all draws
PAUSE = 0.2  # seconds on average from a writer's write to its next, so that readers get the larger share
OWN_MAX = 8  # images that a writer has at a time
PATIENCE = 30.0  # seconds that a client repeats a request that gets 503


class Busy(Exception):
    """503 with Retry-After: the same request must be sent again."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"still busy after {PATIENCE} s")
        self.seconds = seconds


class Pets(Protocol):
    """One label. `again` means that the same request got Busy before, so it may have been done by now."""

    def upload(self, number: int, weight: int, *, again: bool) -> str:
        """Upload an image and return its name."""
        ...

    def reweigh(self, name: str, weight: int) -> None:
        """Change the weight of an image."""
        ...

    def delete(self, name: str, *, again: bool) -> None:
        """Delete an image."""
        ...

    def draw(self, turn: int) -> str:
        """Draw, and return the image's name. `turn` is how many were drawn before."""
        ...


@dataclass
class Record:
    """What clients learned: the existing images, writes by kind, draws by name, and how often they had to wait."""

    weights: dict[str, int] = field(default_factory=dict)
    writes: Counter[str] = field(default_factory=Counter)
    draws: Counter[str] = field(default_factory=Counter)
    busy: int = 0

    def __add__(self, other: "Record") -> "Record":
        return Record(
            self.weights | other.weights,
            self.writes + other.writes,
            self.draws + other.draws,
            self.busy + other.busy,
        )


@dataclass(frozen=True)
class Outcome:
    """A whole soak: the joint record, the steady images' weights, and what `gauge` gave at a quarter and the end."""

    record: Record
    steady: Mapping[str, int]
    seconds: float
    gauged: tuple[int, int]


def soak(pets: Pets, seconds: float, *, clients: int = CLIENTS, gauge: Callable[[], int] = lambda: 0) -> Outcome:
    """Run the writers and readers for so long. Raise what the first of them fails with."""
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
    steady = {name: weight for founder in founders for name, weight in founder.record.weights.items()}
    record = sum((client.record for client in team), Record(dict(steady)))
    return Outcome(record, steady, time.monotonic() - started, gauged)


def _warm_up(pool: ThreadPoolExecutor, team: list["_Client"]) -> None:
    """Let all clients do each thing once, at the same time, so that all processes of the functions are started."""
    for turn in (_Client.upload, _Client.read, _Client.reweigh, _Client.delete):
        list(pool.map(turn, team))
    for client in team:
        client.record = Record()


class _Client:
    """One client, with its own images and random numbers."""

    def __init__(self, pets: Pets, number: int) -> None:
        self._pets, self._rng, self.record = pets, random.Random(number), Record()

    def write(self) -> None:
        """Upload another image, or change or delete one of its own, after a pause."""
        time.sleep(self._rng.uniform(0, 2 * PAUSE))
        own = len(self.record.weights)
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
        self.record.weights[name] = weight
        self.record.writes["uploads"] += 1

    def reweigh(self) -> None:
        """Change the weight of one of its images."""
        name, weight = self._own(), self._weight()
        self._until_done(lambda again: self._pets.reweigh(name, weight))
        self.record.weights[name] = weight
        self.record.writes["new weights"] += 1

    def delete(self) -> None:
        """Delete one of its images."""
        name = self._own()
        self._until_done(lambda again: self._pets.delete(name, again=again))
        del self.record.weights[name]
        self.record.writes["deletes"] += 1

    def read(self) -> None:
        """Draw once."""
        turn = self.record.draws.total()
        self.record.draws[self._until_done(lambda again: self._pets.draw(turn))] += 1

    def _own(self) -> str:
        return self._rng.choice(list(self.record.weights))

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
                self.record.busy, again = self.record.busy + 1, True
                time.sleep(busy.seconds)
