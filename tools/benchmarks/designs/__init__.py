"""Five ways to keep a label's images, with one interface: add one, remove one, draw one."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from tools.benchmarks.capacity import Usage
from tools.benchmarks.designs import flat, petapi, s3_chunks, totals_item, uniform_chunks
from tools.benchmarks.designs.rows import Clients, Shares


class State(Protocol):
    """A label in memory, changed by the design's rules; `stored` is what the engine would have."""

    def add(self, name: str, weight: int) -> None:
        """Upload an image."""

    def remove(self, name: str) -> None:
        """Delete an image."""

    def stored(self) -> dict[str, list[Any]]:
        """Return all items by table, or for S3 all objects."""


class Label(Protocol):
    """A label on the engine."""

    def create(self) -> None:
        """Create the tables or buckets."""

    def load(self, stored: dict[str, list[Any]]) -> None:
        """Store what was made in memory."""

    def add(self, name: str, weight: int) -> None:
        """Upload an image."""

    def remove(self, name: str) -> None:
        """Delete an image."""

    def draw(self) -> str:
        """Return the name of a random image."""


@dataclass(frozen=True, slots=True)
class Design:
    """A design. `law` returns each image's share of the draws, `costs` what operations cost at a size.

    `costs` is None where the design is impossible.
    """

    title: str
    state: Callable[[], State]
    label: Callable[[Clients, random.Random], Label]
    law: Callable[[dict[str, list[Any]]], Shares]
    costs: Callable[[int], dict[str, Usage] | None]


DESIGNS = {
    "flat": Design("whole label by Query", flat.State, flat.Label, flat.law, flat.costs),
    "s3_chunks": Design("chunk files in S3", s3_chunks.State, s3_chunks.Label, s3_chunks.law, s3_chunks.costs),
    "uniform_chunks": Design(
        "uniform chunk", uniform_chunks.State, uniform_chunks.Label, uniform_chunks.law, uniform_chunks.costs
    ),
    "totals_item": Design(
        "chunk totals in one item", totals_item.State, totals_item.Label, totals_item.law, totals_item.costs
    ),
    "petapi": Design("petAPI", petapi.State, petapi.Label, petapi.law, petapi.costs),
}
