"""Models of Mesmer's graph with random weights on a small body, and single layers of it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

__all__ = ["Layers", "mesmer_graph"]


class Layers:
    """Nodes and random weights of a model."""

    def __init__(self, seed: int = 0) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: dict[str, NDArray[np.float32]] = {"scales": np.array([1, 1, 2, 2], np.float32)}
        self._random = np.random.default_rng(seed)

    def add(self, operator: str, inputs: Sequence[str], output: str, **attributes: object) -> str:
        """Add a node and return its output."""
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def convolution(self, source: str, output: str, shape: Sequence[int], **attributes: object) -> str:
        """Add a convolution with weights that keep the size of what it is given."""
        spread = np.sqrt(2 / np.prod(shape[1:]))
        self.weights[f"{output}/weights"] = (self._random.normal(size=shape) * spread).astype(np.float32)
        self.weights[f"{output}/bias"] = self._random.normal(size=shape[0]).astype(np.float32) * np.float32(0.1)
        margin = shape[-1] // 2
        given = {"pads": [margin] * 4, "kernel_shape": list(shape[2:]), **attributes}
        return self.add("Conv", [source, f"{output}/weights", f"{output}/bias"], output, **given)

    def doubled(self, source: str, **attributes: object) -> str:
        """Add the doubling of rows and columns."""
        given = {"mode": "linear", "coordinate_transformation_mode": "half_pixel", **attributes}
        return self.add("Resize", [source, "", "scales"], f"{source}/doubled", **given)

    def head(self, index: int, source: str, doubling: dict[str, object] | None = None) -> str:
        """Add one head from its features on."""
        first = self.convolution(self.doubled(source), f"first_{index}", (64, 64, 3, 3))
        second = self.convolution(self.doubled(first, **(doubling or {})), f"second_{index}", (64, 64, 3, 3))
        third = self.convolution(self.doubled(second), f"third_{index}", (128, 64, 1, 1))
        rectified = self.add("Relu", [third], f"rectified_{index}")
        last = self.convolution(rectified, f"last_{index}", (1 + index % 2 * 2, 128, 1, 1))
        active = (
            self.add("Softmax", [last], f"active_{index}", axis=1)
            if index % 2
            else self.add("Relu", [last], f"active_{index}")
        )
        return self.add("Transpose", [active], f"semantic_{index}", perm=[0, 2, 3, 1])

    def bottleneck(self, source: str, output: str, channels: tuple[int, int, int], stride: int = 1) -> str:
        """Add a bottleneck with input, middle and output channels; the input is the shortcut where it fits."""
        given, middle, made = channels
        strides = [stride, stride]
        first = self.convolution(source, f"{output}/first", (middle, given, 1, 1), strides=strides)
        rectified = self.add("Relu", [first], f"{output}/first/rectified")
        second = self.convolution(rectified, f"{output}/second", (middle, middle, 3, 3))
        rectified = self.add("Relu", [second], f"{output}/second/rectified")
        third = self.convolution(rectified, f"{output}/third", (made, middle, 1, 1))
        if stride > 1 or given != made:
            source = self.convolution(source, f"{output}/shortcut", (made, given, 1, 1), strides=strides)
        # Converters put the shortcut on either side.
        added = self.add(
            "Add", [source, third] if source.endswith("shortcut") else [third, source], f"{output}/added"
        )
        return self.add("Relu", [added], output)

    def residual_body(self, planes: str) -> str:
        """Add a small body of Mesmer's kind, up to the pyramid's largest map after its convolution."""
        stem = self.convolution(planes, "stem", (64, 2, 5, 5), strides=[4, 4])
        wide = self.bottleneck(self.add("Relu", [stem], "stem_active"), "wide", (64, 64, 128))
        level_3 = self.bottleneck(wide, "level_3", (128, 64, 128), 2)
        half = self.bottleneck(level_3, "half", (128, 64, 192), 2)
        level_4 = self.bottleneck(half, "level_4", (192, 64, 192))
        level_5 = self.bottleneck(level_4, "level_5", (192, 128, 256), 2)
        merged = self.convolution(level_5, "reduced_5", (128, 256, 1, 1))
        for level, name, channels in ((level_4, "4", 192), (level_3, "3", 128)):
            doubled = self.doubled(merged)
            reduced = self.convolution(level, f"reduced_{name}", (128, channels, 1, 1))
            merged = self.add("Add", [reduced, doubled], f"merged_{name}")
        return self.convolution(merged, "smooth", (128, 128, 3, 3))

    def model(self, name: str, shape: Sequence[int], outputs: dict[str, Sequence[int]]) -> bytes:
        """Return an ONNX model with one input."""
        graph = helper.make_graph(
            self.nodes,
            "layers",
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", *shape])],
            [helper.make_tensor_value_info(key, TensorProto.FLOAT, ["n", *size]) for key, size in outputs.items()],
            [numpy_helper.from_array(values, key) for key, values in self.weights.items()],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
        onnx.checker.check_model(model)
        return bytes(model.SerializeToString())

    def computed(self, given: NDArray[np.float32], outputs: dict[str, Sequence[int]]) -> list[Any]:
        """Return what ONNX Runtime makes of ``given``, the input ``source``."""
        import onnxruntime  # not where a container image is built, which takes graphs alone

        session = onnxruntime.InferenceSession(self.model("source", given.shape[1:], outputs))
        return list(session.run(list(outputs), {"source": given}))


def mesmer_graph(
    seed: int = 0, *, step: int = 8, doubling: dict[str, object] | None = None, residual: bool = False
) -> bytes:
    """Return a model with Mesmer's input, heads and outputs.

    Parameters
    ----------
    seed
        Of the weights.
    step
        Pixels from one value of the features to the next; Mesmer has 8.
    doubling
        Attributes of the second doubling that shall differ.
    residual
        Whether the body is of Mesmer's kind too, rather than one convolution.
    """
    layers = Layers(seed)
    planes = layers.add("Transpose", ["input_0"], "planes", perm=[0, 3, 1, 2])
    if residual:
        common, channels = layers.residual_body(planes), 128
    else:
        begin = layers.convolution(planes, "common", (64, 2, 9, 9), strides=[step, step])
        common, channels = layers.add("Relu", [begin], "common_active"), 64
    for index in range(4):
        features = layers.convolution(common, f"features_{index}", (64, channels, 3, 3))
        layers.head(index, features, doubling)
    sizes = {f"semantic_{index}": (256, 256, 1 + index % 2 * 2) for index in range(4)}
    return layers.model("input_0", (256, 256, 2), sizes)
