"""Models are cut down to what the outputs asked for need."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from cellscale.predict.network import OnnxNetwork
from cellscale.predict.onnx_file.pruning import pruned
from tests.predict.tiny_network import tiny_network
from tests.preprocess.channels import golden


def names(model: bytes) -> tuple[list[str], set[str]]:
    """Return a model's outputs, and the names of what its nodes compute."""
    graph = onnx.load_from_string(model).graph
    return [output.name for output in graph.output], {name for node in graph.node for name in node.output}


def test_only_what_the_outputs_need_is_left() -> None:
    outputs, computed = names(pruned(tiny_network(), ["semantic_2", "semantic_3"]))
    assert outputs == ["semantic_2", "semantic_3"]
    assert "planes" in computed
    assert not any(name.startswith("whole") for name in computed)
    assert {"nuclear_maxima", "nuclear_classes"} <= computed


def test_the_pruned_model_is_valid_and_computes_the_same() -> None:
    model = pruned(tiny_network(), ["semantic_1"])
    onnx.checker.check_model(onnx.load_from_string(model))
    batch = np.random.default_rng(0).random((1, 256, 256, 2), np.float32)
    whole, part = (
        onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"]).run(
            ["semantic_1"], {"input_0": batch}
        )
        for content in (tiny_network(), model)
    )
    np.testing.assert_array_equal(whole[0], part[0])


def test_all_outputs_leave_the_model_as_it_is_but_for_weights_that_nothing_uses() -> None:
    expected = onnx.load_from_string(tiny_network())
    used = {name for node in expected.graph.node for name in node.input}
    unused = [tensor for tensor in expected.graph.initializer if tensor.name not in used]
    assert unused, "nothing is tested"
    for tensor in unused:
        expected.graph.initializer.remove(tensor)
    assert pruned(tiny_network(), [f"semantic_{index}" for index in range(4)]) == expected.SerializeToString()


def test_weights_of_other_outputs_go_where_they_are_inputs_as_well() -> None:
    model = onnx.load_from_string(tiny_network())
    model.graph.input.extend(
        helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
        for tensor in model.graph.initializer
    )
    left = onnx.load_from_string(pruned(model.SerializeToString(), ["semantic_3"])).graph
    assert {tensor.name for tensor in left.initializer} == {"nuclear_near", "nuclear_gain", "nuclear_one"}
    assert {value.name for value in left.input} == {"input_0", "nuclear_near", "nuclear_gain", "nuclear_one"}


def test_a_model_without_the_output_is_left_as_it_is() -> None:
    assert pruned(tiny_network(), ["semantic_1", "other"]) == tiny_network()


def test_a_model_with_inner_graphs_is_left_as_it_is() -> None:
    def value(name: str, kind: int = TensorProto.FLOAT, **arguments: Any) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, kind, [1], **arguments)

    branches = {
        f"{branch}_branch": helper.make_graph(
            [helper.make_node("Neg", ["outer"], [branch])], branch, [], [value(branch)]
        )
        for branch in ("then", "else")
    }
    nodes = [
        helper.make_node("Abs", ["x"], ["outer"]),
        helper.make_node("If", ["condition"], ["y"], **branches),
        helper.make_node("Exp", ["x"], ["z"]),
    ]
    inputs = [value("x"), value("condition", TensorProto.BOOL)]
    model = helper.make_model(helper.make_graph(nodes, "inner", inputs, [value("y"), value("z")]))
    content = bytes(model.SerializeToString())
    assert pruned(content, ["y"]) == content


@pytest.mark.slow
@given(st.integers(0, 2500), st.binary(max_size=8))
@settings(max_examples=200)
def test_damaged_models_never_raise(length: int, tail: bytes) -> None:
    pruned(tiny_network()[:length] + tail, ["semantic_0"])


@pytest.mark.slow
@pytest.mark.parametrize("compartment", ["whole-cell", "nuclear"])
def test_mesmer_computes_the_same_for_one_compartment(mesmer_path: Path, shared: Path, compartment: Any) -> None:
    tile = golden(shared, "TissueSample")["preprocessed"][None, :256, :256]
    both = OnnxNetwork(mesmer_path)
    one = OnnxNetwork(mesmer_path, compartments=(compartment,))
    chosen = [index for index, head in enumerate(both.heads) if head.compartment == compartment]
    np.testing.assert_array_equal(one.predict(tile), both.predict(tile)[..., chosen])
