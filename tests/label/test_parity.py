"""Whatever the blocks, halos and workers, labels are those of the whole image at once."""

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import ndimage

from benchmarks.whole_image import label_image
from cellscale.label.parameters import NUCLEUS
from tests.label.maps import TIE_FREE, maps, parameters
from tests.label.oracle import expected_labels


@settings(max_examples=150)
@given(maps=maps(), parameters=parameters(), block_size=st.integers(3, 64), halo=st.integers(1, 24))
def test_blocks_equal_the_plain_algorithm_on_the_whole_image(maps, parameters, block_size, halo):
    expected = expected_labels(*maps, parameters, by_scikit_image=False)
    np.testing.assert_array_equal(label_image(*maps, parameters), expected)
    np.testing.assert_array_equal(label_image(*maps, parameters, block_size=block_size, halo=halo), expected)


@settings(max_examples=80)
@given(maps=maps(kinds=TIE_FREE, side=96), parameters=parameters(), block_size=st.integers(8, 64))
def test_blocks_equal_scikit_image_where_no_values_tie(maps, parameters, block_size):
    interior = ndimage.gaussian_filter(maps[1], parameters.interior_smoothing)
    assume(np.unique(interior).size == interior.size)
    labels = label_image(*maps, parameters, block_size=block_size, halo=8)
    np.testing.assert_array_equal(labels, expected_labels(*maps, parameters))


@settings(max_examples=20)
@given(maps=maps(side=64), parameters=parameters(), workers=st.integers(2, 4))
def test_workers_change_nothing(maps, parameters, workers):
    one = label_image(*maps, parameters, block_size=16, halo=8)
    np.testing.assert_array_equal(label_image(*maps, parameters, block_size=16, halo=8, workers=workers), one)


def test_tiles_inside_a_block_change_nothing(shared):
    """A block of more than one tile, cut where cells are."""
    with np.load(shared / "data" / "golden" / "BreastMIBI.npz") as golden:
        maps = golden["nuclear_maxima"][200:900, 100:800], golden["nuclear_interior"][200:900, 100:800]
    expected = expected_labels(*maps, NUCLEUS)
    np.testing.assert_array_equal(label_image(*maps, NUCLEUS, block_size=700), expected)
    np.testing.assert_array_equal(label_image(*maps, NUCLEUS, block_size=90), expected)
