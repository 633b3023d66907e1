"""Cells that tuning shows of a crop are those that a run over the whole image finds, whatever the settings."""

from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cellscale.errors import RequestError
from cellscale.images.array import ArrayImage
from cellscale.images.info import PixelSize
from cellscale.images.pixel_size import choose_pixel_size
from cellscale.label.growth import Growth
from cellscale.label.parameters import NUCLEUS, WHOLE_CELL
from cellscale.pipeline.budget import Budget
from cellscale.pipeline.events import ignore
from cellscale.pipeline.image_run import ImageRun
from cellscale.pipeline.resume.state import RunState
from cellscale.pipeline.segmenting import grown_cells, network_input, segment_channels
from cellscale.pipeline.tuning import Change, FoundHow, TunedImage, changed, touched_labels, usual_crop
from cellscale.predict.network import OnnxNetwork
from cellscale.preprocess.preprocessing import Preprocessing
from cellscale.regions import Region
from tests.pipeline.spots import spots
from tests.pipeline.test_regions import in_area

PLANES = spots((420, 460), seed=5)
CROP = Region(90, 130, 260, 330)
USUAL = FoundHow()
SETTINGS = [
    USUAL,
    replace(USUAL, whole_cell=replace(WHOLE_CELL, maxima_threshold=0.3, interior_smoothing=4.0)),
    replace(USUAL, nuclear=replace(NUCLEUS, label_erosion=1, small_objects=60)),
    replace(USUAL, expand_cells=Growth(length=5)),
    replace(USUAL, compartments=("nuclear",), expand_cells=Growth(length=2, unit="um")),
    replace(USUAL, preprocessing=Preprocessing(clahe=False)),
    USUAL,
]
"""In this order, so that what is kept of one is used for the next."""


@pytest.fixture(scope="module")
def network(tiny_model):
    return OnnxNetwork(tiny_model, threads=1)


def opener(mpp):
    image = ArrayImage(PLANES, channel_names=["DAPI", "Membrane"], pixel_size=PixelSize(mpp, mpp))

    @contextmanager
    def open_input(how):
        size = choose_pixel_size(image.info)
        yield network_input(image, preprocessing=how.preprocessing, pixel_size=size)

    return open_input


@pytest.fixture
def tuned(network, request):
    image = TunedImage("image", opener(getattr(request, "param", 0.5)), lambda: network, Budget(2, 2**30))
    yield image
    image.close()


def whole(model, how, mpp, folder):
    network = OnnxNetwork(model, compartments=how.compartments, threads=1)
    with opener(mpp)(how) as source:
        run = ImageRun("image", ignore, Budget(2, 2**30))
        labels = segment_channels(run, RunState(folder), source, network, how.parameters())
        if how.expand_cells is not None:
            labels = grown_cells(labels, how.expand_cells.pixels(mpp), of_nuclei=how.of_nuclei)
        return {name: found.read(Region(0, 0, *found.shape)) for name, found in labels.items()}


@pytest.mark.slow
@pytest.mark.parametrize(("tuned", "mpp"), [(0.5, 0.5), (0.65, 0.65)], indirect=["tuned"])
def test_cells_of_a_crop_are_those_of_the_whole_image_with_all_settings_in_turn(tuned, mpp, tiny_model, tmp_path):
    box = shapely.box(CROP.left, CROP.top, CROP.right, CROP.bottom)
    for number, how in enumerate(SETTINGS if mpp == 0.5 else SETTINGS[3:5]):
        found = tuned.cells(how, CROP)
        expected = whole(tiny_model, how, mpp, tmp_path / str(number))
        assert found.labels.keys() == expected.keys()
        decides = in_area(expected["whole-cell"], box)
        for name, labels in found.labels.items():
            kept = in_area(expected[name], box)
            if how.of_nuclei:  # the grown cells decide for both
                numbers = np.zeros(expected["whole-cell"].max() + 1, np.int32)
                numbers[expected["whole-cell"]] = decides
                kept = numbers[expected[name]]
            assert kept.max() > 3
            np.testing.assert_array_equal(labels, kept[found.shown.slices])
            assert len(found.areas(name)) == len(np.unique(labels)) - 1


def test_areas_of_pixels_that_are_not_square_are_those_of_their_sides(network):
    image = ArrayImage(PLANES, channel_names=["DAPI", "Membrane"], pixel_size=PixelSize(0.4, 0.6))

    @contextmanager
    def open_input(how):
        yield network_input(image, preprocessing=how.preprocessing, pixel_size=choose_pixel_size(image.info))

    tuned = TunedImage("image", open_input, lambda: network, Budget(2, 2**30))
    try:
        found = tuned.cells(USUAL, Region(90, 130, 190, 230))
    finally:
        tuned.close()
    assert found.mpp**2 == pytest.approx(0.4 * 0.6)


def test_a_crop_outside_the_image_is_told(tuned):
    with pytest.raises(RequestError, match=r"x 400 to 500 and y 0 to 9; the image has 460 x 420 pixels"):
        tuned.cells(USUAL, Region(0, 400, 9, 500))


def test_the_usual_crop_is_the_middle_at_the_networks_size():
    assert usual_crop((4000, 3000)) == Region(1488, 988, 2512, 2012)
    assert usual_crop((4000, 300), factor=0.5) == Region(976, 0, 3024, 300)


def test_changes_are_counted_by_pixels():
    before = np.array([[1, 1, 0, 2, 0, 3]], np.int32)
    now = np.array([[7, 7, 0, 2, 2, 0]], np.int32)
    assert changed(before, now) == Change(same=1, changed=1, new=0, gone=1)
    assert changed(np.zeros((1, 6), np.int32), now) == Change(same=0, changed=0, new=2, gone=0)


def test_touched_are_those_that_are_new_or_have_other_pixels():
    before, now = np.zeros((6, 12), np.int32), np.zeros((6, 12), np.int32)
    before[1, 1:3], before[3, 1:5] = 1, 2
    now[1, 1:3], now[3, 1:4], now[5, 5] = 7, 2, 4  # the same under another number, smaller, new
    assert touched_labels(before, now).tolist() == [2, 4]
    assert touched_labels(before, before).size == 0
    assert touched_labels(now, np.zeros_like(now)).size == 0


@given(*[arrays(np.int32, (6, 6), elements=st.integers(0, 4)) for _ in range(2)])
def test_changes_are_those_of_sets_of_pixels(before, now):
    def pixels(labels):
        return [frozenset(np.flatnonzero(labels.ravel() == one)) for one in np.unique(labels[labels > 0])]

    old, new = pixels(before), pixels(now)
    same = sum(one in old for one in new)
    fresh = sum(not any(one & other for other in old) for one in new)
    gone = sum(not any(one & other for other in new) for one in old)
    assert changed(before, now) == Change(same, len(new) - same - fresh, fresh, gone)
