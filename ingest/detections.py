"""What recognisers give and raise: labels with their confidence, and which of them are worth telling."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Label:
    """Something that is seen on a picture; `confidence` is in percent, from 0 to 100."""

    name: str
    confidence: float


Recognise = Callable[[bytes, str], list[Label]]  # (content, media type) -> labels, the strongest first


class Unrecognisable(Exception):
    """This picture will never have labels: unsupported, broken or too large; the text is a sentence that says so."""


class RecognitionUnavailable(Exception):
    """The recogniser is busy or out of reach; the same picture may succeed a little later."""


class Misconfigured(Exception):
    """A variable of the environment has to be corrected; the text names it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Which labels are worth telling; `min_confidence` is in percent."""

    min_confidence: float
    max_labels: int

    def best(self, labels: Iterable[Label]) -> list[Label]:
        """Those within the limits, the strongest first, equally strong ones by name."""
        sure = [label for label in labels if label.confidence >= self.min_confidence]
        return sorted(sure, key=lambda label: (-label.confidence, label.name))[: self.max_labels]
