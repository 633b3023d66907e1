"""Fixtures shared by the whole suite."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real images and reference arrays beside the checkout."""
    if not SHARED.is_dir():
        pytest.skip(f"reference data are not beside this checkout: {SHARED} does not exist")
    return SHARED
