"""The faster network is taken where both are the same, and who names one gets it."""

from collections.abc import Callable

import numba
import numpy as np
import onnx
import pytest

from cellscale.errors import ModelError, RequestError
from cellscale.predict.choice import NetworkRequest, open_network
from cellscale.predict.devices import DeviceChoice, parse_device
from cellscale.predict.heads import MESMER_HEADS
from cellscale.predict.native import Race, RaceConditions, raced, this_machine
from cellscale.predict.native.native_network import NativeNetwork
from cellscale.predict.network import Network, OnnxNetwork
from tests.predict.native.mesmer_graph import mesmer_graph
from tests.predict.native.processors import KERNELS_HERE
from tests.predict.tiny_network import tiny_network

FASTER, SLOWER, NEAR = Race(0.1, 0.2, 1e-6), Race(0.2, 0.1, 1e-6), Race(0.19, 0.2, 1e-6)
WRONG = Race(0.1, 0.2, 1e-3)


class Known:
    """Races that ended in a known way, as the cache keeps them."""

    def __init__(self, race: Race) -> None:
        self.race = race
        self.asked = 0

    def settled(self, machine: RaceConditions, run: Callable[[], Race]) -> Race:
        self.asked += 1
        return self.race


def opened(model: bytes, device: str, races: Known) -> Network:
    request = NetworkRequest(model=model, device=parse_device(device), threads=1, races=races, name="random")
    return open_network(request)


needs_fusing = pytest.mark.skipif(this_machine() is None, reason="this processor is given no kernels")


@needs_fusing
@pytest.mark.parametrize(("race", "device"), [(FASTER, "cpu:native"), (SLOWER, "cpu"), (NEAR, "cpu"), (WRONG, "cpu")])
@pytest.mark.parametrize("asked", ["cpu", "auto"])
def test_who_names_none_gets_the_winner(race: Race, device: str, asked: str) -> None:
    network = opened(mesmer_graph(), asked, Known(race))
    assert network.computation.device == device
    assert isinstance(network, NativeNetwork if device == "cpu:native" else OnnxNetwork)
    assert network.computation.notes == ()
    assert "cpu:native takes 0." in network.computation.reason


def test_who_names_one_gets_it_without_a_race() -> None:
    races = Known(SLOWER)
    assert opened(mesmer_graph(), "cpu:native", races).computation.arithmetic == f"cpu:native float32, {KERNELS_HERE}"
    assert opened(mesmer_graph(), "cpu:onnxruntime", races).computation.arithmetic == "cpu float32"
    assert races.asked == 0


def test_another_network_is_onnx_runtimes_without_a_race() -> None:
    races = Known(FASTER)
    assert opened(tiny_network(), "cpu", races).computation.arithmetic == "cpu float32"
    assert races.asked == 0
    with pytest.raises(
        RequestError, match="cpu:native computes networks of Mesmer's graph alone, and random is none"
    ):
        opened(tiny_network(), "cpu:native", races)


def test_where_kernels_have_no_chance_there_is_no_race(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 1)
    races = Known(FASTER)
    assert this_machine() is None
    assert opened(mesmer_graph(), "cpu", races).computation.device == "cpu"
    assert races.asked == 0


def test_kernels_for_old_processors_have_no_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setattr(numba.config, "CPU_FEATURES", "+sse4.2,+popcnt")
    assert this_machine() is None
    monkeypatch.setattr(numba.config, "CPU_FEATURES", "+avx2,+fma")
    found = this_machine()
    assert found is not None
    assert "+avx2,+fma" in found.target


def test_features_of_another_size_are_what_onnx_runtime_says_of_them() -> None:
    with pytest.raises(ModelError, match=r"outputs semantic_0 \[None, 512, 512, 1\]"):
        open_network(NetworkRequest(model=mesmer_graph(step=4), device=DeviceChoice("cpu"), threads=1))


@needs_fusing
def test_a_network_that_cannot_be_raced_is_left_to_onnx_runtime() -> None:
    model = onnx.load_from_string(mesmer_graph())
    bias = next(tensor for tensor in model.graph.initializer if tensor.name == "last_0/bias")
    bias.raw_data = np.array([np.nan], np.float32).tobytes()
    request = NetworkRequest(model=model.SerializeToString(), device=DeviceChoice("cpu"), threads=1)
    assert "left to ONNX Runtime: " in open_network(request).computation.notes[0]


@pytest.mark.slow
def test_a_race_times_both_and_compares_their_maps() -> None:
    tile = np.random.default_rng(0).random((1, 256, 256, 2), np.float32)
    native = NativeNetwork(mesmer_graph(), heads=MESMER_HEADS, name="random", threads=1)
    race = raced(native, OnnxNetwork(mesmer_graph(), threads=1), tile)
    assert race.native > 0
    assert race.onnxruntime > 0
    assert 0 < race.difference < 1e-4
    other = raced(native, OnnxNetwork(mesmer_graph(1), threads=1), tile)
    assert other.difference > 0.01
    assert not other.is_native
    assert "but its maps differ by" in other.told()
