"""OpenVINO computes the processor's maps, in bfloat16 nearly."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from cellscale.errors import ModelError, RequestError
from cellscale.predict.choice import NetworkRequest, open_network
from cellscale.predict.devices import DeviceChoice
from cellscale.predict.network import OnnxNetwork
from cellscale.predict.openvino import OpenVinoNetwork, require_openvino
from tests.patience import HANGS

if find_spec("openvino") is None:
    pytest.skip("the extra openvino is not installed", allow_module_level=True)

TILES = np.random.default_rng(0).random((5, 256, 256, 2), np.float32) / 4


def opened(model: Path | bytes, precision: str = "float32") -> OpenVinoNetwork:
    network = open_network(
        NetworkRequest(model=model, device=DeviceChoice("openvino"), precision=precision, threads=2)
    )  # type: ignore[arg-type]
    assert isinstance(network, OpenVinoNetwork)
    return network


@pytest.fixture(scope="module")
def expected(tiny_model: Path) -> np.ndarray:
    return OnnxNetwork(tiny_model).predict(TILES)


def test_float32_is_the_same_but_for_rounding(tiny_model: Path, expected: np.ndarray) -> None:
    network = opened(tiny_model)
    np.testing.assert_allclose(network.predict(TILES), expected, rtol=0, atol=1e-5)
    assert network.computation.arithmetic == "openvino float32"


def test_a_tile_does_not_depend_on_its_batch(tiny_model: Path) -> None:
    network = opened(tiny_model)
    np.testing.assert_array_equal(network.predict(TILES)[3:4], network.predict(TILES[3:4]))


def test_bf16_is_near(tiny_model: Path, expected: np.ndarray) -> None:
    try:
        require_openvino("bf16")
    except RequestError as error:
        pytest.skip(str(error))
    np.testing.assert_allclose(opened(tiny_model, "bf16").predict(TILES), expected, rtol=0, atol=0.05)


def test_a_damaged_model_is_refused() -> None:
    with pytest.raises(ModelError, match="OpenVINO cannot load network"):
        opened(b"not a model")


FIRST_TYPES = """
import threading
from cellscale.predict.openvino import require_openvino
require_openvino()
import openvino
together = threading.Barrier(8)
def convert():
    together.wait()
    openvino.Type.f32.to_dtype()
threads = [threading.Thread(target=convert) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print("done")
"""


@pytest.mark.parametrize("attempt", range(4))
def test_threads_that_all_ask_for_numpy_types_at_once_do_not_wait_for_each_other(attempt: int) -> None:
    # A process of its own each time: where no type had been converted before, 12 of 20 hung for ever.
    done = subprocess.run(
        [sys.executable, "-c", FIRST_TYPES], capture_output=True, text=True, timeout=HANGS, check=False
    )
    assert done.stdout == "done\n", done.stderr
