"""An image of more than 2^31 pixels is segmented right up to its far corners."""

import numpy as np
import pytest
import shapely

from cellscale.annotations import DrawnRegion, DrawnRegions, WantedArea
from cellscale.images.info import Channel, ImageInfo, PixelSize
from cellscale.images.pixel_size import choose_pixel_size
from cellscale.label.parameters import WHOLE_CELL
from cellscale.pipeline.area import Part
from cellscale.pipeline.budget import Budget
from cellscale.pipeline.events import ignore
from cellscale.pipeline.image_run import ImageRun
from cellscale.pipeline.resume.state import RunState
from cellscale.pipeline.segmenting.inputs import network_input
from cellscale.pipeline.segmenting.predict_and_label import segment_channels
from cellscale.predict.network import OnnxNetwork
from cellscale.preprocess.preprocessing import Preprocessing
from cellscale.regions import Region

SIDE = 46_400
RADIUS = 7
NEAR, FAR = (20, 60, 110), tuple(SIDE - offset for offset in (111, 61, 21))
CENTRES = sorted((row, column) for rows in (NEAR, FAR) for row in rows for column in (*NEAR, *FAR))


class Corners:
    """A black image with nine bright spots in each corner, made where it is read."""

    def __init__(self):
        channels = (Channel(0, "DAPI"), Channel(1, "Membrane"))
        self.info = ImageInfo("corners", None, SIDE, SIDE, np.dtype(np.uint8), channels, PixelSize(0.5, 0.5))

    def read(self, channels, region, level=0):
        pixels = np.zeros((len(channels), *region.shape), np.uint8)
        reach = np.arange(-RADIUS, RADIUS + 1)
        spot = np.clip(255 - 30 * np.hypot(reach[:, None], reach), 0, 255).astype(np.uint8)
        for row, column in CENTRES:
            spotted = Region(row - RADIUS, column - RADIUS, row + RADIUS + 1, column + RADIUS + 1)
            part = Region(
                max(spotted.top, region.top),
                max(spotted.left, region.left),
                min(spotted.bottom, region.bottom),
                min(spotted.right, region.right),
            )
            if part.height > 0 and part.width > 0:
                pixels[:, *part.within(region)] = spot[part.within(spotted)]
        return pixels

    def close(self):
        pass


def found_in(folder, model, part=None, *, clahe=True):
    """Return the labels of whole cells (nuclei take the same way) and the run that found them."""
    image = Corners()
    source = network_input(image, pixel_size=choose_pixel_size(image.info), preprocessing=Preprocessing(clahe=clahe))
    run = ImageRun("corners", ignore, Budget.choose(2, 3 * 10**9))
    network = OnnxNetwork(model, compartments=("whole-cell",))
    found = segment_channels(run, RunState(folder), source, network, {"whole-cell": WHOLE_CELL}, part=part)
    return found["whole-cell"], run


def assert_all_found(labels, run):
    assert SIDE**2 > 2**31
    assert labels.count == len(CENTRES)
    at_centres = [int(labels.read(Region(row, column, row + 1, column + 1))[0, 0]) for row, column in CENTRES]
    for first in range(0, len(CENTRES), 6):  # those of one row may begin a pixel higher or lower
        assert sorted(at_centres[first : first + 6]) == list(range(first + 1, first + 7))
    assert max(record.peak_memory for record in run.records) < 3 * 10**9


@pytest.mark.slow
def test_cells_in_the_corners_are_found_and_numbered_in_raster_order(tmp_path, tiny_model):
    corners = [shapely.box(left, top, left + 200, top + 200) for top in (0, SIDE - 200) for left in (0, SIDE - 200)]
    drawn = tuple(DrawnRegion(f"corner {number}", corner) for number, corner in enumerate(corners))
    part = Part(WantedArea.of(DrawnRegions(drawn, "test"), shapely.Polygon()))
    labels, run = found_in(tmp_path, tiny_model, part, clahe=False)
    assert_all_found(labels, run)


@pytest.mark.hostile
def test_so_they_are_where_the_whole_image_is_segmented(tmp_path, tiny_model):
    labels, run = found_in(tmp_path, tiny_model)
    assert_all_found(labels, run)
    assert labels.resolution.identities[-1] > 2**31
