"""Images beyond 2**31 pixels, of which only a few blocks are ever made."""

import numpy as np
import pytest

from benchmarks.whole_image import label_image
from cellscale.label.block import label_block
from cellscale.label.mosaic import Mosaic
from cellscale.label.numbering import finish_region, resolve_objects
from cellscale.label.objects import merge_objects
from cellscale.label.parameters import WHOLE_CELL
from cellscale.regions import Region, blocks

SIDE = 60_000
BLOCK = 1000
CORNERS = ((0, 0), (0, SIDE - 2 * BLOCK), (SIDE - 2 * BLOCK, 0), (SIDE - 2 * BLOCK, SIDE - 2 * BLOCK))


def _read(region):
    """Discs with a hole, on a grid of 45 pixels around the meeting points of blocks; constant elsewhere."""
    rows = np.arange(region.top, region.bottom)[:, None]
    columns = np.arange(region.left, region.right)[None, :]
    near = (abs(rows % BLOCK - BLOCK // 2) > 400) & (abs(columns % BLOCK - BLOCK // 2) > 400)
    distance = np.hypot(rows % 45 - 22.3, columns % 45 - 21.8)
    maxima = np.where(near, np.maximum(1 - distance / 16, 0), 0)
    interior = np.where(near & (distance < 16) & (abs(distance - 13) > 1), 1.0, 0)
    return maxima.astype(np.float32), interior.astype(np.float32)


def _moved(region, down, across):
    return Region(region.top + down, region.left + across, region.bottom + down, region.right + across)


@pytest.mark.parametrize("corner", CORNERS)
def test_cells_in_far_corners_are_labelled_as_in_a_small_image(corner):
    shape = (SIDE, SIDE)
    across = SIDE // BLOCK
    made = {}
    for local in blocks((2 * BLOCK, 2 * BLOCK), (BLOCK, BLOCK)):
        core = _moved(local, *corner)
        index = core.top // BLOCK * across + core.left // BLOCK
        made[index] = label_block(_read, core, shape, WHOLE_CELL)
    objects = merge_objects(block.objects for block in made.values())
    mosaic = Mosaic(shape, (BLOCK, BLOCK), made.__getitem__)
    # Objects at the border of what was made are incomplete; nothing beyond may be read.
    window = Region(corner[0] + 300, corner[1] + 300, corner[0] + 2 * BLOCK - 300, corner[1] + 2 * BLOCK - 300)
    inside = (objects.boxes[:, :2] >= [window.top, window.left]).all(1) & (
        objects.boxes[:, 2:] <= [window.bottom, window.right]
    ).all(1)
    resolution = resolve_objects([objects.take(inside)], mosaic.identities, shape, WHOLE_CELL)
    labels = finish_region(mosaic.identities(window), resolution, window)

    expected = label_image(*_read(window), WHOLE_CELL)
    assert expected.max() > 10
    np.testing.assert_array_equal(labels, expected)
    assert len(resolution) == expected.max()
    rows, columns = np.divmod(resolution.identities - 1, SIDE)
    assert window.top <= rows.min() <= rows.max() < window.bottom
    assert window.left <= columns.min() <= columns.max() < window.right
