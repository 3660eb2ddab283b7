"""Labels without a model: the names of a picture's colours, each with its share of the picture in percent."""

from collections import Counter
from typing import cast

import palette
import pixels
from detections import Detection, DetectionLimits

SIDE = 64  # pixels: 4,096 of them tell a share to a fortieth of a percent, and each has to be named
OPAQUE = 128  # of 255: what is less opaque than half is not seen


def recognise(content: bytes, content_type: str, *, limits: DetectionLimits) -> list[Detection]:
    """The colours of what can be seen of the picture, scaled down; none if it is transparent all over."""
    picture = pixels.small(content, content_type, SIDE).convert("RGBA")
    shares: Counter[str] = Counter()
    for count, pixel in picture.getcolors(SIDE * SIDE) or ():
        red, green, blue, alpha = cast("tuple[int, int, int, int]", pixel)
        if alpha >= OPAQUE:
            shares[palette.name((red, green, blue))] += count
    return limits.best(Detection(name, 100 * count / shares.total()) for name, count in shares.items())
