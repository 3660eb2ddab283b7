"""How far a design's draws are from the right distribution, weight / total."""

import math
import random
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import accumulate

from petapi_client import chi_square
from petapi_client.audit import ALARM, POWER
from tools.benchmarks.designs import Design, State, petapi
from tools.benchmarks.designs.rows import Shares
from tools.benchmarks.weights import weights

DRAWS = 50_000
CELLS = 100  # groups of images of about the same probability, so that each cell expects many draws


def distance(shares: Shares, right: Mapping[str, int]) -> float:
    """Return the total variation distance of two distributions, given by shares. It is exactly 0 if they are equal."""
    if shares == right:
        return 0.0
    all_shares, total = float(sum(shares.values())), sum(right.values())
    return sum(abs(float(shares.get(name, 0)) / all_shares - weight / total) for name, weight in right.items()) / 2


def states(design: Design, kind: str, count: int) -> Iterator[tuple[str, State, dict[str, int]]]:
    """Yield (name, state, weights) of a label with so many images, after one more upload, and after deleting half."""
    rng, state = random.Random(count), design.state()
    left = weights(kind, count + 1, rng)
    *first, last = left
    for name in first:
        state.add(name, left[name])
    yield "full", state, {name: left[name] for name in first}
    state.add(last, left[last])
    yield "one more", state, left
    for name in rng.sample(list(left), (count + 1) // 2):
        state.remove(name)
        del left[name]
    yield "half deleted", state, left


def sampled(state: petapi.State, right: Mapping[str, int]) -> float:
    """Return the p-value of DRAWS draws by the shipped code."""
    drawn = Counter(state.draw() for _ in range(DRAWS))
    cells, total = _cells(right), sum(right.values())
    observed: Counter[str] = Counter()
    expected: dict[str, float] = {}
    for name, weight in right.items():
        observed[cells[name]] += drawn[name]
        expected[cells[name]] = expected.get(cells[name], 0.0) + DRAWS * weight / total
    return chi_square.p_value(observed, expected)


@cache
def found() -> float:
    """Return the total variation distance between the cells that the test detects with probability POWER.

    A distribution at distance d has a chi-square distance of at least 4 d^2 (Cauchy and Schwarz).
    """
    return math.sqrt(chi_square.noncentrality(ALARM, POWER, CELLS - 1) / DRAWS) / 2


def _cells(right: Mapping[str, int]) -> dict[str, str]:
    """Return name -> cell. Images are sorted by weight, and a new cell begins at each hundredth of the total."""
    names = sorted(right, key=lambda name: (right[name], name))
    total = sum(right.values())
    sums = accumulate(right[name] for name in names)
    return {name: str((so_far - 1) * CELLS // total) for name, so_far in zip(names, sums, strict=True)}
