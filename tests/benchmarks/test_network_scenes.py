"""Scenes in which networks are compared, and the means over them."""

import numpy as np
import pytest

from benchmarks.networks import Score, scene, table
from cellscale.simulate.tissue_model import SimulatedTissue


@pytest.fixture
def field():
    nucleus = np.zeros((40, 60), np.int32)
    nucleus[10:20, 10:30] = 1
    image = np.where(nucleus > 0, 4160, 160).astype(np.uint16)
    return SimulatedTissue(np.stack([image, image]), nucleus, nucleus, ("DAPI", "Membrane"))


@pytest.mark.parametrize(("mpp", "size"), [(0.25, 800), (0.5, 200), (1.0, 50)])
def test_truth_has_the_size_of_the_image(field, mpp, size):
    seen = scene(field, 1.0, mpp)
    assert seen.image.shape[1:] == seen.truth["nuclei"].shape == seen.truth["cells"].shape
    assert np.count_nonzero(seen.truth["nuclei"]) == size
    assert seen.image[0][seen.truth["nuclei"] > 0].mean() > 3000


def test_fewer_photons_leave_the_light_and_add_noise(field):
    plain, dark = (scene(field, photons, 0.5) for photons in (1.0, 0.05))
    inside = plain.truth["nuclei"] > 0
    assert plain.image[0][inside].std() == 0
    assert dark.image[0][inside].std() > 500
    assert dark.image[0][inside].mean() == pytest.approx(4160, rel=0.2)


def test_means_are_over_all_scenes_and_over_those_with_one_thing_in_common():
    scores = [
        Score(scene={"density": density}, network="a", objects=objects, count=1, area=1, f1=(value, value, 0))
        for density, value in (("sparse", 0.5), ("dense", 1.0))
        for objects in ("nuclei", "cells")
    ]
    _, _, everything, sparse, dense = table(scores, ["a"])
    assert everything.startswith("| all | a | 0.75, 0.75, 0.00 | 1.00 | 1.00 | 0.75")
    assert sparse.startswith("| density sparse | a | 0.50")
    assert dense.startswith("| density dense | a | 1.00")
