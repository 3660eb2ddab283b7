"""The files of `lite0`: how weights are read, that the network is the published one, and that builds are alike."""

import io
import os
import pickle
import subprocess
import sys
from collections import OrderedDict
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray

from tests.support import lite0_models
from tests.support.cloud import ROOT
from tools.models import network, weights
from tools.models.weights import NotTheWeights

# A made picture, and every 125th logit and every 160th feature that the network gives for it.
MADE = np.sin(np.arange(3 * 224 * 224) / 97).reshape(1, 3, 224, 224).astype(np.float32)
LOGITS = [-1.39003, -0.13694, -0.58705, -2.32902, -0.8828, -0.73473, -0.5123, 0.52902]
FEATURES = [0.33181, 0.0, 0.0, 0.21721, 0.0, 0.21295, 0.0, 0.0]
NEAR = 1e-3

# The SHA-256 of the model by the version of onnx that makes it.
DIGESTS = {"1.23.2": "450b22e72a8e95035c1c2c6306295e14529a68032d564355a3b6a288cee453b3"}


def run(model: bytes) -> tuple[NDArray[Any], NDArray[Any]]:
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    logits, features = session.run(None, {"picture": MADE})
    return logits[0], features[0]


# -- the network ------------------------------------------------------------------------------------------------------


def test_the_network_gives_the_pinned_numbers() -> None:
    logits, features = run((lite0_models.folder() / "lite0.onnx").read_bytes())
    assert logits[::125] == pytest.approx(LOGITS, abs=NEAR)
    assert features[::160] == pytest.approx(FEATURES, abs=NEAR)
    assert (logits.shape, features.shape, int(logits.argmax())) == ((1000,), (1280,), 549)


def test_another_epsilon_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "EPSILON", 1e-5)
    logits, _ = run(network.model(weights.read(weights.installed())))
    assert np.abs(logits[::125] - LOGITS).max() > 100 * NEAR


def test_another_padding_would_be_noticed() -> None:
    model = onnx.load(lite0_models.folder() / "lite0.onnx")
    for attribute in (each for node in model.graph.node for each in node.attribute if each.name == "auto_pad"):
        attribute.s = b"SAME_LOWER"
    logits, _ = run(model.SerializeToString())
    assert np.abs(logits[::125] - LOGITS).max() > 100 * NEAR


def test_every_weight_has_its_place_in_the_network() -> None:
    read = weights.read(weights.installed())
    used = onnx.load(lite0_models.folder() / "lite0.onnx").graph.initializer
    kernels = {name for name in read if name.endswith(("conv.weight", "_conv_stem.weight", "_conv_head.weight"))}
    assert kernels <= {each.name for each in used}
    assert len(read) == 296


def test_the_same_weights_give_the_same_bytes() -> None:
    made = (lite0_models.folder() / "lite0.onnx").read_bytes()
    assert network.model(weights.read(weights.installed())) == made
    assert sha256(made).hexdigest() == DIGESTS.get(onnx.__version__, sha256(made).hexdigest())


def test_there_is_a_name_for_each_class() -> None:
    names = (lite0_models.folder() / "classes.txt").read_text().splitlines()
    assert (len(names), len(set(names))) == (1000, 998)
    assert (names[88], names[437]) == ("macaw", "lighthouse")


# -- the file of weights ----------------------------------------------------------------------------------------------


def test_another_file_is_refused() -> None:
    content = weights.installed()
    for other in (b"", content[:-1], content[:-1] + bytes([content[-1] ^ 1])):
        with pytest.raises(NotTheWeights, match="SHA-256"):
            weights.check(other)


def test_a_package_with_another_file_makes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "packages" / weights.PACKAGE / weights.FILE
    file.parent.mkdir(parents=True)
    file.write_bytes(b"other weights")
    (tmp_path / "packages" / weights.PACKAGE / "__init__.py").write_text("raise SystemExit('the package was run')")

    done = make(tmp_path / "made", {"PYTHONPATH": str(tmp_path / "packages")})

    assert done.returncode == 1
    assert "SHA-256" in done.stderr
    assert not (tmp_path / "made").exists()


def test_a_missing_package_is_named(tmp_path: Path) -> None:
    done = make(tmp_path / "made", {}, "-S")
    assert done.returncode == 1
    assert not (tmp_path / "made").exists()


def make(folder: Path, variables: dict[str, str], *options: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, *options, "-m", "tools.models", str(folder)]
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, **variables}, capture_output=True, text=True, check=False
    )


class Evil:
    """An object whose pickle calls a function."""

    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        self._call = function, arguments

    def __reduce__(self) -> tuple[Any, ...]:
        return self._call


