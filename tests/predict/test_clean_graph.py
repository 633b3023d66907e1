"""Devices are given Mesmer's graph in standard operations with fewer multiplications; its maps stay."""

from collections import Counter

import numpy as np
import onnx
import onnxruntime
import pytest

from cellscale.predict.choice import NetworkRequest, open_network
from cellscale.predict.clean_graph import clean_graph, device_content
from cellscale.predict.devices import DeviceChoice
from cellscale.predict.heads import COMPARTMENTS, heads_of
from cellscale.predict.onnx_file.model_file import model_content
from cellscale.weights.catalogue import MESMER
from cellscale.weights.resolve import installed_model
from tests.predict.native.mesmer_graph import Layers, mesmer_graph
from tests.predict.stand_in import StandIn
from tests.predict.tiny_network import tiny_network

HEADS = heads_of(COMPARTMENTS)
TILES = np.random.default_rng(0).random((1, 256, 256, 2), np.float32)
UNUSUAL = {"Shape", "Slice", "Tile", "Softmax", "Cast", "Gather"}


def maps_of(content: bytes) -> np.ndarray:
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    (found,) = session.run(["cellscale_maps"], {"input_0": TILES})
    return found


def operations(content: bytes) -> Counter:
    model = onnx.load_from_string(content)
    onnx.checker.check_model(model)
    return Counter(one.op_type for one in model.graph.node)


def multiplications(content: bytes) -> int:
    """Return how many multiplications the convolutions of one tile take."""
    model = onnx.load_from_string(content)
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    inferred = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    sizes = {
        value.name: [size.dim_value for size in value.type.tensor_type.shape.dim]
        for value in (*inferred.value_info, *inferred.output)
    }
    weights = {one.name: list(one.dims) for one in inferred.initializer}
    return sum(
        int(np.prod(sizes[one.output[0]][2:], dtype=np.int64) * np.prod(weights[one.input[1]], dtype=np.int64))
        for one in inferred.node
        if one.op_type == "Conv"
    )


def placed_graph(seed: int = 0) -> bytes:
    """Return a model like Mesmer whose first convolution is told where each pixel lies, as it was converted."""
    layers = Layers(seed)
    places = np.stack(np.meshgrid(*[np.linspace(-1, 1, 256)] * 2, indexing="ij"), axis=-1)[None]
    layers.weights |= {"places": places.astype(np.float32)}
    integers = {"begin": [0], "end": [1], "single": [1]}
    for name, values in integers.items():
        layers.weights[name] = np.array(values, np.int64)  # type: ignore[assignment]
    sizes = layers.add("Shape", ["input_0"], "sizes")
    count = layers.add("Slice", [sizes, "begin", "end"], "count")
    repeats = layers.add("Concat", [count, "single", "single", "single"], "repeats", axis=0)
    tiled = layers.add("Tile", ["places", repeats], "tiled")
    placed = layers.add("Concat", ["input_0", tiled], "placed", axis=3)
    planes = layers.add("Transpose", [placed], "planes", perm=[0, 3, 1, 2])
    mixed = layers.convolution(planes, "mixed", (5, 4, 1, 1))
    seen = layers.convolution(mixed, "seen", (64, 5, 7, 7), strides=[2, 2])
    small = layers.convolution(layers.add("Relu", [seen], "active"), "small", (64, 64, 3, 3), strides=[4, 4])
    for index in range(4):
        layers.head(index, layers.convolution(small, f"features_{index}", (64, 64, 3, 3)))
    outputs = {f"semantic_{index}": (256, 256, 1 + index % 2 * 2) for index in range(4)}
    return layers.model("input_0", (256, 256, 2), outputs)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "heads"),
    [(mesmer_graph(1, residual=True), HEADS), (placed_graph(), HEADS[2:])],
    ids=["another body", "told where pixels lie"],
)
def test_maps_are_those_of_the_model_but_for_rounding(model, heads):
    clean, plain = clean_graph(model, heads), model_content(model, heads)
    expected = maps_of(plain)
    np.testing.assert_allclose(maps_of(clean), expected, rtol=0, atol=3e-6 * expected.max())
    assert not UNUSUAL & set(operations(clean))
    assert multiplications(clean) < 0.85 * multiplications(plain)


@pytest.mark.slow
def test_mesmers_own_weights_take_a_seventh_less():
    try:
        model = installed_model(MESMER).path.read_bytes()
    except Exception as error:
        pytest.skip(f"the weights are not installed: {error}")
    clean, plain = clean_graph(model, HEADS), model_content(model, HEADS)
    np.testing.assert_allclose(maps_of(clean), maps_of(plain), rtol=0, atol=1e-5)
    assert not UNUSUAL & set(operations(clean))
    before, now = multiplications(plain), multiplications(clean)
    assert now < 0.87 * before, f"{before / 1e9:.2f} and {now / 1e9:.2f} billions"


def test_other_models_stay_as_they_are():
    model = tiny_network()
    with pytest.raises(ValueError, match="expected"):
        clean_graph(model, HEADS)
    assert device_content(model, HEADS) == model_content(model, HEADS)


def test_a_model_of_operations_before_ours_stays_as_it_is():
    model = onnx.load_from_string(mesmer_graph())
    model.opset_import[0].version = 12
    old = model.SerializeToString()
    with pytest.raises(ValueError, match="version 12; 13 or newer expected"):
        clean_graph(old, HEADS)
    assert device_content(old, HEADS) == model_content(old, HEADS)


@pytest.mark.slow
def test_a_card_is_given_the_clean_graph():
    runtime, model = _Kept("cuda"), mesmer_graph(2)
    network = open_network(NetworkRequest(model=model, device=DeviceChoice("cuda"), batch_size=2), runtime)
    assert "Softmax" not in operations(runtime.content)
    np.testing.assert_allclose(network.predict(TILES), maps_of(model_content(model, HEADS)), rtol=0, atol=1e-4)


class _Kept(StandIn):
    """Keeps what it was given."""

    content = b""

    def session(self, content, options, providers):
        self.content = content
        return super().session(content, options, providers)
