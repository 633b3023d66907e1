"""The device that is asked for is taken or refused with what to do; without one, the best that works."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from cellscale.errors import ModelError, RequestError
from cellscale.predict.choice import NetworkRequest, candidates, open_network
from cellscale.predict.devices import AUTO, DEVICES, DeviceChoice, parse_device
from cellscale.predict.network import Network, OnnxNetwork
from cellscale.predict.onnx_file.half import OLDEST
from tests.predict.stand_in import StandIn
from tests.predict.tiny_network import tiny_network

TILES = np.random.default_rng(0).random((2, 256, 256, 2), np.float32) / 4


def opened(runtime: StandIn, device: str = AUTO, **settings: object) -> Network:
    return open_network(NetworkRequest(model=tiny_network(), device=parse_device(device), **settings), runtime)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("auto", DeviceChoice()),
        (" CUDA ", DeviceChoice("cuda")),
        ("cuda:1", DeviceChoice("cuda", (1,))),
        ("tensorrt:2,0,2", DeviceChoice("tensorrt", (2, 0))),
        ("openvino", DeviceChoice("openvino")),
        ("cpu", DeviceChoice("cpu")),
        ("cpu:native", DeviceChoice("cpu", engine="native")),
        (" CPU:ONNXRUNTIME", DeviceChoice("cpu", engine="onnxruntime")),
    ],
)
def test_devices_are_read(text: str, choice: DeviceChoice) -> None:
    assert parse_device(text) == choice


@pytest.mark.parametrize(
    "text", ["", "gpu", "cuda:", "cuda:x", "cuda:-1", "cuda:1,", "cpu cuda", "cuda:٣", "cpu:openvino"]
)
def test_what_is_no_device_is_refused(text: str) -> None:
    with pytest.raises(RequestError, match=r"there is no device .*known: auto, cpu, cuda"):
        parse_device(text)


@pytest.mark.parametrize("text", ["cpu:0", "auto:1", "coreml:0"])
def test_only_some_devices_have_numbered_cards(text: str) -> None:
    with pytest.raises(RequestError, match="no numbered cards"):
        parse_device(text)


def test_without_cards_the_processor_is_taken_and_nothing_said() -> None:
    network = opened(StandIn())
    assert isinstance(network, OnnxNetwork)
    assert network.computation.device == "cpu"
    assert network.computation.notes == ()


@pytest.mark.parametrize("name", ["cuda", "tensorrt", "coreml", "directml"])
def test_a_device_that_is_not_installed_says_what_to_install(name: str) -> None:
    with pytest.raises(
        RequestError, match=rf"--device {name} needs.*{DEVICES[name].provider}.*found Azure.*pip install"
    ):
        opened(StandIn(), name)


def test_a_device_that_does_not_start_is_refused() -> None:
    with pytest.raises(ModelError, match="cuda does not work here: CUDAExecutionProvider is installed, but"):
        opened(StandIn("cuda", works=False), "cuda")


def test_a_device_that_does_not_start_is_not_chosen() -> None:
    network = opened(StandIn("cuda", works=False))
    assert network.computation.device == "cpu"
    assert "the device cuda is there but is not used" in network.computation.notes[0]


def test_a_device_that_computes_wrong_is_not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "cellscale.predict.card.CardNetwork.predict", lambda self, batch: np.ones((*batch.shape[:3], 4))
    )
    network = opened(StandIn("cuda"), batch_size=2)
    assert network.computation.device == "cpu"
    assert "its maps differ by" in network.computation.notes[0]


def test_a_slow_device_is_not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = {"OnnxNetwork": 0.1, "CardNetwork": 0.2}
    monkeypatch.setattr(
        "cellscale.predict.choice._seconds_a_tile", lambda network, _: seconds[type(network).__name__]
    )
    network = opened(StandIn("directml"), batch_size=2)
    assert network.computation.device == "cpu"
    assert "it takes 0.200 s a tile, the processor 0.100 s" in network.computation.notes[0]


def test_the_best_device_that_works_is_chosen_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = {"OnnxNetwork": 0.2, "CardNetwork": 0.1}
    monkeypatch.setattr(
        "cellscale.predict.choice._seconds_a_tile", lambda network, _: seconds[type(network).__name__]
    )
    network = opened(StandIn("directml", "cuda"), batch_size=2)
    assert network.computation.device == "cuda"
    assert network.computation.notes == ("the network runs on cuda",)


def test_the_expected_device_comes_first() -> None:
    assert [device.name for device in candidates(DeviceChoice(), "float32", StandIn("tensorrt", "cuda"))] == [
        "cuda",
        "cpu",
    ]
    assert [device.name for device in candidates(DeviceChoice("tensorrt"), "fp16", StandIn("tensorrt"))] == [
        "tensorrt"
    ]


def test_a_precision_that_was_not_measured_is_refused() -> None:
    with pytest.raises(RequestError, match=r"cpu does not offer --precision fp16.*offered by cuda, tensorrt"):
        opened(StandIn(), "cpu", precision="fp16")
    with pytest.raises(RequestError, match="--precision fp16 needs a device that is not installed here: cuda:"):
        opened(StandIn(), precision="fp16")


OLD = tuple(map(int, onnxruntime.__version__.split(".")[:2])) < OLDEST


@pytest.mark.skipif(not OLD, reason="this ONNX Runtime converts to float16")
def test_an_onnx_runtime_that_converts_wrongly_is_refused() -> None:
    with pytest.raises(RequestError, match=r"fp16 needs ONNX Runtime 1\.29 or newer"):
        opened(StandIn("cuda"), "cuda", precision="fp16", batch_size=2)


@pytest.mark.skipif(OLD, reason="this ONNX Runtime is refused for float16")
def test_fp16_rounds_weights_and_maps_a_little(tiny_model: Path) -> None:
    exact = OnnxNetwork(tiny_model).predict(TILES)
    network = opened(StandIn("cuda"), "cuda", precision="fp16", batch_size=2)
    maps = network.predict(TILES)
    assert maps.dtype == np.float32
    assert 0 < np.abs(maps - exact).max() < 0.01
    assert network.computation.arithmetic == "cuda fp16"
