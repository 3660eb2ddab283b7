"""The recogniser by an ONNX model: a tiny one made here, whose classes are the colours of a picture's left edge."""

import math
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from shared.recognition.detections import Detection, Misconfigured, Unrecognisable
from shared.recognition.recognisers import chosen, identity
from tests.support import pictures

WHY = "THE RECOGNISER BY ONNX IS NOT TESTED: install what it needs with `pip install onnx onnxruntime`"
onnx = pytest.importorskip("onnx", reason=WHY)
pytest.importorskip("onnxruntime", reason=WHY)

from shared.recognition import onnx_recogniser  # noqa: E402 (it needs the second)

NAMES = ["red thing", "green thing", "blue thing"]
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
WIDTH, HEIGHT = 8, 4
LEFT_RED = Image.new("RGB", (300, 200), "blue")
LEFT_RED.paste("red", (0, 0, 150, 200))
PNG = pictures.saved(LEFT_RED, "PNG")


def made(
    *,
    channels_first: bool = True,
    softmax: bool = False,
    shape: list[Any] | None = None,
    kind: str = "FLOAT",
    inputs: int = 1,
) -> bytes:
    """Make a model whose outputs are the three channels of the left column, each the mean over the rows."""
    helper, tensors = onnx.helper, onnx.TensorProto
    usual = [1, 3, HEIGHT, WIDTH] if channels_first else [1, HEIGHT, WIDTH, 3]
    rows, columns = (2, 3) if channels_first else (1, 2)
    nodes = [
        helper.make_node("Slice", ["picture", "zero", "one", "columns"], ["left"]),
        helper.make_node("ReduceMean", ["left"], ["means"], axes=[rows, columns], keepdims=0),
        helper.make_node("Softmax" if softmax else "Identity", ["means"], ["classes"]),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [
            helper.make_tensor_value_info(name, getattr(tensors, kind), shape or usual)
            for name in ("picture", "another")[:inputs]
        ],
        [helper.make_tensor_value_info("classes", getattr(tensors, kind), [None, 3])],
        [
            helper.make_tensor(name, tensors.INT64, [1], [value])
            for name, value in (("zero", 0), ("one", 1), ("columns", columns))
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    return bytes(model.SerializeToString())


@pytest.fixture(autouse=True)
def _configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(tmp_path, monkeypatch, made())
    monkeypatch.setenv("RECOGNITION_MIN_CONFIDENCE", "0")
    monkeypatch.delenv("RECOGNITION_MAX_LABELS", raising=False)


def configure(folder: Path, monkeypatch: pytest.MonkeyPatch, model: bytes, names: str = "\n".join(NAMES)) -> None:
    """Set the environment of a new Lambda container."""
    (folder / "model.onnx").write_bytes(model)
    (folder / "names.txt").write_text(names)
    monkeypatch.setenv("RECOGNISER", "onnx")
    monkeypatch.setenv("RECOGNITION_MODEL", str(folder / "model.onnx"))
    monkeypatch.setenv("RECOGNITION_MODEL_LABELS", str(folder / "names.txt"))
    onnx_recogniser.model.cache_clear()


def expected(colour: tuple[float, float, float]) -> list[Detection]:
    """Compute the detections by hand: ImageNet's normalisation, then softmax."""
    powers = [math.exp((value - mean) / by) for value, mean, by in zip(colour, MEAN, DEVIATION, strict=True)]
    detections = [Detection(name, 100 * power / sum(powers)) for name, power in zip(NAMES, powers, strict=True)]
    return sorted(detections, key=lambda detection: -detection.confidence)


def assert_near(found: list[Detection], wanted: list[Detection]) -> None:
    assert [detection.name for detection in found] == [detection.name for detection in wanted]
    confidences = [detection.confidence for detection in wanted]
    assert [detection.confidence for detection in found] == pytest.approx(confidences, abs=0.01)


@pytest.mark.parametrize("softmax", [False, True], ids=["logits", "probabilities"])
@pytest.mark.parametrize("channels_first", [True, False], ids=["NCHW", "NHWC"])
def test_the_detections_are_the_models_classes(
    channels_first: bool, softmax: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(tmp_path, monkeypatch, made(channels_first=channels_first, softmax=softmax))
    assert_near(chosen()(PNG, "image/png"), expected((1, 0, 0)))


@pytest.mark.parametrize("shape", [[1, 3, "height", "width"], ["batch", 3, 224, 224], [None, 3, None, None]], ids=str)
def test_a_size_that_the_model_leaves_open_is_that_of_imagenet(
    shape: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(tmp_path, monkeypatch, made(shape=shape))
    assert_near(chosen()(PNG, "image/png"), expected((1, 0, 0)))


def test_a_transparent_picture_is_seen_on_white() -> None:
    clear = pictures.saved(Image.new("RGBA", (10, 10)), "WEBP", lossless=True)
    assert_near(chosen()(clear, "image/webp"), expected((1, 1, 1)))


def test_the_limits_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECOGNITION_MIN_CONFIDENCE", "70")
    assert [detection.name for detection in chosen()(PNG, "image/png")] == ["red thing"]
    monkeypatch.setenv("RECOGNITION_MIN_CONFIDENCE", "0")
    monkeypatch.setenv("RECOGNITION_MAX_LABELS", "2")
    assert len(chosen()(PNG, "image/png")) == 2


def test_independent_probabilities_stay_as_they_are() -> None:
    independent = onnx_recogniser.np.array([0.9, 0.8, 0.0])
    assert list(onnx_recogniser.probabilities(independent)) == [0.9, 0.8, 0.0]
    assert sum(onnx_recogniser.probabilities(1000 * independent)) == pytest.approx(1)


def test_another_model_or_other_names_have_another_identity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = {identity()}
    assert identity() in found
    configure(tmp_path, monkeypatch, made(softmax=True))
    found.add(identity())
    configure(tmp_path, monkeypatch, made(softmax=True), "a\nb\nc")
    found.add(identity())
    assert len(found) == 3


def test_a_broken_picture_is_unrecognisable() -> None:
    with pytest.raises(Unrecognisable, match="broken"):
        chosen()(PNG[:200], "image/png")


@pytest.mark.parametrize(
    ("model", "names", "why"),
    [
        (b"junk", "a\nb\nc", "RECOGNITION_MODEL is not a model"),
        (made(shape=[1, 1, 4, 8]), "a\nb\nc", "RECOGNITION_MODEL takes"),
        (made(shape=[2, 3, 4, 8]), "a\nb\nc", "RECOGNITION_MODEL takes"),
        (made(kind="DOUBLE"), "a\nb\nc", "RECOGNITION_MODEL takes"),
        (made(inputs=2), "a\nb\nc", "RECOGNITION_MODEL takes .* and "),
        (made(), "a\nb", "RECOGNITION_MODEL_LABELS has 2 lines, but the model has 3 classes"),
    ],
    ids=["no model", "one channel", "two at once", "doubles", "two inputs", "too few names"],
)
def test_a_model_that_does_not_fit_is_named(
    model: bytes, names: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(tmp_path, monkeypatch, model, names)
    with pytest.raises(Misconfigured, match=why):
        chosen()(PNG, "image/png")


def test_a_file_of_names_that_is_not_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Misconfigured, match="RECOGNITION_MODEL_LABELS is not a text file"):
        chosen()


@pytest.mark.parametrize("variable", ["RECOGNITION_MODEL", "RECOGNITION_MODEL_LABELS"])
def test_a_missing_file_is_named(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "nowhere/at-all")
    with pytest.raises(Misconfigured, match=f"{variable} is 'nowhere/at-all', which cannot be read"):
        chosen()
