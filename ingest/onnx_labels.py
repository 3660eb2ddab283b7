"""Labels by a classifier of one's own: an ONNX model, and a text file with the name of one class a line.

The model has one input of float32 that is (batch, 3, height, width) or (batch, height, width, 3), as it declares, and
gets one picture: RGB on white, resized to height and width (224 where they are open), each channel scaled to 0..1, less
MEAN, by DEVIATION.  Its first output has a number for each class.  Numbers that are all in 0..1 are taken as
probabilities; others are logits, and softmax makes probabilities of them.
"""

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

import pixels
from detections import Detection, DetectionLimits, Misconfigured
from shared.pictures import scaling

# Of ImageNet's channels: what most classifiers are trained with.
MEAN = np.array((0.485, 0.456, 0.406), np.float32)
DEVIATION = np.array((0.229, 0.224, 0.225), np.float32)
SIDE = 224  # pixels, likewise
GAP = 4  # a picture is scaled down to so many times the model's size first, then resized to it exactly
ROUNDING = 1e-5  # what a float32 probability may exceed 1 by


@dataclass(frozen=True, slots=True)
class Shape:
    """What a model wants a picture to be, and what it calls it."""

    name: str
    width: int
    height: int
    channels_first: bool


class Model:
    """A model, loaded once. `digest` tells it from others, and from another version of itself."""

    def __init__(self, model: bytes, names: bytes) -> None:
        self.digest = sha256(sha256(model).digest() + sha256(names).digest()).hexdigest()[:16]
        self._names = _lines(names)
        self._session = _session(model)
        self._shape = _shape(self._session)

    def recognise(self, content: bytes, content_type: str, *, limits: DetectionLimits) -> list[Detection]:
        """The classes that the model finds."""
        array = _array(content, content_type, self._shape)
        output = np.asarray(self._session.run(None, {self._shape.name: array})[0], np.float64).ravel()
        if len(output) != len(self._names):
            raise Misconfigured(
                f"RECOGNITION_MODEL_LABELS has {len(self._names)} lines, but the model has {len(output)} classes."
            )
        return limits.best(map(Detection, self._names, (100 * probabilities(output)).tolist()))


@cache
def model(path: str, names_path: str) -> Model:
    """The model in these files."""
    return Model(_read("RECOGNITION_MODEL", path), _read("RECOGNITION_MODEL_LABELS", names_path))


def probabilities(output: NDArray[np.float64]) -> NDArray[np.float64]:
    """The probabilities, 0..1, that a model's output stands for."""
    if output.min() >= 0 and output.max() <= 1 + ROUNDING:
        return output.clip(0, 1)
    powers = np.exp(output - output.max())
    return np.asarray(powers / powers.sum())


def _array(content: bytes, content_type: str, shape: Shape) -> NDArray[np.float32]:
    picture = pixels.small(content, content_type, GAP * max(shape.width, shape.height))
    exact = scaling.on_white(picture).resize((shape.width, shape.height))
    array = ((np.asarray(exact, np.float32) / 255 - MEAN) / DEVIATION).astype(np.float32)
    return np.expand_dims(array.transpose(2, 0, 1) if shape.channels_first else array, 0)


def _shape(session: onnxruntime.InferenceSession) -> Shape:
    """What the session's one input is; sizes that are open are names or None."""
    given = session.get_inputs()
    sizes = [size if isinstance(size, int) else None for size in given[0].shape]
    if len(given) == 1 and given[0].type == "tensor(float)":
        match sizes:
            case [1 | None, 3, height, width]:
                return Shape(given[0].name, width or SIDE, height or SIDE, channels_first=True)
            case [1 | None, height, width, 3]:
                return Shape(given[0].name, width or SIDE, height or SIDE, channels_first=False)
    declared = " and ".join(f"{each.type} {each.shape}" for each in given)
    wanted = "[1, 3, height, width] or [1, height, width, 3]"
    raise Misconfigured(f"RECOGNITION_MODEL takes {declared}; it has to take tensor(float) {wanted}.")


def _session(content: bytes) -> onnxruntime.InferenceSession:
    try:
        return onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    except Exception as error:  # its own ones have no common base but this
        raise Misconfigured(f"RECOGNITION_MODEL is no model that onnxruntime can load: {error}") from error


def _lines(names: bytes) -> list[str]:
    try:
        return [line.strip() for line in names.decode().splitlines()]
    except UnicodeDecodeError as error:
        raise Misconfigured("RECOGNITION_MODEL_LABELS is no text file in UTF-8.") from error


def _read(variable: str, path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise Misconfigured(f"{variable} is {path!r}, which cannot be read: {error.strerror}.") from error
