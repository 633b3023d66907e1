"""A network of a few operations with Mesmer's input and outputs: it finds bright spots, and shows that a run works.

Nuclei are what is bright in the first channel, cells what is bright in both together. Interior is the brightness
averaged over 5 x 5 pixels and stretched, maxima are that averaged over 9 x 9 pixels more. The model is written as the
protocol buffers of ONNX, because the library that makes models is no dependency.
"""

from collections.abc import Sequence

import numpy as np

from cellscale.predict.onnx_file.building import declared_input, declared_output, model, node, tensor
from cellscale.predict.onnx_file.joining import CHANNELS, INPUT

__all__ = ["tiny_network"]


def tiny_network() -> bytes:
    """Return the content of an ``.onnx`` file."""
    content = [node("Transpose", [INPUT], "planes", perm=[0, 3, 1, 2])]
    content += _compartment("whole", (0.5, 0.5), "semantic_0", "semantic_1")
    content += _compartment("nuclear", (1.0, 0.0), "semantic_2", "semantic_3")
    content += [declared_input(INPUT, CHANNELS)]
    content += [declared_output(f"semantic_{index}", 1 + index % 2 * 2) for index in range(4)]
    return model("tiny", content)


def _compartment(name: str, mix: Sequence[float], maxima: str, classes: str) -> list[bytes]:
    """Return the nodes and weights that make one compartment's two outputs."""

    def own(*parts: str) -> list[str]:
        return [f"{name}_{part}" for part in parts]

    near = np.array(mix, np.float32).reshape(1, -1, 1, 1) * np.full((1, 1, 5, 5), 1 / 25, np.float32)
    return [
        tensor(f"{name}_near", near),
        tensor(f"{name}_far", np.full((1, 1, 9, 9), 1 / 81, np.float32)),
        tensor(f"{name}_gain", np.array(4, np.float32)),
        tensor(f"{name}_one", np.array(1, np.float32)),
        node("Conv", ["planes", f"{name}_near"], f"{name}_smooth", pads=[2, 2, 2, 2]),
        node("Mul", own("smooth", "gain"), f"{name}_bright"),
        node("Min", own("bright", "one"), f"{name}_interior"),
        node("Conv", own("interior", "far"), f"{name}_maxima", pads=[4, 4, 4, 4]),
        node("Transpose", own("maxima"), maxima, perm=[0, 2, 3, 1]),
        node("Sub", own("one", "interior"), f"{name}_outside"),
        node("Concat", own("outside", "interior", "outside"), f"{name}_classes", axis=1),
        node("Transpose", own("classes"), classes, perm=[0, 2, 3, 1]),
    ]
