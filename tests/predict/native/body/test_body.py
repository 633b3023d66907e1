"""A body of Mesmer's kind is computed by kernels; every other one is ONNX Runtime's, and the heads are ours."""

import numpy as np
import onnx
import pytest

from cellscale.errors import ImageError, ModelError, RequestError
from cellscale.predict.heads import MESMER_HEADS, heads_of
from cellscale.predict.native.body.body_weights import find_body
from cellscale.predict.native.graph import Graph
from cellscale.predict.native.native_network import NativeNetwork
from cellscale.predict.network import OnnxNetwork
from tests.predict.native.mesmer_graph import mesmer_graph
from tests.predict.native.test_weights import Change, attribute, constant, node, operator

FEATURES = [f"features_{index}" for index in range(4)]
TOLERANCE = 2e-5
"""Of the largest value of the maps."""

MODEL = mesmer_graph(residual=True)


def native(model: bytes = MODEL, threads: int = 1, batch_size: int | None = 16) -> NativeNetwork:
    return NativeNetwork(model, heads=MESMER_HEADS, name="random", threads=threads, batch_size=batch_size)


def changed(*changes: Change) -> bytes:
    model = onnx.load_from_string(MODEL)
    for change in changes:
        change(model.graph)
    return bytes(model.SerializeToString())


def inputs(output: str, *names: str) -> Change:
    """Return a change of what a node is given."""

    def change(graph: onnx.GraphProto) -> None:
        found = node(graph, output)
        del found.input[:]
        found.input.extend(names)

    return change


@pytest.fixture(scope="module")
def batch() -> np.ndarray:
    return np.random.default_rng(3).random((7, 256, 256, 2), np.float32)


@pytest.fixture(scope="module")
def alone(batch: np.ndarray) -> np.ndarray:
    """The maps of each tile, computed alone by one thread."""
    network = native(batch_size=1)
    return np.concatenate([network.predict(tile[None]) for tile in batch])


def test_any_weights_give_the_maps_of_onnx_runtime(batch: np.ndarray, alone: np.ndarray) -> None:
    found = find_body(Graph.of(MODEL), FEATURES)
    weights = found.weights("floats")
    assert (found.stem, found.channels, len(weights.large), len(weights.deep)) == ("stem_active", 64, 2, 3)
    expected = OnnxNetwork(MODEL, threads=1).predict(batch)
    assert np.ptp(expected, axis=(0, 1, 2)).min() > 0.1  # they show something
    np.testing.assert_allclose(alone, expected, rtol=0, atol=TOLERANCE * np.abs(expected).max())


@pytest.mark.parametrize(("threads", "batch_size"), [(1, 16), (2, 16), (3, 2)])
def test_threads_and_batches_do_not_matter(
    batch: np.ndarray, alone: np.ndarray, threads: int, batch_size: int
) -> None:
    network = native(threads=threads, batch_size=batch_size)
    np.testing.assert_array_equal(network.predict(batch), alone)
    np.testing.assert_array_equal(network.predict(batch[::-1]), alone[::-1])


def test_one_compartment_gives_the_same_maps(batch: np.ndarray, alone: np.ndarray) -> None:
    network = NativeNetwork(MODEL, heads=heads_of(("nuclear",)), name="random", threads=1)
    np.testing.assert_array_equal(network.predict(batch[:1]), alone[:1, ..., 2:])


def test_a_batch_keeps_all_lanes_busy_with_tiles_together() -> None:
    found = [native(threads=threads, batch_size=None) for threads in (1, 2, 8, 16, 40)]
    assert [network.batch_size for network in found] == [16, 16, 32, 64, 64]
    assert [network.calls for network in found] == [1, 1, 1, 1, 2]
    assert native(threads=8, batch_size=3).batch_size == 3


def test_cores_beyond_a_batch_are_kept_busy_by_more_batches() -> None:
    assert [native(threads=threads, batch_size=2).calls for threads in (1, 2, 9)] == [1, 1, 4]
    assert native(mesmer_graph(), threads=9, batch_size=2).calls == 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ([attribute("smooth", "strides", [2, 2])], r"strides \(2, 2\); expected \(1, 1\)"),
        ([attribute("level_4/second", "dilations", [2, 2])], r"dilations \(2, 2\)"),
        ([attribute("level_3/first", "strides", [1, 1])], r"level_3/shortcut has strides \(2, 2\); expected"),
        ([attribute("half/first", "strides", [3, 3])], r"half/first has strides \(3, 3\); expected \(1, 1\)"),
        ([attribute("reduced_5/doubled", "mode", "nearest")], "mode nearest"),
        ([operator("level_5/second/rectified", "Sigmoid")], "level_5/second/rectified comes from Sigmoid"),
        ([operator("merged_4", "Mul")], "merged_4 comes from Mul; expected Add or Conv"),
        ([inputs("merged_3", "reduced_3", "reduced_3")], "merged_3 adds Conv and Conv; expected Conv and Resize"),
        ([inputs("features_2", "merged_3", "features_2/weights", "features_2/bias")], "heads begin with merged_3, s"),
        ([inputs("reduced_5", "stem", "reduced_5/weights", "reduced_5/bias")], "stem comes from no bottleneck"),
        ([inputs("reduced_3", "wide", "reduced_3/weights", "reduced_3/bias")], "not built from maps of"),
        ([inputs("reduced_4", "half", "reduced_4/weights", "reduced_4/bias")], "is the shortcut of what follows it"),
        ([constant("smooth/weights", np.zeros((128, 64, 3, 3), np.float32))], "has 64 input channels; expected 128"),
        ([constant("wide/third/weights", np.zeros((128, 128, 1, 1), np.float32))], "has 128 input channels; expec"),
        ([constant("level_4/third/weights", np.zeros((256, 64, 1, 1), np.float32)),
          constant("level_4/third/bias", np.zeros(256, np.float32))], "level_4 adds 256 channels to 192"),
        ([constant("half/first/weights", np.zeros((32, 128, 1, 1), np.float32)),
          constant("half/first/bias", np.zeros(32, np.float32)),
          constant("half/second/weights", np.zeros((64, 32, 3, 3), np.float32))], "32 channels; expected multip"),
    ],
)  # fmt: skip
def test_another_body_is_told_from_mesmers(changes: list[Change], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        find_body(Graph.of(changed(*changes)), FEATURES)


def test_another_body_is_left_to_onnx_runtime(batch: np.ndarray) -> None:
    model = changed(operator("level_4/second/rectified", "Sigmoid"))
    expected = OnnxNetwork(model, threads=1).predict(batch[:1])
    np.testing.assert_allclose(native(model).predict(batch[:1]), expected, rtol=0, atol=TOLERANCE * expected.max())


def test_a_map_of_another_size_is_refused(batch: np.ndarray) -> None:
    model = changed(attribute("stem", "strides", [8, 8]))
    with pytest.raises(ModelError, match=r"stem_active of shape \[64, 32, 32\]; expected \[64, 64, 64\]"):
        native(model).predict(batch[:1])


def test_maps_that_are_not_finite_are_refused(batch: np.ndarray) -> None:
    damaged = batch.copy()
    damaged[1, 5, 5, 0] = np.nan
    with pytest.raises(ImageError, match="random answered with values that are not finite"):
        native().predict(damaged)


def test_without_compiled_kernels_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("numba.config.DISABLE_JIT", 1)
    with pytest.raises(RequestError, match="NUMBA_DISABLE_JIT is set"):
        native()
