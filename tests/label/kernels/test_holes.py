"""Small holes are filled as DeepCell does it, and nothing of an image's size is read at once."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.measure import regionprops

from cellscale.label.kernels import holes
from cellscale.label.kernels.filled_pixels import Overlay
from cellscale.label.numbering import finish_region, resolve_objects
from cellscale.label.objects import Objects
from cellscale.label.parameters import Parameters
from cellscale.regions import Region
from tests.label.oracle import finished


def _objects(labels):
    regions = regionprops(labels)
    return Objects(
        np.array([region.label for region in regions], np.int64),
        np.array([region.area for region in regions], np.int64),
        np.array([region.bbox for region in regions], np.int64).reshape(-1, 4),
        np.array([4 * region.euler_number for region in regions], np.int64),
    )


def _resolved(labels, parameters, read=None):
    def read_identities(region):
        return labels[region.slices].astype(np.int64)

    resolution = resolve_objects([_objects(labels)], read or read_identities, labels.shape, parameters)
    return finish_region(labels.astype(np.int64), resolution, Region(0, 0, *labels.shape))


def _tangled(random):
    """Two large objects, full of holes and of parts of each other and of smaller objects."""
    labels = np.where(np.indices((27, 32))[1] < random.integers(0, 32), 1, 2)
    labels = np.where(random.random(labels.shape) < 0.1, random.integers(0, 6, labels.shape), labels)
    for identity in (0, 1, 2, 3, 4, 0):
        top, left = random.integers(0, 24, 2)
        labels[top : top + random.integers(1, 6), left : left + random.integers(1, 6)] = identity
    return labels.astype(np.int32)


@pytest.mark.parametrize("tile", [1024, 5])
@settings(max_examples=60)
@given(seed=st.integers(0, 2**32), small=st.sampled_from([0, 3, 15]), limit=st.sampled_from([0, 1, 4, 15]))
def test_tangled_objects_are_filled_one_after_the_other(tile, seed, small, limit):
    labels = _tangled(np.random.default_rng(seed))
    parameters = Parameters(maxima_threshold=0.1, small_objects=small, holes=limit)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(holes, "_TILE", tile)
        np.testing.assert_array_equal(_resolved(labels, parameters), finished(labels, parameters))


def test_an_object_inside_another_vanishes_and_the_others_move_up():
    labels = np.zeros((12, 12), np.int32)
    labels[1:9, 1:9] = 1
    labels[4:6, 4:6] = 2
    labels[10, 2:9] = 3
    parameters = Parameters(maxima_threshold=0.1, small_objects=3)
    resolved = _resolved(labels, parameters)
    assert (resolved[1:9, 1:9] == 1).all()
    assert (resolved[10, 2:9] == 2).all()


@pytest.mark.parametrize(("size", "is_filled"), [(14, True), (15, False)])
def test_holes_and_objects_of_the_limit_stay(size, is_filled):
    labels = np.ones((3, size + 2), np.int32)
    labels[1, 1:-1] = 0
    assert (_resolved(labels, Parameters(maxima_threshold=0.1)) == 1).all() == is_filled
    alone = np.zeros((1, 20), np.int32)
    alone[0, :size] = 1
    assert _resolved(alone, Parameters(maxima_threshold=0.1)).any() != is_filled


def test_a_box_as_large_as_the_image_is_read_in_pieces():
    labels = np.ones((1, 1), np.int32) * np.ones((2500, 2100), np.int32)
    labels[1022:1026, 1023:1026] = 0
    labels[2000:2010, 7:19] = 0
    read = []

    def read_identities(region):
        read.append(region.size)
        return labels[region.slices].astype(np.int64)

    resolved = _resolved(labels, Parameters(maxima_threshold=0.1), read_identities)
    assert (resolved[1022:1026, 1023:1026] == 1).all()
    assert (resolved[2000:2010, 7:19] == 0).all()
    assert max(read) <= (1024 + 2 * 15) ** 2


def test_the_last_change_of_a_pixel_holds():
    overlay = Overlay()
    overlay.set(70, 3, 5)
    overlay.set(2**40, 9, 6)
    overlay.set(70, 3, 7)
    pixels, identities = overlay.pixels(10)
    assert pixels.tolist() == [703, 10 * 2**40 + 9]
    assert identities.tolist() == [7, 6]
    patch = np.zeros((2, 10), np.int64)
    overlay.apply(patch, Region(69, 0, 71, 10))
    assert patch[1, 3] == 7
    assert np.count_nonzero(patch) == 1
