"""A recogniser by EfficientNet-Lite0: the classes of ImageNet that it sees in a picture, without a network."""

from shared.recognition import lite0_network
from shared.recognition.detections import Detection, DetectionLimits


def recognise(content: bytes, content_type: str, *, limits: DetectionLimits) -> list[Detection]:
    """Find the classes of the picture."""
    classes = lite0_network.look(content, content_type).classes
    return limits.best(Detection(name, 100 * probability) for name, probability in classes.items())


def digest() -> str:
    """Return what differs for another network or other names of classes."""
    return lite0_network.model().digest
