"""`petapi audit`: a chi-square test of N draws against the weights that a service states.

The test fails an exact service in one of 1 / ALARM audits.  `Audit.shift` gives the deviation that it would find.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from petapi_client import chi_square
from petapi_client.api import PetApi
from petapi_client.chi_square import Fit
from petapi_client.problem import Problem
from petapi_client.weights import UNITS

ALARM = 0.001  # a smaller p fails the audit, so one audit in a thousand fails an exact service
POWER = 0.95  # the probability of finding a deviation of size `Audit.shift`
TABLE_MAX = 20  # images that still make a table to read
HEADINGS = ("drawn", "expected", "probability", "image")


class AuditImpossible(Exception):
    """The service cannot be audited.  The message gives the reason and the next step."""


@dataclass(frozen=True, slots=True)
class Law:
    """The stated law of a label: image id -> weight in units.  `total_weight` is their sum."""

    weights: Mapping[str, int]
    total_weight: int = field(init=False, compare=False)

    def __post_init__(self) -> None:
        """Add the weights once: each probability needs their sum."""
        object.__setattr__(self, "total_weight", sum(self.weights.values()))

    def probability(self, image: str) -> float:
        """Return the probability of the image."""
        return self.weights[image] / self.total_weight


@dataclass(frozen=True, slots=True)
class Audit:
    """All draws of a label, the law that they should follow, and the number that stated a wrong probability."""

    label: str
    law: Law
    drawn: Counter[str]
    misstated: int = 0
    count: int = field(init=False)

    def __post_init__(self) -> None:
        """Count the draws once: what is expected of each image needs their number."""
        object.__setattr__(self, "count", self.drawn.total())

    @property
    def fit(self) -> Fit:
        """The fit of the draws to the law."""
        return chi_square.fit(self.drawn, {image: self._expected(image) for image in self.law.weights})

    @property
    def passed(self) -> bool:
        """Whether the draws fit the law and all stated probabilities are right."""
        return self.fit.p >= ALARM and not self.misstated

    def probability(self, image: str) -> float:
        """Return the probability of the image by the law."""
        return self.law.probability(image)

    def deviation(self, image: str) -> float:
        """Return by how many standard deviations the image was drawn too often."""
        p = self.probability(image)
        variance = self.count * p * (1 - p)
        return (self.drawn[image] - self._expected(image)) / variance**0.5 if variance else 0.0

    def shift(self, image: str) -> float:
        """Return the relative change s of the image's probability p that this many draws find with POWER.

        If the other probabilities all change by one factor to make up for it, the chi-square distance between the two
        laws is p s^2 / (1 - p).
        """
        p, freedom = self.probability(image), self.fit.freedom
        found = chi_square.noncentrality(ALARM, POWER, freedom)
        return float((found * (1 - p) / (self.count * p)) ** 0.5)

    def _expected(self, image: str) -> float:
        return self.count * self.probability(image)

    def __str__(self) -> str:
        count, images = self.count, len(self.law.weights)
        lines = [f"{count} draws of {self.label}, which has {images} image{'s' * (images != 1)}", ""]
        if images <= TABLE_MAX:
            lines += [*self._table(), ""]
        lines += [self._power(), "", *self._statistics()]
        if self.misstated:
            lines.append(f"{self.misstated} draws stated another probability than weight / total")
        lines.append(
            "PASSED, as far as this many draws can show" if self.passed else "FAILED: the draws are not as stated"
        )
        return "\n".join(lines)

    def _table(self) -> list[str]:
        """Return how often each image was drawn and how often it should be, the most likely image first."""
        images = sorted(self.law.weights, key=self.probability, reverse=True)
        rows = [(f"{self.drawn[i]}", f"{self._expected(i):.1f}", f"{self.probability(i):.4g}", i) for i in images]
        return [f"{drawn:>8}{expected:>12}{p:>14}  {image}" for drawn, expected, p, image in (HEADINGS, *rows)]

    def _power(self) -> str:
        """Return in plain words which wrong probability this many draws reveal."""
        if not self._cells:
            return "There is nothing to compare. Draw more often, or audit a label with more images."
        count, image = self.count, self._cells[-1]
        p, shift = self.probability(image), self.shift(image)
        wrong = p * (1 - shift) if shift < 1 else p * (1 + shift)
        if wrong > 1:
            return f"{count} draws are too few to show a wrong probability. Draw more often."
        return (
            f"If an image came with probability {wrong:.2g} instead of {p:.2g}, {count} draws would show it "
            f"{POWER:.0%} of the time.\nSmaller differences need more draws."
        )

    def _statistics(self) -> list[str]:
        fit = self.fit
        lines = [
            f"chi-square {fit.chi_square:.2f} with {fit.freedom} degrees of freedom, p = {fit.p:.3g}",
            f"An audit fails if p is below {ALARM}, which happens to an exact service once in {1 / ALARM:,.0f} audits.",
        ]
        if self._cells:
            worst = max(self._cells, key=lambda image: abs(self.deviation(image)))
            lines.append(
                f"farthest off: {worst} drawn {self.drawn[worst]} times, {self._expected(worst):.1f} expected "
                f"(z = {self.deviation(worst):+.2f})"
            )
        return lines

    @property
    def _cells(self) -> list[str]:
        """The images that are compared one by one, the least likely first; none if there is nothing to compare."""
        cells = [image for image in self.law.weights if self._expected(image) >= chi_square.CELL_MIN]
        return sorted(cells, key=self.probability) if self.fit.freedom > 0 else []


def audit(api: PetApi, label: str, count: int) -> Audit:
    """Draw `count` images of the label and test them.  Raise AuditImpossible if its images change meanwhile."""
    law, counts, misstated = law_of(api, label), Counter[str](), 0
    for _ in range(count):
        drawn = api.random(label)
        image = drawn.image.id
        if image not in law.weights:
            raise _changed(label)
        counts[image] += 1
        misstated += drawn.probability != law.probability(image)
    if law_of(api, label) != law:
        raise _changed(label)
    return Audit(label, law, counts, misstated)


def law_of(api: PetApi, label: str) -> Law:
    """Read the weights of the label's images.  Raise AuditImpossible if there are none or they change meanwhile."""
    try:
        pages = list(api.law(label))
    except Problem as problem:
        step = " Name a label that has images." if problem.status == HTTPStatus.NOT_FOUND else ""
        raise AuditImpossible(f"{problem.detail}{step}") from problem
    law = Law({image: int(weight * UNITS) for page in pages for image, (weight, _) in page.images.items()})
    # The total of many weights is the nearest double, and so is this one.
    if {(page.label.count, float(page.label.total_weight)) for page in pages} != {
        (len(law.weights), law.total_weight / UNITS)
    }:
        raise _changed(label)
    return law


def _changed(label: str) -> AuditImpossible:
    return AuditImpossible(f"The images of {label} changed during the audit; repeat it while there are no writes.")
