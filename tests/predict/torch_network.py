"""The tiny network as PyTorch would export it: channels before rows, and all eight maps in one output."""

import onnx
from onnx import TensorProto, helper

from tests.predict.tiny_network import tiny_network

__all__ = ["torch_network"]


def torch_network(*, channels=8, batch="n", given="input", order=(2, 3, 0, 1)):
    """Return an ONNX model with the maps of `tiny_network`, those of nuclei first as Mesmer's successor has them.

    Parameters
    ----------
    channels
        Maps that it returns, from the first on.
    batch
        Tiles that it takes.
    given
        Name of its input.
    order
        The outputs of `tiny_network` in the order of the maps.
    """
    model = onnx.load_from_string(tiny_network(input_name="tiles"))
    names = [f"semantic_{index}" for index in order]
    nodes = [
        helper.make_node("Transpose", [given], ["tiles"], perm=[0, 2, 3, 1]),
        *model.graph.node,
        helper.make_node("Concat", names, ["joined"], axis=3),
        helper.make_node("Transpose", ["joined"], ["all"], perm=[0, 3, 1, 2]),
        helper.make_node("Slice", ["all", "from", "to", "along"], ["maps"]),
    ]
    numbers = {"from": 0, "to": channels, "along": 1}
    weights = [helper.make_tensor(name, TensorProto.INT64, [1], [value]) for name, value in numbers.items()]
    graph = helper.make_graph(
        nodes,
        "torch",
        [helper.make_tensor_value_info(given, TensorProto.FLOAT, [batch, 2, 256, 256])],
        [helper.make_tensor_value_info("maps", TensorProto.FLOAT, [batch, channels, 256, 256])],
        [*model.graph.initializer, *weights],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
    onnx.checker.check_model(made)
    return bytes(made.SerializeToString())
