"""The chi-square test, for draws."""

from collections.abc import Mapping
from statistics import NormalDist


def p_value(observed: Mapping[str, int], expected: Mapping[str, float]) -> float:
    """Of the chi-square test (Wilson and Hilferty 1931); cells below 5 are put together.  1 if only one is left."""
    cells = [(observed.get(name, 0), e) for name, e in expected.items() if e >= 5]
    small = [(observed.get(name, 0), e) for name, e in expected.items() if e < 5]
    if small:
        cells.append((sum(o for o, _ in small), sum(e for _, e in small)))
    freedom = len(cells) - 1
    if freedom < 1:
        return 1.0
    chi2 = sum((o - e) ** 2 / e for o, e in cells)
    z = ((chi2 / freedom) ** (1 / 3) - (1 - 2 / (9 * freedom))) / (2 / (9 * freedom)) ** 0.5
    return 1 - NormalDist().cdf(z)
