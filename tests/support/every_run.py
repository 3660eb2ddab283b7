"""All runs of a program that takes random numbers, each with its probability, and the law that they must have."""

import random
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import permutations, product
from typing import TypeVar

T = TypeVar("T")


def law(weights: dict[str, int], count: int, *, distinct: bool) -> dict[tuple[str, ...], Fraction]:
    """Return the exact probability of each ordered result."""
    probabilities = {}
    for answer in permutations(weights, count) if distinct else product(weights, repeat=count):
        left, probability = sum(weights.values()), Fraction(1)
        for name in answer:
            probability *= Fraction(weights[name], left)
            left -= weights[name] if distinct else 0
        probabilities[answer] = probability
    return probabilities


class Path(random.Random):
    """A generator of these numbers and then zeros.  `choices` has the number of values that each could have had."""

    def __init__(self, taken: list[int]) -> None:
        super().__init__(0)
        self.taken, self.choices = taken, list[int]()

    def randrange(self, stop: int) -> int:  # type: ignore[override]
        self.choices.append(stop)
        return self.taken[len(self.choices) - 1] if len(self.choices) <= len(self.taken) else 0


def every_run(run: Callable[[random.Random], T]) -> Iterator[tuple[T, Fraction]]:
    """Yield the outcome and the probability of each run, for all possible random numbers."""
    waiting: list[list[int]] = [[]]
    while waiting:
        path = Path(waiting.pop())
        outcome = run(path)
        probability = Fraction(1)
        for stop in path.choices:
            probability /= stop
        yield outcome, probability
        for at in range(len(path.taken), len(path.choices)):
            before = path.taken + [0] * (at - len(path.taken))
            waiting += [[*before, other] for other in range(1, path.choices[at])]
