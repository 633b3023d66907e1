"""Fixtures shared by the whole suite."""

from pathlib import Path

import pytest

from cellscale.errors import ModelError
from cellscale.weights.catalogue import MESMER
from cellscale.weights.resolve import installed_model

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real images and reference arrays beside the checkout."""
    if not SHARED.is_dir():
        pytest.skip(f"reference data are not beside this checkout: {SHARED} does not exist")
    return SHARED


@pytest.fixture(scope="session")
def mesmer_path() -> Path:
    """The installed Mesmer weights."""
    try:
        return installed_model(MESMER).path
    except ModelError as error:
        pytest.skip(str(error))
