"""What recognisers return and raise: detections with their confidence, and the limits of what is worth showing."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Detection:
    """Something that a recogniser finds on a picture; `confidence` is in percent, from 0 to 100."""

    name: str
    confidence: float


Recognise = Callable[[bytes, str], list[Detection]]  # (content, media type) -> detections, the strongest first


class Unrecognisable(Exception):
    """A picture that no recogniser will ever take: unsupported, broken or too large; the message is a sentence."""


class UnrecognisableNow(Unrecognisable):
    """A picture that took too much time or memory, which another container may have."""


class RecognitionUnavailable(Exception):
    """The recogniser is busy or out of reach. The same picture may succeed a little later."""


class Misconfigured(Exception):
    """An environment variable is wrong or missing; the message names it and says what it must be."""


@dataclass(frozen=True, slots=True)
class DetectionLimits:
    """Which detections are worth showing; `min_confidence` is in percent."""

    min_confidence: float
    max_detections: int

    def best(self, detections: Iterable[Detection]) -> list[Detection]:
        """Return the detections within the limits: the strongest first, equally strong ones by name."""
        sure = [detection for detection in detections if detection.confidence >= self.min_confidence]
        return sorted(sure, key=lambda detection: (-detection.confidence, detection.name))[: self.max_detections]
