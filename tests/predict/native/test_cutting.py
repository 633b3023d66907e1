"""What comes before the kernels is left to ONNX Runtime, and no more of a model than that."""

import onnx

from cellscale.predict.native.cutting import body_of
from tests.predict.native.mesmer_graph import mesmer_graph


def test_a_body_has_no_weights_of_what_follows() -> None:
    whole = onnx.load_from_string(mesmer_graph()).graph
    source = next(node for node in whole.node if "first_0" in node.output).input[0]
    features = next(node for node in whole.node if source in node.output).input[0]
    model = onnx.load_from_string(body_of(mesmer_graph(), [features, features]))
    onnx.checker.check_model(model)
    used = {name for node in model.graph.node for name in node.input}
    assert [output.name for output in model.graph.output] == [features]
    assert {tensor.name for tensor in model.graph.initializer} <= used
    assert not any(name.startswith(("first", "second", "third", "last")) for name in used)
