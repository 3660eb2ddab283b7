"""The recogniser that the environment chooses, and its limits.

| variable                   | value                                                                                |
|----------------------------|--------------------------------------------------------------------------------------|
| RECOGNISER                 | colours (the default), rekognition, onnx or lite0                                    |
| RECOGNITION_MIN_CONFIDENCE | percent, 0 to 100: weaker detections are left out; MIN_CONFIDENCE has the defaults   |
| RECOGNITION_MAX_LABELS     | 1 to 100: how many of the strongest detections are kept; the default is 10           |
| RECOGNITION_MODEL          | onnx: the path of the model                                                          |
| RECOGNITION_MODEL_LABELS   | onnx: the path of a text file with the name of one class per line                    |
| LITE0_MODELS               | lite0: the folder with its files; the default is /opt/lite0                          |
"""

import os
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING

from shared import aws
from shared.pictures.bucket import LOOK
from shared.recognition.detections import DetectionLimits, Misconfigured, Recognise

if TYPE_CHECKING:
    from shared.recognition.onnx_recogniser import Model

# Percent. Few pictures are 70 % one colour. With 5, lite0 gives a picture 3 labels; 70 would name one picture in eight.
MIN_CONFIDENCE = {"colours": 10.0, "rekognition": 70.0, "onnx": 70.0, "lite0": 5.0}
MAX_DETECTIONS = 10
MOST_DETECTIONS = 100  # a result is one item of the cache, of some kilobytes at most


def chosen() -> Recognise:
    """Return the recogniser that the environment names. Raise Misconfigured if it names none that can work.

    Each is imported only here, because it has libraries that the others do not need.
    """
    limits = _limits()
    if _kind() == "rekognition":
        from shared.recognition.rekognition_recogniser import Rekognition

        return Rekognition(aws.rekognition(), limits).recognise
    if _kind() == "onnx":
        return partial(_model().recognise, limits=limits)
    if _kind() == "lite0":
        return partial(_lite0().recognise, limits=limits)
    from shared.recognition import colours

    return partial(colours.recognise, limits=limits)


def sees_small_pictures() -> bool:
    """Return whether a JPEG of 1,024 pixels is as good as the picture itself. Models and Rekognition may need more."""
    return _kind() == "lite0"


def identity() -> str:
    """Return name, look, limits and the model's digest, which differ for recognisers that may find other things."""
    limits = _limits()
    return " ".join([_kind(), LOOK, f"{limits.min_confidence}%", str(limits.max_detections), *_digests()])


def _digests() -> list[str]:
    """Return the digest of the recogniser's model, if it has one."""
    if _kind() == "onnx":
        return [_model().digest]
    return [_lite0().digest()] if _kind() == "lite0" else []


def _kind() -> str:
    kind = os.environ.get("RECOGNISER") or "colours"
    if kind not in MIN_CONFIDENCE:
        raise Misconfigured(f"RECOGNISER is {kind!r}; it must be one of {', '.join(MIN_CONFIDENCE)}.")
    return kind


def _limits() -> DetectionLimits:
    return DetectionLimits(
        _number("RECOGNITION_MIN_CONFIDENCE", MIN_CONFIDENCE[_kind()], 0, 100),
        int(_number("RECOGNITION_MAX_LABELS", MAX_DETECTIONS, 1, MOST_DETECTIONS, whole=True)),
    )


def _number(variable: str, default: float, least: int, most: int, *, whole: bool = False) -> float:
    """Return the number in a variable, or `default` if the variable is absent or empty."""
    text = os.environ.get(variable) or str(default)
    try:
        value = int(text) if whole else float(text)
    except ValueError:
        value = -1
    if not least <= value <= most:
        raise Misconfigured(f"{variable} is {text!r}; it must be a {'whole ' * whole}number from {least} to {most}.")
    return value


def _model() -> "Model":
    paths = [os.environ.get(variable) for variable in ("RECOGNITION_MODEL", "RECOGNITION_MODEL_LABELS")]
    if not all(paths):
        raise Misconfigured("RECOGNISER=onnx needs the paths RECOGNITION_MODEL and RECOGNITION_MODEL_LABELS.")
    try:
        from shared.recognition import onnx_recogniser
    except ModuleNotFoundError as error:
        raise Misconfigured(f"RECOGNISER=onnx needs {error.name}; install it with pip install onnxruntime.") from error
    return onnx_recogniser.model(*map(str, paths))


def _lite0() -> ModuleType:
    try:
        from shared.recognition import lite0_recogniser
    except ModuleNotFoundError as error:
        raise Misconfigured(f"RECOGNISER=lite0 needs {error.name}; `make run` installs it.") from error
    return lite0_recogniser
