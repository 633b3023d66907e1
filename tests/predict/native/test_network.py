"""Mesmer's graph, whatever its weights, gives ONNX Runtime's maps; every other graph is refused with the reason."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from cellscale.errors import ImageError, ModelError, RequestError
from cellscale.predict.heads import COMPARTMENTS, MESMER_HEADS, heads_of
from cellscale.predict.native.native_network import NativeNetwork
from cellscale.predict.network import Network, OnnxNetwork
from tests.predict.native.mesmer_graph import mesmer_graph
from tests.predict.native.processors import KERNELS_HERE
from tests.predict.tiny_network import tiny_network
from tests.preprocess.channels import golden

TOLERANCE = 2e-5
"""Maps are of the order of 1."""


def native(model: bytes, threads: int = 1, batch_size: int = 16) -> NativeNetwork:
    return NativeNetwork(model, heads=MESMER_HEADS, name="random", threads=threads, batch_size=batch_size)


@pytest.fixture(scope="module")
def batch() -> np.ndarray:
    return np.random.default_rng(0).random((3, 256, 256, 2), np.float32)


@pytest.fixture(scope="module")
def alone(batch: np.ndarray) -> np.ndarray:
    """The maps of each tile, computed alone by one thread."""
    network = native(mesmer_graph(), batch_size=1)
    return np.concatenate([network.predict(tile[None]) for tile in batch])


@pytest.mark.parametrize("seed", [0, 1])
def test_any_weights_give_the_maps_of_onnx_runtime(batch: np.ndarray, seed: int) -> None:
    model = mesmer_graph(seed)
    network: Network = native(model)
    maps = network.predict(batch[:1])
    expected = OnnxNetwork(model, threads=1).predict(batch[:1])
    assert maps.dtype == np.float32
    assert np.ptp(expected, axis=(0, 1, 2)).min() > 0.1  # they show something
    np.testing.assert_allclose(maps, expected, rtol=0, atol=TOLERANCE)
    assert network.computation.arithmetic == f"cpu:native float32, {KERNELS_HERE}"


@pytest.mark.parametrize("compartment", COMPARTMENTS)
def test_one_compartment_gives_the_same_maps(batch: np.ndarray, alone: np.ndarray, compartment: str) -> None:
    heads = heads_of((compartment,))  # type: ignore[arg-type]
    network = NativeNetwork(mesmer_graph(), heads=heads, name="random", threads=1)
    chosen = [index for index, head in enumerate(MESMER_HEADS) if head in heads]
    np.testing.assert_array_equal(network.predict(batch[:1]), alone[:1, ..., chosen])


@pytest.mark.parametrize(("threads", "batch_size"), [(1, 16), (2, 16), (2, 1), (3, 2), (9, 2)])
def test_threads_and_batches_do_not_matter(
    batch: np.ndarray, alone: np.ndarray, threads: int, batch_size: int
) -> None:
    network = native(mesmer_graph(), threads, batch_size)
    np.testing.assert_array_equal(network.predict(batch), alone)
    np.testing.assert_array_equal(network.predict(batch[::-1]), alone[::-1])


def test_another_graph_is_refused_with_the_reason() -> None:
    with pytest.raises(
        RequestError, match=r"cpu:native .*random is none: whole_maxima comes from Conv; expected Relu"
    ):
        native(tiny_network())


def test_another_input_is_refused() -> None:
    model = onnx.load_from_string(mesmer_graph())
    model.graph.input[0].name = model.graph.node[0].input[0] = "image"
    with pytest.raises(ModelError, match=r"random has inputs {'image': \[256, 256, 2\]}; expected input_0"):
        native(model.SerializeToString())


def test_a_damaged_file_is_refused() -> None:
    with pytest.raises(RequestError, match="random is none: the message is cut off"):
        native(mesmer_graph()[:1000])


def test_features_of_another_size_are_refused(batch: np.ndarray) -> None:
    graph = mesmer_graph(step=16)
    with pytest.raises(ModelError, match=r"shape \[64, 16, 16\]; expected \[64, 32, 32\]"):
        native(graph).predict(batch[:1])


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_maps_that_are_not_finite_are_refused(batch: np.ndarray, value: float) -> None:
    damaged = batch.copy()
    damaged[1, 5, 5, 0] = value
    with pytest.raises(ImageError, match="random answered with values that are not finite"):
        native(mesmer_graph()).predict(damaged)


@pytest.mark.slow
def test_the_real_network_gives_the_maps_of_onnx_runtime(shared: Path, mesmer_path: Path) -> None:
    tile = np.ascontiguousarray(golden(shared, "TissueSample")["preprocessed"][:256, :256][None])
    maps = native(mesmer_path.read_bytes()).predict(tile)
    np.testing.assert_allclose(maps, OnnxNetwork(mesmer_path, threads=1).predict(tile), rtol=0, atol=5e-6)
