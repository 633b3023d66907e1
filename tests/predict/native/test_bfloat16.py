"""``--precision bf16`` of our own: near float32, the same whatever is computed beside, refused where it cannot be."""

from pathlib import Path

import numpy as np
import pytest

import cellscale
from benchmarks.agreement import agreement
from cellscale.errors import ImageError, RequestError
from cellscale.predict.choice import NetworkRequest, candidates, check_device, open_network
from cellscale.predict.devices import DeviceChoice, parse_device
from cellscale.predict.network import Network, OnnxNetwork
from tests.predict.native.mesmer_graph import mesmer_graph
from tests.predict.native.processors import KERNELS_HERE, NEEDS_BF16
from tests.predict.tiny_network import tiny_network
from tests.preprocess.channels import golden

MODEL = mesmer_graph(residual=True)


def opened(model: bytes | Path = MODEL, threads: int = 1, batch_size: int = 16, device: str = "cpu") -> Network:
    return open_network(
        NetworkRequest(
            model=model, device=parse_device(device), precision="bf16", threads=threads, batch_size=batch_size
        )
    )


@pytest.fixture(scope="module")
def batch() -> np.ndarray:
    return np.random.default_rng(3).random((3, 256, 256, 2), np.float32)


@pytest.fixture(scope="module")
def alone(batch: np.ndarray) -> np.ndarray:
    """The maps of each tile, computed alone by one thread."""
    network = opened(batch_size=1)
    return np.concatenate([network.predict(tile[None]) for tile in batch])


@NEEDS_BF16
@pytest.mark.parametrize("device", ["cpu", "cpu:native"])
def test_the_kernels_compute_and_are_named(device: str) -> None:
    assert opened(device=device).computation.arithmetic == f"cpu:native bf16, {KERNELS_HERE}"


@NEEDS_BF16
def test_maps_are_near_those_of_float32(batch: np.ndarray, alone: np.ndarray) -> None:
    expected = OnnxNetwork(MODEL, threads=1).predict(batch)
    assert 1e-5 < np.abs(alone - expected).max() < 0.05 * np.abs(expected).max()


@NEEDS_BF16
@pytest.mark.slow
def test_the_real_network_finds_the_cells_of_float32(shared: Path, mesmer_path: Path) -> None:
    arrays = golden(shared, "TissueSample")
    found = cellscale.segment(
        np.moveaxis(arrays["image"], -1, 0),
        channel_names=["DAPI", "Membrane"],
        image_mpp=float(arrays["image_mpp"]),
        model_path=str(mesmer_path),
        device="cpu:native",
        precision="bf16",
    )
    for labels, expected in ((found.whole_cell, arrays["labels"][..., 0]), (found.nucleus, arrays["labels"][..., 1])):
        assert agreement(expected, labels, 0.5).f1 >= 0.995
        assert agreement(expected, labels, 0.9).f1 >= 0.99
        assert not np.array_equal(labels > 0, expected > 0), "float32 was computed"


@NEEDS_BF16
@pytest.mark.parametrize(("threads", "batch_size"), [(1, 16), (2, 16), (3, 2)])
def test_threads_and_batches_do_not_matter(
    batch: np.ndarray, alone: np.ndarray, threads: int, batch_size: int
) -> None:
    network = opened(threads=threads, batch_size=batch_size)
    np.testing.assert_array_equal(network.predict(batch), alone)
    np.testing.assert_array_equal(network.predict(batch[::-1]), alone[::-1])


@NEEDS_BF16
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_maps_that_are_not_finite_are_refused(batch: np.ndarray, value: float) -> None:
    damaged = batch[:1].copy()
    damaged[0, 5, 5, 0] = value
    with pytest.raises(ImageError, match="answered with values that are not finite"):
        opened().predict(damaged)


@NEEDS_BF16
def test_another_graph_is_refused_with_the_reason() -> None:
    with pytest.raises(RequestError, match=r"Mesmer's graph alone.*comes from Conv.*Leave --precision out"):
        opened(tiny_network())


def test_onnx_runtime_alone_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cellscale.predict.choice.require_bfloat16", lambda: None)
    with pytest.raises(RequestError, match="cpu:onnxruntime computes in float32 alone; take --device cpu:native"):
        check_device(DeviceChoice("cpu", engine="onnxruntime"), "bf16")


@pytest.mark.parametrize("device", ["cpu", "cpu:native"])
def test_a_processor_without_the_instructions_is_refused(monkeypatch: pytest.MonkeyPatch, device: str) -> None:
    monkeypatch.setattr("numba.config.CPU_FEATURES", "+avx2,+fma")
    with pytest.raises(RequestError, match="needs AVX-512 BF16"):
        opened(device=device)


def test_where_no_device_is_named_openvino_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(precision: str) -> None:
        raise RequestError(f"no OpenVINO for {precision}.")

    for name in ("require_openvino", "require_bfloat16"):
        monkeypatch.setattr(f"cellscale.predict.choice.{name}", lambda *_: None)
    assert [device.name for device in candidates(DeviceChoice(), "bf16")] == ["openvino", "cpu"]
    monkeypatch.setattr("cellscale.predict.choice.require_openvino", refuse)
    assert [device.name for device in candidates(DeviceChoice(), "bf16")] == ["cpu"]
    monkeypatch.setattr("cellscale.predict.choice.require_bfloat16", lambda: refuse("kernels"))
    with pytest.raises(RequestError, match=r"no device here.* no OpenVINO for bf16. no OpenVINO for kernels"):
        candidates(DeviceChoice(), "bf16")
