"""The chi-square test for draws: its p-value, and the deviation that it can find."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

CELL_MIN = 5.0  # expected draws of a cell; cells that expect fewer are combined, if need be with the next larger one


@dataclass(frozen=True, slots=True)
class Fit:
    """The statistic, its degrees of freedom, and the probability that exact draws reach this statistic."""

    chi_square: float
    freedom: int
    p: float


def fit(observed: Mapping[str, int], expected: Mapping[str, float]) -> Fit:
    """Compare the draws with the law.  p is 1 if there is only one cell."""
    cells = [(observed.get(name, 0), e) for name, e in expected.items() if e >= CELL_MIN]
    small = [(observed.get(name, 0), e) for name, e in expected.items() if e < CELL_MIN]
    if small:
        rest = sum(o for o, _ in small), sum(e for _, e in small)
        if cells and rest[1] < CELL_MIN:  # one draw of what hardly ever comes would be a large statistic
            least = min(cells, key=lambda cell: cell[1])
            cells.remove(least)
            rest = rest[0] + least[0], rest[1] + least[1]
        cells.append(rest)
    freedom = len(cells) - 1
    chi_square = sum((o - e) ** 2 / e for o, e in cells)
    return Fit(chi_square, freedom, survival(chi_square, freedom) if freedom > 0 else 1.0)


def p_value(observed: Mapping[str, int], expected: Mapping[str, float]) -> float:
    """Return the probability that exact draws fit the law as badly as these."""
    return fit(observed, expected).p


def survival(chi_square: float, freedom: int) -> float:
    """Return the probability that a chi-square variable is larger: a finite sum (Abramowitz and Stegun, 26.4.4-5)."""
    half = chi_square / 2
    if half <= 0:
        return 1.0
    start = freedom % 2 / 2
    tail = math.erfc(math.sqrt(half)) if start else 0.0
    return min(1.0, tail + sum(_term(half, start + i) for i in range((freedom - freedom % 2) // 2)))


def critical(alarm: float, freedom: int) -> float:
    """Return the statistic that exact draws exceed with this probability."""
    low, high = 0.0, freedom + 1.0
    while survival(high, freedom) > alarm:
        high *= 2
    return _bisect(lambda chi_square: survival(chi_square, freedom) < alarm, low, high)


def noncentrality(alarm: float, power: float, freedom: int) -> float:
    """Return the number of draws times the chi-square distance of two laws at which the test has this power.

    Under the other law, the statistic is a Poisson mixture of chi-square variables with 0, 2, 4, .. more degrees of
    freedom.
    """
    half = critical(alarm, freedom) / 2

    def found(noncentral: float) -> bool:
        mean, tail, chance = noncentral / 2, survival(2 * half, freedom), 0.0
        for j in range(int(mean + 12 * math.sqrt(mean) + 30)):
            chance += _term(mean, j) * min(1.0, tail)
            tail += _term(half, freedom / 2 + j)
        return chance >= power

    high = 1.0
    while not found(high):
        high *= 2
    return _bisect(found, 0.0, high)


def _term(half: float, i: float) -> float:
    """Return e^-h h^i / Gamma(i + 1), where h is `half`."""
    return math.exp(i * math.log(half) - half - math.lgamma(i + 1))


def _bisect(above: Callable[[float], bool], low: float, high: float) -> float:
    """Return the number between `low` and `high` from which on `above` holds."""
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if above(middle) else (middle, high)
    return high
