"""All maps that are wanted come as one output, equal to the network's own."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellscale.predict.heads import COMPARTMENTS, MESMER_HEADS, Compartment, heads_of
from cellscale.predict.onnx_file.joining import MAPS, joined
from cellscale.predict.onnx_file.pruning import pruned
from tests.predict.tiny_network import tiny_network

BATCH = np.random.default_rng(0).random((2, 256, 256, 2), np.float32)
OUTPUTS = [f"semantic_{index}" for index in range(4)]


def run(model: bytes | str, outputs: list[str]) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    found: list[np.ndarray] = session.run(outputs, {"input_0": BATCH})
    return found


def require_equal(model: bytes, together: bytes) -> None:
    found = dict(zip(OUTPUTS, run(model, OUTPUTS), strict=True))
    expected = np.stack([found[head.output][..., head.index] for head in MESMER_HEADS], axis=-1)
    np.testing.assert_array_equal(run(together, [MAPS])[0], expected)


def test_the_maps_are_those_of_the_outputs() -> None:
    model = joined(tiny_network(), MESMER_HEADS)
    onnx.checker.check_model(onnx.load_from_string(model))
    require_equal(tiny_network(), model)


@pytest.mark.parametrize("compartment", COMPARTMENTS)
def test_a_pruned_model_gives_its_maps(compartment: Compartment) -> None:
    heads = heads_of((compartment,))
    model = joined(pruned(tiny_network(), [head.output for head in heads]), heads)
    maps = run(model, [MAPS])[0]
    both = run(joined(tiny_network(), MESMER_HEADS), [MAPS])[0]
    np.testing.assert_array_equal(maps, both[..., [MESMER_HEADS.index(head) for head in heads]])


@pytest.mark.slow
def test_mesmer_gives_the_same(mesmer_path: Path) -> None:
    require_equal(str(mesmer_path), joined(mesmer_path.read_bytes(), MESMER_HEADS))


@given(st.integers(0, 2500), st.binary(max_size=8))
@settings(max_examples=200)
def test_damaged_models_never_raise(length: int, tail: bytes) -> None:
    joined(tiny_network()[:length] + tail, MESMER_HEADS)
