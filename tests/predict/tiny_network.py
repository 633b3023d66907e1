"""A deterministic network of a few operations with Mesmer's input and outputs, for tests of the plumbing."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

__all__ = ["tiny_network", "write_tiny_network"]


def write_tiny_network(path: Path, *, surround: int = 0) -> Path:
    """Write the network to ``path`` and return it."""
    path.write_bytes(tiny_network(surround=surround))
    return path


def tiny_network(*, size: int = 256, channels: int = 2, input_name: str = "input_0", surround: int = 0) -> bytes:
    """Return an ONNX model whose maps find bright spots: nuclei in channel 0, cells in both channels together.

    Interior is the brightness averaged over 5 x 5 pixels and stretched, maxima that averaged over 9 x 9 pixels more.
    With a ``surround``, an odd number of pixels, brightness is what exceeds the average over that many pixels a
    side: crowded tissue comes apart into cells then. Other sizes, channels and names make models to be refused.
    """
    rest = [0.0] * (channels - 2)
    whole = _compartment("whole", [0.5, 0.5, *rest], "semantic_0", "semantic_1", surround)
    nuclear = _compartment("nuclear", [1.0, 0.0, *rest], "semantic_2", "semantic_3", surround)
    nodes = [helper.make_node("Transpose", [input_name], ["planes"], perm=[0, 3, 1, 2]), *whole[0], *nuclear[0]]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(input_name, TensorProto.FLOAT, ["n", size, size, channels])],
        [
            helper.make_tensor_value_info(
                f"semantic_{index}", TensorProto.FLOAT, ["n", size, size, 1 + index % 2 * 2]
            )
            for index in range(4)
        ],
        [*whole[1], *nuclear[1]],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def _compartment(
    name: str, mix: list[float], maxima: str, classes: str, surround: int
) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """Return the nodes and the weights that make one compartment's two outputs."""
    weights = {
        "near": np.array(mix, np.float32).reshape(1, -1, 1, 1) * _box(5),
        "across": np.full((1, 1, 1, max(surround, 1)), 1 / max(surround, 1), np.float32),
        "down": np.full((1, 1, max(surround, 1), 1), 1 / max(surround, 1), np.float32),
        "far": _box(9),
        "gain": np.array(4, np.float32),
        "one": np.array(1, np.float32),
    }
    tensors = [numpy_helper.from_array(values, f"{name}_{key}") for key, values in weights.items()]

    def node(kind: str, inputs: list[str], output: str, **attributes: object) -> onnx.NodeProto:
        return helper.make_node(kind, [f"{name}_{i}" if i != "planes" else i for i in inputs], [output], **attributes)

    nodes = [
        node("Conv", ["planes", "near"], f"{name}_smooth", pads=[2, 2, 2, 2]),
        *(_contrast(node, name, surround // 2) if surround else []),
        node("Mul", ["contrast" if surround else "smooth", "gain"], f"{name}_bright"),
        node("Min", ["bright", "one"], f"{name}_interior"),
        node("Conv", ["interior", "far"], f"{name}_maxima", pads=[4, 4, 4, 4]),
        node("Transpose", ["maxima"], maxima, perm=[0, 2, 3, 1]),
        node("Sub", ["one", "interior"], f"{name}_outside"),
        node("Concat", ["outside", "interior", "outside"], f"{name}_classes", axis=1),
        node("Transpose", ["classes"], classes, perm=[0, 2, 3, 1]),
    ]
    return nodes, tensors


def _contrast(node: Callable[..., onnx.NodeProto], name: str, reach: int) -> list[onnx.NodeProto]:
    """Return the nodes that subtract the average of the surroundings."""
    return [
        node("Conv", ["smooth", "across"], f"{name}_wide", pads=[0, reach, 0, reach]),
        node("Conv", ["wide", "down"], f"{name}_surround", pads=[reach, 0, reach, 0]),
        node("Sub", ["smooth", "surround"], f"{name}_difference"),
        node("Relu", ["difference"], f"{name}_contrast"),
    ]


def _box(size: int) -> NDArray[np.float32]:
    """Return the kernel of a moving average."""
    return np.full((1, 1, size, size), 1 / size**2, np.float32)
