"""A graph that computes anything else than Mesmer's heads do is not taken for Mesmer's."""

from collections.abc import Callable

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from cellscale.predict.heads import MESMER_HEADS
from cellscale.predict.native.graph import Graph
from cellscale.predict.native.native_network import mesmer_heads
from tests.predict.native.mesmer_graph import mesmer_graph

Change = Callable[[onnx.GraphProto], object]


def node(graph: onnx.GraphProto, output: str) -> onnx.NodeProto:
    return next(one for one in graph.node if output in one.output)


def attribute(output: str, name: str, value: object) -> Change:
    """Return a change of one node's attribute."""

    def change(graph: onnx.GraphProto) -> None:
        found = node(graph, output)
        others = [one for one in found.attribute if one.name != name]
        del found.attribute[:]
        found.attribute.extend([*others, helper.make_attribute(name, value)])

    return change


def constant(name: str, values: np.ndarray) -> Change:
    """Return a change of a constant."""

    def change(graph: onnx.GraphProto) -> None:
        next(one for one in graph.initializer if one.name == name).CopyFrom(numpy_helper.from_array(values, name))

    return change


def operator(output: str, name: str) -> Change:
    """Return a change of what a node does."""

    def change(graph: onnx.GraphProto) -> None:
        node(graph, output).op_type = name

    return change


def without_bias(graph: onnx.GraphProto) -> None:
    node(graph, "third_2").input.pop()


def with_sizes(graph: onnx.GraphProto) -> None:
    node(graph, "first_0/doubled").input.append("sizes")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (attribute("first_0/doubled", "mode", "cubic"), "first_0/doubled has mode cubic; expected linear"),
        (attribute("second_3/doubled", "coordinate_transformation_mode", "asymmetric"), "asymmetric; expected half_"),
        (attribute("second_3", "strides", [2, 2]), r"strides \(2, 2\); expected \(1, 1\)"),
        (attribute("first_1", "dilations", [2, 2]), r"dilations \(2, 2\)"),
        (attribute("first_1", "group", 2), "group 2"),
        (attribute("first_1", "pads", [0, 0, 2, 2]), r"pads \(0, 0, 2, 2\); expected \(1, 1, 1, 1\)"),
        (attribute("first_1", "auto_pad", "SAME_UPPER"), "auto_pad SAME_UPPER"),
        (attribute("active_1", "axis", 2), "active_1 has axis 2; expected 1"),
        (attribute("semantic_2", "perm", [0, 3, 2, 1]), "perm"),
        (constant("scales", np.array([1, 1, 2, 3], np.float32)), "does not double"),
        (constant("first_1/bias", np.zeros(64, np.float64)), "first_1/bias is not an array of float32"),
        (constant("second_1/weights", np.zeros((64, 64, 5, 5), np.float32)), r"\[64, 64, 5, 5\]; expected \[64, 64"),
        (operator("rectified_0", "Sigmoid"), "rectified_0 comes from Sigmoid; expected Relu"),
        (operator("active_3", "Sigmoid"), "active_3 comes from Sigmoid; expected Softmax"),
        (without_bias, "third_2 has 2 inputs"),
        (with_sizes, "does not double"),
    ],
)
def test_another_head_is_told_from_mesmers(change: Change, reason: str) -> None:
    model = onnx.load_from_string(mesmer_graph())
    change(model.graph)
    with pytest.raises(ValueError, match=reason):
        mesmer_heads(model.SerializeToString(), MESMER_HEADS)


def test_names_of_nodes_and_order_of_attributes_do_not_matter() -> None:
    model = onnx.load_from_string(mesmer_graph())
    for number, found in enumerate(model.graph.node):
        found.name = f"{number}"
        attributes = list(found.attribute)[::-1]
        del found.attribute[:]
        found.attribute.extend(attributes)
    expected = mesmer_heads(mesmer_graph(), MESMER_HEADS)
    for one, other in zip(mesmer_heads(model.SerializeToString(), MESMER_HEADS), expected, strict=True):
        np.testing.assert_array_equal(one.second, other.second)
        assert (one.features, one.is_class) == (other.features, other.is_class)


def test_constants_are_read_in_either_way_of_storing_them() -> None:
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    listed = helper.make_tensor("listed", onnx.TensorProto.FLOAT, values.shape, values.ravel().tolist())
    raw = numpy_helper.from_array(values, "raw")
    graph = Graph.of(helper.make_model(helper.make_graph([], "g", [], [], [listed, raw])).SerializeToString())
    for name in ("listed", "raw"):
        np.testing.assert_array_equal(graph.constant(name), values)
    with pytest.raises(ValueError, match="missing is no constant"):
        graph.constant("missing")


@pytest.mark.parametrize("size", [0, 1000, 100_000, -1])
def test_a_damaged_file_is_no_mesmer(size: int) -> None:
    with pytest.raises(ValueError, match=r"cut off|comes from|not in use|is no constant"):
        mesmer_heads(mesmer_graph()[:size], MESMER_HEADS)
