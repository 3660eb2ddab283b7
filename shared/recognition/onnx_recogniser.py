"""A recogniser by your own classifier: an ONNX model, and a text file with the name of one class per line.

The model has one input of float32. It declares the shape (batch, 3, height, width) or (batch, height, width, 3). It
gets one picture: RGB on white, resized to height and width (224 where the model leaves them open), each channel scaled
to 0..1, minus MEAN, divided by DEVIATION. Its first output has a number for each class. If all numbers are in 0..1,
they count as probabilities. Otherwise they are logits, and softmax turns them into probabilities.
"""

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from shared.pictures import scaling
from shared.recognition import pixels
from shared.recognition.detections import Detection, DetectionLimits, Misconfigured

# Of the channels of ImageNet, which most classifiers are trained on.
MEAN = np.array((0.485, 0.456, 0.406), np.float32)
DEVIATION = np.array((0.229, 0.224, 0.225), np.float32)
SIDE = 224  # pixels, the usual size for ImageNet
GAP = 4  # a picture is first scaled down to this many times the model's size, then resized to it exactly
ROUNDING = 1e-5  # how far a float32 probability may exceed 1


@dataclass(frozen=True, slots=True)
class Shape:
    """The input of a model: its name, and the size and layout of the picture."""

    name: str
    width: int
    height: int
    channels_first: bool


class Model:
    """A loaded model. `digest` is different for each model, each version of it, and other class names.

    `names` are those of its classes.
    """

    def __init__(self, model: bytes, names: bytes) -> None:
        self.digest = sha256(sha256(model).digest() + sha256(names).digest()).hexdigest()[:16]
        self.names = _lines(names)
        self._session = _session(model)
        self._shape = _shape(self._session)

    def recognise(self, content: bytes, content_type: str, *, limits: DetectionLimits) -> list[Detection]:
        """Find the classes of the picture."""
        output = self.outputs(content, content_type)[0]
        if len(output) != len(self.names):
            raise Misconfigured(
                f"RECOGNITION_MODEL_LABELS has {len(self.names)} lines, but the model has {len(output)} classes."
            )
        return limits.best(map(Detection, self.names, (100 * probabilities(output)).tolist()))

    def outputs(self, content: bytes, content_type: str) -> list[NDArray[np.float64]]:
        """Run the model on the picture. Return the numbers of each output."""
        array = _array(content, content_type, self._shape)
        return [np.asarray(output, np.float64).ravel() for output in self._session.run(None, {self._shape.name: array})]


@cache
def model(path: str, names_path: str) -> Model:
    """Load the model in these files once."""
    return Model(_read("RECOGNITION_MODEL", path), _read("RECOGNITION_MODEL_LABELS", names_path))


def probabilities(output: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probabilities, 0..1, that a model's output means."""
    if output.min() >= 0 and output.max() <= 1 + ROUNDING:
        return output.clip(0, 1)
    powers = np.exp(output - output.max())
    return np.asarray(powers / powers.sum())


def _array(content: bytes, content_type: str, shape: Shape) -> NDArray[np.float32]:
    """Convert the picture to the model's input."""
    picture = pixels.small(content, content_type, GAP * max(shape.width, shape.height))
    exact = scaling.on_white(picture).resize((shape.width, shape.height))
    array = ((np.asarray(exact, np.float32) / 255 - MEAN) / DEVIATION).astype(np.float32)
    return np.expand_dims(array.transpose(2, 0, 1) if shape.channels_first else array, 0)


def _shape(session: onnxruntime.InferenceSession) -> Shape:
    """Return the shape of the session's one input. A size that the model leaves open is a name or None."""
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
    raise Misconfigured(f"RECOGNITION_MODEL takes {declared}; it must take tensor(float) {wanted}.")


def _session(content: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # more threads spin while they wait for each other, which costs twice the time
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its exceptions have no narrower common base
        raise Misconfigured(f"RECOGNITION_MODEL is not a model that onnxruntime can load: {error}") from error


def _lines(names: bytes) -> list[str]:
    try:
        return [line.strip() for line in names.decode().splitlines()]
    except UnicodeDecodeError as error:
        raise Misconfigured("RECOGNITION_MODEL_LABELS is not a text file in UTF-8.") from error


def _read(variable: str, path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise Misconfigured(f"{variable} is {path!r}, which cannot be read: {error.strerror}.") from error
