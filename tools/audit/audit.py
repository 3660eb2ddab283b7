"""Whether a service draws as it says: N draws against the weights that it tells, by a chi-square test.

The verdict is wrong about an exact service once in 1 / ALARM audits; `Audit.shift` says what it would find.
"""

from collections import Counter
from dataclasses import dataclass, field

from tools.audit import chi_square
from tools.audit.chi_square import Fit
from tools.audit.service import AuditImpossible, Law, Service

ALARM = 0.001  # p below this is taken for proof; so an exact service is blamed by one audit in a thousand
POWER = 0.95


@dataclass(frozen=True, slots=True)
class Audit:
    """Draws of a label, the law that they should follow, and how many told another probability than it has."""

    label: str
    law: Law
    drawn: Counter[str] = field(default_factory=Counter)
    misstated: int = 0

    @property
    def fit(self) -> Fit:
        """How the draws fit the law."""
        return chi_square.fit(self.drawn, {image: self._expected(image) for image in self.law.weights})

    @property
    def passed(self) -> bool:
        """Whether there is nothing to blame the service for."""
        return self.fit.p >= ALARM and not self.misstated

    def probability(self, image: str) -> float:
        """The image's, by the law."""
        return self.law.weights[image] / self.law.total_weight

    def deviation(self, image: str) -> float:
        """How many standard deviations the image was drawn too often."""
        p = self.probability(image)
        variance = self.drawn.total() * p * (1 - p)
        return (self.drawn[image] - self._expected(image)) / variance**0.5 if variance else 0.0

    def shift(self, image: str) -> float:
        """The relative change of the image's probability that as many draws would find with POWER.

        With all others' changed alike to make up for it, the law is p s^2 / (1 - p) away: chi-square's distance.
        """
        p, freedom = self.probability(image), self.fit.freedom
        found = chi_square.noncentrality(ALARM, POWER, freedom)
        return float((found * (1 - p) / (self.drawn.total() * p)) ** 0.5)

    def _expected(self, image: str) -> float:
        return self.drawn.total() * self.probability(image)

    def __str__(self) -> str:
        fit, count = self.fit, self.drawn.total()
        lines = [
            f"{count} draws of {self.label}: {len(self.law.weights)} images",
            f"chi-square {fit.chi_square:.2f} with {fit.freedom} degrees of freedom, p = {fit.p:.3g}",
        ]
        alone = sorted((i for i in self.law.weights if self._expected(i) >= chi_square.CELL_MIN), key=self.probability)
        if fit.freedom > 0 and alone:
            worst = max(alone, key=lambda image: abs(self.deviation(image)))
            lines += [
                f"worst: {worst} drawn {self.drawn[worst]} times, {self._expected(worst):.1f} expected "
                f"(z = {self.deviation(worst):+.2f})",
                f"an exact service fails one audit in {1 / ALARM:.0f}; found with a chance of {POWER:.0%}:",
                *(
                    f"  probability {self.probability(image):.3g} changed by {self.shift(image):.1%} of it: {image}"
                    for image in dict.fromkeys((alone[-1], alone[0]))
                ),
            ]
        if self.misstated:
            lines.append(f"{self.misstated} draws told another probability than weight / total")
        lines.append("as told, as far as so many draws can tell" if self.passed else "NOT as told")
        return "\n".join(lines)


def audit(service: Service, label: str, count: int) -> Audit:
    """So many draws of the label; AuditImpossible if its images change meanwhile."""
    found = Audit(label, service.law(label))
    misstated = 0
    for image, told in service.draws(label, count):
        if image not in found.law.weights:
            raise _changed(label)
        found.drawn[image] += 1
        misstated += told != found.probability(image)
    if service.law(label) != found.law:
        raise _changed(label)
    return Audit(label, found.law, found.drawn, misstated)


def _changed(label: str) -> AuditImpossible:
    return AuditImpossible(f"The images of {label} changed during the audit; audit it again when nobody writes.")
