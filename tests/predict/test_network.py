"""ONNX networks answer with the maps asked for, and others are refused with the reason."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from cellscale.errors import ImageError, ModelError
from cellscale.predict.heads import COMPARTMENTS, MESMER_HEADS, heads_of
from cellscale.predict.network import Network, OnnxNetwork
from tests.predict.tiny_network import tiny_network


@pytest.fixture(scope="module")
def batch() -> np.ndarray:
    return np.random.default_rng(0).random((3, 256, 256, 2), np.float32) / 4


def test_all_maps_in_order(tiny_model: Path, batch: np.ndarray) -> None:
    network: Network = OnnxNetwork(tiny_model, threads=1)
    maps = network.predict(batch)
    assert network.name == "tiny"
    assert network.heads == MESMER_HEADS
    assert maps.shape == (3, 256, 256, 4)
    assert maps.dtype == np.float32
    interior = np.minimum(batch[0, 98:103, 98:103].mean(axis=(0, 1)).mean() * 4, 1)
    assert maps[0, 100, 100, 1] == pytest.approx(interior, rel=1e-5)
    assert maps[0, 100, 100, 0] == pytest.approx(maps[0, 96:105, 96:105, 1].mean(), rel=1e-5)
    nuclear = np.minimum(batch[0, 98:103, 98:103, 0].mean() * 4, 1)
    assert maps[0, 100, 100, 3] == pytest.approx(nuclear, rel=1e-5)


@pytest.mark.parametrize("compartment", COMPARTMENTS)
def test_one_compartment_gives_the_same_maps(tiny_model: Path, batch: np.ndarray, compartment: str) -> None:
    both = OnnxNetwork(tiny_model, threads=1)
    one = OnnxNetwork(tiny_model, compartments=(compartment,), threads=1)
    chosen = [index for index, head in enumerate(both.heads) if head.compartment == compartment]
    assert one.heads == heads_of((compartment,)) == tuple(both.heads[index] for index in chosen)
    np.testing.assert_array_equal(one.predict(batch), both.predict(batch)[..., chosen])


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("batch_size", [1, 2, 16])
def test_threads_and_batches_do_not_matter(
    tiny_model: Path, batch: np.ndarray, threads: int, batch_size: int
) -> None:
    network = OnnxNetwork(tiny_model, threads=threads, batch_size=batch_size)
    alone = OnnxNetwork(tiny_model, threads=1, batch_size=1)
    assert network.batch_size == batch_size
    np.testing.assert_array_equal(
        network.predict(batch), np.concatenate([alone.predict(tile[None]) for tile in batch])
    )


def test_content_serves_as_well_as_a_path(batch: np.ndarray, tiny_model: Path) -> None:
    network = OnnxNetwork(tiny_model.read_bytes(), threads=1, name="given")
    assert network.name == "given"
    np.testing.assert_array_equal(network.predict(batch), OnnxNetwork(tiny_model, threads=1).predict(batch))


@pytest.mark.parametrize(
    "arguments", [{"size": 512}, {"channels": 3}, {"input_name": "image"}], ids=["size", "channels", "name"]
)
def test_another_network_is_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match=r"has inputs .*expected the input input_0 \[n, 256, 256, 2\]"):
        OnnxNetwork(tiny_network(**arguments))


@pytest.mark.parametrize("content", [b"", b"not a model", None], ids=["empty", "text", "truncated"])
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(tiny_network()[:500] if content is None else content)
    with pytest.raises(ModelError, match=r"broken cannot be loaded.*fetch it again"):
        OnnxNetwork(path)


def test_weights_in_a_file_of_their_own_are_called_that(tmp_path: Path, tiny_model: Path) -> None:
    path = tmp_path / "split.onnx"
    onnx.save(onnx.load(tiny_model), path, save_as_external_data=True, location="split.data", size_threshold=0)
    with pytest.raises(ModelError, match=r"the network split has its weights in a file of their own"):
        OnnxNetwork(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"nowhere\.onnx cannot be read.*--model_path"):
        OnnxNetwork(tmp_path / "nowhere.onnx")


def test_maps_that_are_not_finite_are_refused(tiny_model: Path, batch: np.ndarray) -> None:
    damaged = batch.copy()
    damaged[1, 5, 5, 0] = np.nan
    with pytest.raises(ImageError, match="tiny answered with values that are not finite"):
        OnnxNetwork(tiny_model, threads=1).predict(damaged)


@pytest.mark.slow
def test_too_little_memory_is_called_that(tmp_path: Path) -> None:
    # Of large tiles the maps (16 MiB) and a thread fit into what is left, and what is computed on the way does not.
    model = tmp_path / "large.onnx"
    model.write_bytes(tiny_network(size=1024))
    script = """if True:
        import resource, sys
        import numpy as np
        import psutil
        from cellscale.predict.network import OnnxNetwork
        network = OnnxNetwork(sys.argv[1], threads=1, batch_size=1, tile=1024)
        batch = np.zeros((1, 1024, 1024, 2), np.float32)
        limit = psutil.Process().memory_info().vms + 40 * 2**20
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        try:
            network.predict(batch)
        except MemoryError as error:
            print(type(error.__cause__).__module__)
    """
    done = subprocess.run(
        [sys.executable, "-c", script, model], capture_output=True, text=True, check=True, timeout=120
    )
    assert "onnxruntime" in done.stdout
