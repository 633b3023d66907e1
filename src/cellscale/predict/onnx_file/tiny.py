"""A network of a few operations with Mesmer's input and outputs: it finds bright spots, and shows that a run works.

Nuclei are what is bright in the first channel, cells what is bright in both together. Interior is the brightness
averaged over 5 x 5 pixels and stretched, maxima are that averaged over 9 x 9 pixels more. The model is written as the
protocol buffers of ONNX (field numbers from its onnx.proto), because the library that makes models is no dependency.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cellscale.predict.onnx_file.joining import CHANNELS, INPUT
from cellscale.predict.onnx_file.protobuf import encoded_field
from cellscale.predict.tiles import TILE

__all__ = ["tiny_network"]

_IR_VERSION, _OPSET = 8, 15
_FLOAT, _INTEGER, _INTEGERS = 1, 2, 7
"""Element type of tensors, and types of attributes."""


def tiny_network() -> bytes:
    """Return the content of an ``.onnx`` file."""
    content = [_node("Transpose", [INPUT], "planes", perm=[0, 3, 1, 2])]
    content += _compartment("whole", (0.5, 0.5), "semantic_0", "semantic_1")
    content += _compartment("nuclear", (1.0, 0.0), "semantic_2", "semantic_3")
    content += [encoded_field(2, "tiny"), _value(11, INPUT, CHANNELS)]
    content += [_value(12, f"semantic_{index}", 1 + index % 2 * 2) for index in range(4)]
    opset = encoded_field(1, "") + encoded_field(2, _OPSET)
    return encoded_field(1, _IR_VERSION) + encoded_field(7, b"".join(content)) + encoded_field(8, opset)


def _compartment(name: str, mix: Sequence[float], maxima: str, classes: str) -> list[bytes]:
    """Return the nodes and weights that make one compartment's two outputs."""

    def own(*parts: str) -> list[str]:
        return [f"{name}_{part}" for part in parts]

    near = np.array(mix, np.float32).reshape(1, -1, 1, 1) * np.full((1, 1, 5, 5), 1 / 25, np.float32)
    return [
        _tensor(f"{name}_near", near),
        _tensor(f"{name}_far", np.full((1, 1, 9, 9), 1 / 81, np.float32)),
        _tensor(f"{name}_gain", np.array(4, np.float32)),
        _tensor(f"{name}_one", np.array(1, np.float32)),
        _node("Conv", ["planes", f"{name}_near"], f"{name}_smooth", pads=[2, 2, 2, 2]),
        _node("Mul", own("smooth", "gain"), f"{name}_bright"),
        _node("Min", own("bright", "one"), f"{name}_interior"),
        _node("Conv", own("interior", "far"), f"{name}_maxima", pads=[4, 4, 4, 4]),
        _node("Transpose", own("maxima"), maxima, perm=[0, 2, 3, 1]),
        _node("Sub", own("one", "interior"), f"{name}_outside"),
        _node("Concat", own("outside", "interior", "outside"), f"{name}_classes", axis=1),
        _node("Transpose", own("classes"), classes, perm=[0, 2, 3, 1]),
    ]


def _node(operator: str, inputs: Sequence[str], output: str, **attributes: int | list[int]) -> bytes:
    content = b"".join(encoded_field(1, name) for name in inputs) + encoded_field(2, output)
    content += encoded_field(4, operator)
    return encoded_field(1, content + b"".join(encoded_field(5, _attribute(*one)) for one in attributes.items()))


def _attribute(name: str, value: int | list[int]) -> bytes:
    if isinstance(value, int):
        return encoded_field(1, name) + encoded_field(3, value) + encoded_field(20, _INTEGER)
    return encoded_field(1, name) + b"".join(encoded_field(8, one) for one in value) + encoded_field(20, _INTEGERS)


def _tensor(name: str, values: NDArray[np.float32]) -> bytes:
    content = b"".join(encoded_field(1, size) for size in values.shape) + encoded_field(2, _FLOAT)
    return encoded_field(5, content + encoded_field(8, name) + encoded_field(9, values.astype("<f4").tobytes()))


def _value(number: int, name: str, channels: int) -> bytes:
    """Return the declaration of an input or output: any number of tiles."""
    sizes = [encoded_field(2, "n"), *(encoded_field(1, size) for size in (TILE, TILE, channels))]
    shape = b"".join(encoded_field(1, size) for size in sizes)
    tensor = encoded_field(1, _FLOAT) + encoded_field(2, shape)
    return encoded_field(number, encoded_field(1, name) + encoded_field(2, encoded_field(1, tensor)))