@pytest.mark.parametrize("place", range(5))
@pytest.mark.parametrize(
    "function", [os.mkdir, eval, getattr, bytearray, OrderedDict.fromkeys], ids=lambda each: each.__name__
)
def test_a_pickle_may_name_tensors_only(place: int, function: Callable[..., object], tmp_path: Path) -> None:
    """Five pickles begin the file; none of them may call anything else."""
    parts: list[object] = [weights.MAGIC, weights.VERSION, {}, OrderedDict(), []]
    parts[place] = Evil(function, str(tmp_path / "made"))
    content = b"".join(pickle.dumps(part, protocol=2) for part in parts)
    with pytest.raises(pickle.UnpicklingError, match="no part of a tensor"):
        weights.read(content)
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("name", ["torch.nn.Linear", "torch.load", "torch.storage.FloatStorage", "os.system"])
def test_other_names_of_torch_are_refused(name: str) -> None:
    module, _, attribute = name.rpartition(".")
    pickled = b"\x80\x02c" + f"{module}\n{attribute}\n".encode() + b"."
    with pytest.raises(pickle.UnpicklingError, match=f"name {name}, which"):
        weights.read(pickled)


def test_another_format_is_refused() -> None:
    for content in (pickle.dumps(1) + pickle.dumps(2), pickle.dumps(weights.MAGIC) + pickle.dumps(1002)):
        with pytest.raises(pickle.UnpicklingError, match="begins with"):
            weights.read(content)


@pytest.fixture
def torch(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Stand in for the parts of PyTorch that a file of tensors names."""
    package, utilities = ModuleType("torch"), ModuleType("torch._utils")

    def rebuild(*_: object) -> None:
        raise AssertionError("a reader needs no PyTorch")

    rebuild.__module__, rebuild.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    utilities._rebuild_tensor_v2 = rebuild  # type: ignore[attr-defined]
    for name in ("FloatStorage", "LongStorage"):
        setattr(package, name, type(name, (), {"__module__": "torch"}))
    monkeypatch.setitem(sys.modules, "torch", package)
    monkeypatch.setitem(sys.modules, "torch._utils", utilities)
    return package


def file_of(torch: Any, tensors: dict[str, tuple[Any, ...]], storages: dict[str, NDArray[Any]]) -> bytes:
    """Write a file as PyTorch would: tensors are (storage's key, first number, sizes, strides)."""
    rebuild = sys.modules["torch._utils"]._rebuild_tensor_v2

    class Tensor:
        def __init__(self, key: str, *view: object) -> None:
            self.storage, self.view = ("storage", key), view

        def __reduce__(self) -> tuple[Any, ...]:
            return rebuild, (Storage(self.storage[1]), *self.view, False, OrderedDict())

    class Storage:
        def __init__(self, key: str) -> None:
            self.key = key

    class Pickler(pickle.Pickler):
        def persistent_id(self, thing: Any) -> Any:
            if not isinstance(thing, Storage):
                return None
            numbers = storages[thing.key]
            kind = torch.FloatStorage if numbers.dtype == np.float32 else torch.LongStorage
            return ("storage", kind, thing.key, "cpu", len(numbers), None)

    file = io.BytesIO()
    named = OrderedDict((name, Tensor(*view)) for name, view in tensors.items())
    for part in (weights.MAGIC, weights.VERSION, {"little_endian": True}, named, list(storages)):
        Pickler(file, protocol=2).dump(part)
    for numbers in storages.values():
        file.write(len(numbers).to_bytes(8, "little") + numbers.tobytes())
    return file.getvalue()


def test_tensors_are_views_of_their_storages(torch: Any) -> None:
    storages = {"a": np.arange(12, dtype=np.float32), "b": np.array([7], np.int64)}
    tensors = {
        "whole": ("a", 0, (3, 4), (4, 1)),
        "turned": ("a", 0, (4, 3), (1, 4)),
        "part": ("a", 5, (2, 2), (4, 1)),
        "count": ("b", 0, (), ()),
    }
    read = weights.read(file_of(torch, tensors, storages))
    whole = np.arange(12).reshape(3, 4)
    assert read["whole"].tolist() == whole.tolist()
    assert read["turned"].tolist() == whole.T.tolist()
    assert read["part"].tolist() == whole[1:, 1:3].tolist()
    assert read["count"].tolist() == 7


@pytest.mark.parametrize("view", [("a", 0, (13,), (1,)), ("a", 1, (3, 4), (4, 1)), ("a", 0, (3,), (6,))], ids=str)
def test_a_tensor_beyond_its_storage_is_refused(view: tuple[Any, ...], torch: Any) -> None:
    content = file_of(torch, {"beyond": view}, {"a": np.arange(12, dtype=np.float32)})
    with pytest.raises(pickle.UnpicklingError, match="beyond its numbers"):
        weights.read(content)
