"""Labels go back to the original pixels as scikit-image resizes them."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.transform import resize

from cellscale.label.resize import nearest_rows_columns, nearest_source
from cellscale.regions import Region

SHAPES = st.tuples(st.integers(1, 90), st.integers(1, 90))


@settings(max_examples=100)
@given(shape=SHAPES, source_shape=SHAPES, data=st.data())
def test_any_region_equals_scikit_images_resize(shape, source_shape, data):
    top, left = data.draw(st.integers(0, shape[0] - 1)), data.draw(st.integers(0, shape[1] - 1))
    region = Region(top, left, data.draw(st.integers(top + 1, shape[0])), data.draw(st.integers(left + 1, shape[1])))
    source = np.arange(source_shape[0] * source_shape[1], dtype=np.int32).reshape(source_shape)
    expected = resize(source, shape, order=0, mode="constant", preserve_range=True, anti_aliasing=False)
    rows, columns = nearest_rows_columns(region, shape, source_shape)
    np.testing.assert_array_equal(source[np.ix_(rows, columns)], expected[region.slices])
    wanted = nearest_source(region, shape, source_shape)
    assert (wanted.top, wanted.bottom) == (rows.min(), rows.max() + 1)
    assert (wanted.left, wanted.right) == (columns.min(), columns.max() + 1)
