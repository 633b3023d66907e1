"""Outlines from afar are those of the whole mask, seen from afar."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cellscale.regions import blocks
from cellscale.report.pictures.faraway_outlines import TracedMask
from cellscale.report.pictures.overview import block_means
from cellscale.report.pictures.picture import outlines

LABELS = arrays(np.int32, st.tuples(st.integers(1, 30), st.integers(1, 30)), elements=st.integers(0, 2))


@settings(max_examples=50)
@given(labels=LABELS, cell=st.sampled_from([1, 2, 4]), step=st.sampled_from([(4, 8), (8, 4), (64, 64)]))
def test_coverage_is_the_mean_of_the_outlines_however_the_mask_is_read(labels, cell, step):
    def read(region):
        return labels[region.slices]

    traced = TracedMask(read, labels.shape, cell)
    for region in blocks(labels.shape, step):
        np.testing.assert_array_equal(traced.read(region), read(region))
    with ThreadPoolExecutor(1) as pool:
        expected = block_means(partial(outlines, read, shape=labels.shape), labels.shape, cell, pool)
    np.testing.assert_allclose(traced.coverage, expected, rtol=1e-6)
