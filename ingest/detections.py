"""What recognisers give and raise: detections with their confidence, and which of them are worth showing."""

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


class RecognitionUnavailable(Exception):
    """The recogniser is busy or out of reach; the same picture may succeed a little later."""


class Misconfigured(Exception):
    """A variable of the environment has to be corrected; the text names it."""


@dataclass(frozen=True, slots=True)
class DetectionLimits:
    """Which detections are worth showing; `min_confidence` is in percent."""

    min_confidence: float
    max_detections: int

    def best(self, detections: Iterable[Detection]) -> list[Detection]:
        """Those within the limits, the strongest first, equally strong ones by name."""
        sure = [detection for detection in detections if detection.confidence >= self.min_confidence]
        return sorted(sure, key=lambda detection: (-detection.confidence, detection.name))[: self.max_detections]
