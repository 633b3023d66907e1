"""Cards compute whole batches, several at once, and smaller ones where memory is short; maps stay a processor's."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from cellscale.errors import ImageError, ModelError
from cellscale.predict.card import CardNetwork
from cellscale.predict.choice import NetworkRequest, open_network
from cellscale.predict.devices import parse_device
from cellscale.predict.network import Network, OnnxNetwork
from tests.predict.stand_in import StandIn

TILES = np.random.default_rng(0).random((11, 256, 256, 2), np.float32) / 4


def opened(model: Path, runtime: StandIn, device: str = "cuda", batch_size: int | None = 4) -> Network:
    return open_network(NetworkRequest(model=model, device=parse_device(device), batch_size=batch_size), runtime)


@pytest.fixture(scope="module")
def expected(tiny_model: Path) -> np.ndarray:
    return OnnxNetwork(tiny_model).predict(TILES)


@pytest.mark.parametrize("device", ["cuda", "tensorrt", "directml", "coreml"])
def test_maps_are_those_of_a_processor(tiny_model: Path, expected: np.ndarray, device: str) -> None:
    runtime = StandIn(device)
    network = opened(tiny_model, runtime, device)
    np.testing.assert_array_equal(network.predict(TILES), expected)
    assert {tiles for _, tiles in runtime.runs} == {4}, "the last batch is filled up"
    assert network.computation.device == device
    assert network.computation.arithmetic == f"{device} float32"


def test_nothing_is_left_of_the_batch_before(tiny_model: Path, expected: np.ndarray) -> None:
    network = opened(tiny_model, StandIn("cuda"))
    for size in (4, 1, 3, 2):
        np.testing.assert_array_equal(network.predict(TILES[:size]), expected[:size])
    assert network.predict(TILES[:0]).shape == (0, 256, 256, 4)


@pytest.mark.slow
def test_all_cards_share_the_work_of_several_callers(tiny_model: Path, expected: np.ndarray) -> None:
    runtime = StandIn("cuda")
    network = opened(tiny_model, runtime, "cuda:0,2")
    assert network.calls == 4
    assert network.computation.cards == (0, 2)
    with ThreadPoolExecutor(network.calls) as pool:
        for maps in pool.map(network.predict, [TILES] * 8):
            np.testing.assert_array_equal(maps, expected)
    assert {card for card, _ in runtime.runs} == {"0", "2"}


@pytest.mark.slow
def test_short_memory_is_answered_by_smaller_batches(tiny_model: Path, expected: np.ndarray) -> None:
    runtime = StandIn("cuda", memory=3)
    network = opened(tiny_model, runtime, batch_size=16)
    with ThreadPoolExecutor(network.calls) as pool:
        for maps in pool.map(network.predict, [TILES] * 4):
            np.testing.assert_array_equal(maps, expected)
    assert network.batch_size == 2


def test_a_device_with_fixed_shapes_gets_another_session_for_smaller_batches(
    tiny_model: Path, expected: np.ndarray
) -> None:
    runtime = StandIn("coreml", memory=2)
    np.testing.assert_array_equal(opened(tiny_model, runtime, "coreml").predict(TILES), expected)
    assert [shape[0] for _, shape in runtime.opened] == [4, 2]


def test_too_little_memory_for_one_tile_is_an_error(tiny_model: Path) -> None:
    with pytest.raises(
        ModelError, match=r"cuda \(card 0\) has too little memory free for a single tile.*--device cpu"
    ):
        opened(tiny_model, StandIn("cuda", memory=0)).predict(TILES)


def test_another_failure_is_told(tiny_model: Path) -> None:
    runtime = StandIn("cuda", error="CUDA error 700: an illegal memory access was encountered")
    with pytest.raises(ModelError, match="cuda \\(card 0\\) failed: CUDA error 700"):
        opened(tiny_model, runtime).predict(TILES)


def test_maps_that_are_not_finite_are_refused(tiny_model: Path) -> None:
    damaged = TILES.copy()
    damaged[1, 5, 5, 0] = np.nan
    with pytest.raises(ImageError, match="not finite"):
        opened(tiny_model, StandIn("cuda")).predict(damaged)


def grown(model: Path, runtime: StandIn, seconds_a_run: float, seconds_a_tile: float) -> int:
    """Return the batch size found on a card of that speed, by a clock that its runs advance."""
    network = opened(model, runtime)
    assert isinstance(network, CardNetwork)

    def clock() -> float:
        return sum(seconds_a_run + seconds_a_tile * tiles for _, tiles in runtime.runs)

    network.grow(most=32, clock=clock)
    return network.batch_size


@pytest.mark.slow
def test_batches_grow_while_a_card_gets_faster(tiny_model: Path) -> None:
    assert grown(tiny_model, StandIn("cuda", computes=False), seconds_a_run=1, seconds_a_tile=1e-6) == 32
    assert grown(tiny_model, StandIn("cuda", computes=False), seconds_a_run=1e-6, seconds_a_tile=1) == 4
    assert grown(tiny_model, StandIn("cuda", computes=False), seconds_a_run=0.7, seconds_a_tile=1) == 8


def test_batches_grow_as_far_as_memory_goes(tiny_model: Path) -> None:
    assert grown(tiny_model, StandIn("cuda", memory=20, computes=False), seconds_a_run=1, seconds_a_tile=1e-6) == 16


def test_cuda_computes_float32_in_full(tiny_model: Path) -> None:
    runtime = StandIn("cuda")
    opened(tiny_model, runtime, "cuda:1")
    (providers, shape), *others = runtime.opened
    assert not others, "both runs at once share a session"
    assert shape[0] == "n"
    assert (
        providers[0][1] | {"device_id": "1", "use_tf32": "0", "cudnn_conv_algo_search": "HEURISTIC"}
        == providers[0][1]
    )


def test_tensorrt_keeps_what_it_built(tiny_model: Path, tmp_path: Path) -> None:
    runtime = StandIn("tensorrt", "cuda")
    request = NetworkRequest(
        model=tiny_model, device=parse_device("tensorrt"), batch_size=4, cache=tmp_path / "built"
    )
    open_network(request, runtime)
    providers, shape = runtime.opened[0]
    assert [name for name, _ in providers] == [
        "TensorrtExecutionProvider",
        "CUDAExecutionProvider",
        "CPUExecutionProvider",
    ]
    assert shape[0] == 4
    assert providers[0][1]["trt_engine_cache_path"] == str(tmp_path / "built")
    assert providers[0][1]["trt_profile_max_shapes"] == "input_0:4x256x256x2"
    assert (tmp_path / "built").is_dir()
