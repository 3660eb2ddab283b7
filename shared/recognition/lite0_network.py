"""The network of `lite0`: EfficientNet-Lite0 for the 1,000 classes of ImageNet, run by onnxruntime.

The variable LITE0_MODELS names the folder with its files, which `make run` makes (tools/models).
"""

import os
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shared.recognition.detections import Misconfigured
from shared.recognition.onnx_recogniser import Model, probabilities

DEFAULT_FOLDER = "/opt/lite0"  # of a layer
FEATURES = 1280


@dataclass(frozen=True, slots=True)
class Seen:
    """What the network sees in a picture: the probability, 0..1, of each class, and the numbers that it tells by."""

    classes: dict[str, float]
    features: NDArray[np.float64]

    def likeliest(self, count: int) -> dict[str, float]:
        """Return the likeliest classes."""
        return dict(sorted(self.classes.items(), key=lambda each: (-each[1], each[0]))[:count])


@lru_cache(maxsize=1)  # a picture is recognised and then encoded: that is one run
def look(content: bytes, content_type: str) -> Seen:
    """Run the network on the picture. Raise Unrecognisable if it cannot be decoded.

    Two pairs of classes have one name. The probability of a name is their sum.
    """
    loaded = model()
    logits, features = loaded.outputs(content, content_type)
    classes = dict.fromkeys(loaded.names, 0.0)
    for name, probability in zip(loaded.names, probabilities(logits).tolist(), strict=True):
        classes[name] += probability
    return Seen(classes, features)


@cache
def model() -> Model:
    """Load the network once. Raise Misconfigured if its files are not there."""
    return Model(read("lite0.onnx"), read("classes.txt"))


def read(name: str) -> bytes:
    """Read one of the files of `lite0`. Raise Misconfigured if it is not there."""
    folder = Path(os.environ.get("LITE0_MODELS") or DEFAULT_FOLDER)
    try:
        return (folder / name).read_bytes()
    except OSError as error:
        raise Misconfigured(
            f"lite0 needs {error.filename}, which cannot be read: {error.strerror}. "
            "The variable LITE0_MODELS names the folder that it is in; `make run` makes one."
        ) from error
