"""What is to be seen on a picture: the labels that the recogniser of the environment finds.

| variable                   | value                                                                            |
|----------------------------|----------------------------------------------------------------------------------|
| RECOGNISER                 | colours (the default), rekognition or onnx                                       |
| RECOGNITION_MIN_CONFIDENCE | percent, 0 to 100: labels below it are left out; 70, of colours 10, if not given |
| RECOGNITION_MAX_LABELS     | 1 to 100: the strongest labels are kept; 10 if not given                         |
| RECOGNITION_MODEL          | onnx: the path of the model                                                      |
| RECOGNITION_MODEL_LABELS   | onnx: the path of a text file with the name of one class a line                  |
"""

import os
from functools import partial
from typing import TYPE_CHECKING

from detections import DetectionLimits, Misconfigured, Recognise
from shared import aws

if TYPE_CHECKING:
    from onnx_labels import Model

MIN_CONFIDENCE = {"colours": 10.0, "rekognition": 70.0, "onnx": 70.0}  # percent; few pictures have 70 % of one colour
MAX_LABELS = 10
MAX_LABELS_MAX = 100  # labels: a result is one item of the cache, of some kilobytes at most


def chosen() -> Recognise:
    """The recogniser that the environment names; Misconfigured if it names none.

    Each comes with libraries that the others do not wait for.
    """
    limits = _limits()
    if _kind() == "rekognition":
        from rekognition_labels import Rekognition

        return Rekognition(aws.rekognition(), limits).recognise
    if _kind() == "onnx":
        return partial(_model().recognise, limits=limits)
    import colours

    return partial(colours.recognise, limits=limits)


def identity() -> str:
    """What tells the chosen recogniser from one that may find other labels: name, limits and the model's digest."""
    limits = _limits()
    model = [_model().digest] if _kind() == "onnx" else []
    return " ".join([_kind(), f"{limits.min_confidence}%", str(limits.max_detections), *model])


def _kind() -> str:
    kind = os.environ.get("RECOGNISER") or "colours"
    if kind not in MIN_CONFIDENCE:
        raise Misconfigured(f"RECOGNISER is {kind!r}; it has to be one of {', '.join(MIN_CONFIDENCE)}.")
    return kind


def _limits() -> DetectionLimits:
    return DetectionLimits(
        _number("RECOGNITION_MIN_CONFIDENCE", MIN_CONFIDENCE[_kind()], 0, 100),
        int(_number("RECOGNITION_MAX_LABELS", MAX_LABELS, 1, MAX_LABELS_MAX, whole=True)),
    )


def _number(variable: str, default: float, least: int, most: int, *, whole: bool = False) -> float:
    """The value of a variable; `default` if it is not set, or is empty."""
    text = os.environ.get(variable) or str(default)
    try:
        value = int(text) if whole else float(text)
    except ValueError:
        value = -1
    if not least <= value <= most:
        raise Misconfigured(f"{variable} is {text!r}; it has to be a {'whole ' * whole}number from {least} to {most}.")
    return value


def _model() -> "Model":
    paths = [os.environ.get(variable) for variable in ("RECOGNITION_MODEL", "RECOGNITION_MODEL_LABELS")]
    if not all(paths):
        raise Misconfigured("RECOGNISER=onnx needs the paths RECOGNITION_MODEL and RECOGNITION_MODEL_LABELS.")
    try:
        import onnx_labels
    except ModuleNotFoundError as error:
        raise Misconfigured(f"RECOGNISER=onnx needs {error.name}: pip install onnxruntime installs it.") from error
    return onnx_labels.model(*map(str, paths))
