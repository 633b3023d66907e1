"""The real network's maps equal DeepCell's within what CPUs and runtimes differ by."""

from pathlib import Path

import numpy as np
import pytest

from cellscale.predict.blending import blend
from cellscale.predict.network import OnnxNetwork
from cellscale.predict.tiles import TileGrid, tile_input
from cellscale.regions import Region
from tests.preprocess.channels import golden, reader

MAPS = ("whole_cell_maxima", "whole_cell_interior", "nuclear_maxima", "nuclear_interior")


@pytest.fixture(scope="module")
def mesmer(mesmer_path: Path) -> OnnxNetwork:
    return OnnxNetwork(mesmer_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["TissueSample_200x180", "TissueSample_257x300", "TissueSample"])
def test_blended_maps_equal_the_golden_ones(shared: Path, mesmer: OnnxNetwork, name: str) -> None:
    arrays = golden(shared, name)
    read = reader(np.moveaxis(arrays["preprocessed"], -1, 0))
    grid = TileGrid.of(arrays["preprocessed"].shape[:2])
    found = blend(
        lambda row, column: mesmer.predict(tile_input(read, grid, row, column)[None])[0],
        grid,
        Region(0, 0, *grid.shape),
    )
    np.testing.assert_allclose(found, np.stack([arrays[key] for key in MAPS]), rtol=0, atol=1e-4)


@pytest.mark.slow
def test_a_tile_does_not_depend_on_its_batch(shared: Path, mesmer: OnnxNetwork) -> None:
    pixels = golden(shared, "TissueSample")["preprocessed"]
    batch = np.stack([pixels[:256, :256], pixels[256:, 256:]])
    alone = np.concatenate([mesmer.predict(batch[:1]), mesmer.predict(batch[1:])])
    np.testing.assert_array_equal(mesmer.predict(batch), alone)
