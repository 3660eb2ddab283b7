"""EfficientNet-Lite0 as an ONNX model: 1,000 classes of ImageNet, and the 1,280 numbers from which it tells them.

The architecture: https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite. What is easily got
wrong, because a network with a mistake in it still gives plausible classes: the padding is TensorFlow's SAME (of an odd
number of rows, the larger part comes behind), and the variance of a batch normalisation has 0.001 added.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from tools.models.weights import Weights

SIDE = 224  # pixels of the input
CLASSES, FEATURES = 1000, 1280
EPSILON = 1e-3
# Repeats and first stride of each stage of blocks. Kernels and channels are those of the weights.
STAGES = ((1, 1), (2, 2), (2, 2), (3, 2), (3, 1), (4, 2), (1, 1))
OPSET, IR_VERSION = 13, 8  # onnxruntime 1.15 (2023) and later run these

Array = NDArray[np.float32]


def model(weights: Weights) -> bytes:
    """Return the model: `picture` (1, 3, 224, 224) -> `logits` (1, 1000), `features` (1, 1280).

    The same weights give the same bytes.
    """
    graph = _Graph(weights)
    value = graph.convolution("picture", "_conv_stem", "_bn0", stride=2)
    for number, stride in enumerate(_strides()):
        value = graph.block(value, f"_blocks.{number}", stride)
    value = graph.convolution(value, "_conv_head", "_bn1")
    graph.add("GlobalAveragePool", [value], "means")
    graph.add("Flatten", ["means"], "features")
    inputs = ["features", graph.constant("_fc.weight"), graph.constant("_fc.bias")]
    graph.add("Gemm", inputs, "logits", transB=1)
    return graph.serialised()


def _strides() -> Iterator[int]:
    """Yield the stride of each block."""
    for repeats, stride in STAGES:
        yield from (stride, *(1,) * (repeats - 1))


@dataclass(slots=True)
class _Graph:
    """A graph of ONNX under construction. Values and constants are named after the weights."""

    weights: Weights
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: dict[str, onnx.TensorProto] = field(default_factory=dict)

    def add(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        """Add a node. Return the name of its output."""
        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    def constant(self, name: str, value: Array | None = None) -> str:
        """Add a constant, by default the weight of this name. Return its name."""
        array = self.weights[name] if value is None else value
        self.constants[name] = numpy_helper.from_array(np.asarray(array, np.float32), name)
        return name

    def block(self, value: str, name: str, stride: int) -> str:
        """Add an inverted residual block: widen, filter each channel by itself, narrow. The first does not widen."""
        before = value
        if f"{name}._expand_conv.weight" in self.weights:
            value = self.convolution(value, f"{name}._expand_conv", f"{name}._bn0")
        value = self.convolution(value, f"{name}._depthwise_conv", f"{name}._bn1", stride=stride, by_channel=True)
        value = self.convolution(value, f"{name}._project_conv", f"{name}._bn2", limited=False)
        if stride == 1 and self._does_not_change_channels(name):
            return self.add("Add", [value, before], f"{name}.sum")
        return value

    def _does_not_change_channels(self, block: str) -> bool:
        narrowing = self.weights[f"{block}._project_conv.weight"]
        widening = self.weights.get(f"{block}._expand_conv.weight")
        before = len(narrowing[0]) if widening is None else len(widening[0])
        return len(narrowing) == before

    def convolution(
        self, value: str, name: str, norm: str, *, stride: int = 1, by_channel: bool = False, limited: bool = True
    ) -> str:
        """Add a convolution with its batch normalisation, and ReLU6 behind it unless it is not `limited`."""
        kernel, bias = self._normalised(name, norm)
        inputs = [value, self.constant(f"{name}.weight", kernel), self.constant(f"{name}.bias", bias)]
        group, sides = (len(kernel) if by_channel else 1), list(kernel.shape[2:])
        value = self.add(
            "Conv", inputs, name, group=group, kernel_shape=sides, strides=[stride, stride], auto_pad="SAME_UPPER"
        )
        if not limited:
            return value
        limits = [self.constant("zero", np.array(0)), self.constant("six", np.array(6))]
        return self.add("Clip", [value, *limits], f"{name}.limited")

    def _normalised(self, name: str, norm: str) -> tuple[Array, Array]:
        """Return kernel and bias of a convolution that does its normalisation as well: both are linear."""
        mean, variance, gain, shift = (
            self.weights[f"{norm}.{part}"].astype(np.float64)
            for part in ("running_mean", "running_var", "weight", "bias")
        )
        scale = gain / np.sqrt(variance + EPSILON)
        kernel = self.weights[f"{name}.weight"] * scale[:, None, None, None]
        return kernel.astype(np.float32), (shift - mean * scale).astype(np.float32)

    def serialised(self) -> bytes:
        """Return the bytes of the model."""
        values = {"picture": [1, 3, SIDE, SIDE], "logits": [1, CLASSES], "features": [1, FEATURES]}
        made = {name: helper.make_tensor_value_info(name, TensorProto.FLOAT, size) for name, size in values.items()}
        graph = helper.make_graph(
            self.nodes, "lite0", [made["picture"]], [made["logits"], made["features"]], [*self.constants.values()]
        )
        result = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
        onnx.checker.check_model(result)
        return bytes(result.SerializeToString(deterministic=True))
