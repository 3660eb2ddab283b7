"""A recogniser without a model: it finds the names of a picture's colours, each with its share in percent."""

from collections import Counter
from typing import cast

from shared.recognition import palette, pixels
from shared.recognition.detections import Detection, DetectionLimits

SIDE = 64  # pixels: each of the 4,096 must be named, and they give a share to a fortieth of a percent
OPAQUE = 128  # of 255: pixels that are less than half opaque count as invisible


def recognise(content: bytes, content_type: str, *, limits: DetectionLimits) -> list[Detection]:
    """Find the colours of the visible pixels of the picture, scaled down. A transparent picture has none."""
    picture = pixels.small(content, content_type, SIDE).convert("RGBA")
    shares: Counter[str] = Counter()
    for count, pixel in picture.getcolors(SIDE * SIDE) or ():
        red, green, blue, alpha = cast("tuple[int, int, int, int]", pixel)
        if alpha >= OPAQUE:
            shares[palette.name((red, green, blue))] += count
    return limits.best(Detection(name, 100 * count / shares.total()) for name, count in shares.items())
