"""Networks to test with."""

import os
from pathlib import Path

import pytest

from cellscale.weights.catalogue import installed_path, known_model
from tests.predict.tiny_network import write_tiny_network


@pytest.fixture(scope="session")
def tiny_network_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small deterministic network with Mesmer's input and outputs."""
    return write_tiny_network(tmp_path_factory.mktemp("network") / "tiny.onnx")


@pytest.fixture(scope="session")
def mesmer_path() -> Path:
    """Mesmer's weights, where they are installed."""
    path = Path(os.environ.get("CELLSCALE_TEST_MESMER") or installed_path(known_model("mesmer")))
    if not path.is_file():
        pytest.skip(
            "Mesmer's weights are not installed: `cellscale models fetch mesmer`, or set CELLSCALE_TEST_MESMER"
        )
    return path
