"""Networks like InstanSeg: cells of a part of an image are those of the whole image, pixel for pixel."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import shapely
import tifffile

from cellscale.errors import ModelError
from cellscale.images.array import ArrayImage
from cellscale.images.info import PixelSize
from cellscale.images.pixel_size import choose_pixel_size
from cellscale.label.parameters import NUCLEUS, WHOLE_CELL
from cellscale.pipeline.area import Part, area_cores
from cellscale.pipeline.budget import Budget
from cellscale.pipeline.events import ignore
from cellscale.pipeline.image_run import ImageRun
from cellscale.pipeline.resume.state import RunState
from cellscale.pipeline.segmenting import block_store, predict_and_label
from cellscale.pipeline.segmenting.inputs import network_input
from cellscale.pipeline.segmenting.methods import grown_cells, seed_method
from cellscale.pipeline.segmenting.methods.scaling import prepare_scaled
from cellscale.pipeline.segmenting.predict_and_label import segment_channels
from cellscale.predict.input_format import INSTANSEG_INPUT
from cellscale.predict.instanseg import SeedNetwork, seed_model
from cellscale.regions import Region
from cellscale.weights.catalogue import INSTANSEG
from cellscale.weights.resolve import installed_model
from tests.pipeline.spots import spots
from tests.pipeline.test_regions import HOLED, area, in_area, read
from tests.predict.seed_network import seed_network

PLANES = spots((400, 450), seed=12)
BOTH = {"whole-cell": WHOLE_CELL, "nuclear": NUCLEUS}
GIVEN = replace(INSTANSEG_INPUT, tile=64)


@pytest.fixture(scope="module")
def network():
    return SeedNetwork(seed_network(), threads=1, name="spots")


def opened(planes=PLANES, mpp=0.5, given=GIVEN):
    image = ArrayImage(planes, channel_names=["DAPI", "Membrane"], pixel_size=PixelSize(mpp, mpp))
    source = network_input(image, pixel_size=choose_pixel_size(image.info), apart=True, input_format=given)
    return source, ImageRun("image", ignore, Budget(2, 2**30))


def segmented(network, folder, part=None, mpp=0.5, parameters=BOTH):
    source, run = opened(mpp=mpp)
    return segment_channels(run, RunState(folder), source, network, parameters, part=part), run


@pytest.fixture
def small_blocks(monkeypatch):
    for module in (block_store, predict_and_label, seed_method):
        monkeypatch.setattr(module, "BLOCK", 90)


@pytest.fixture(scope="module")
def whole(network, tmp_path_factory):
    return {mpp: segmented(network, tmp_path_factory.mktemp("whole"), mpp=mpp)[0] for mpp in (0.5, 0.65)}


def require_those_of(whole, found, polygon):
    """Expect the whole image's cells whose centre is in a polygon, and the nuclei that they have."""
    cells, nuclei = read(whole["whole-cell"]), read(whole["nuclear"])
    kept = in_area(cells, polygon)
    assert kept.max() > 3
    np.testing.assert_array_equal(read(found["whole-cell"]), kept)
    np.testing.assert_array_equal(read(found["nuclear"]), np.where(nuclei > 0, kept, 0))
    for labels in found.values():
        assert labels.count == len(np.unique(read(labels))) - 1 == read(labels).max()


@pytest.mark.slow
def test_cells_and_nuclei_of_a_region_are_those_of_the_whole_image(network, whole, tmp_path, small_blocks):
    found, _ = segmented(network, tmp_path, Part(area(HOLED)))
    require_those_of(whole[0.5], found, HOLED)


def test_only_squares_that_a_region_touches_are_predicted(network, tmp_path):
    _, run = segmented(network, tmp_path, Part(area(shapely.box(0, 0, 60, 50))))
    # 4 x 4 of 7 x 8 squares show the region with 96 pixels around it and the 68 on which their labels depend.
    assert [record.units for record in run.records if record.stage == "network"] == [4 * 4]


@pytest.mark.slow
def test_a_margin_that_is_too_small_grows(network, whole, tmp_path, small_blocks, monkeypatch):
    monkeypatch.setattr(area_cores, "FIRST_MARGIN", 1)
    found, run = segmented(network, tmp_path, Part(area(HOLED)))
    assert sum(record.stage == "labels" for record in run.records) > 1
    require_those_of(whole[0.5], found, HOLED)


@pytest.mark.slow
def test_cells_of_a_region_at_another_pixel_size_grow(network, whole, tmp_path):
    found, _ = segmented(network, tmp_path, Part(area(HOLED), growth=7.5), mpp=0.65)
    grown = grown_cells(whole[0.65], 7.5, of_nuclei=False)
    require_those_of(grown, found, HOLED)


@pytest.mark.slow
def test_one_compartment_of_a_region(network, tmp_path, small_blocks):
    alone, _ = segmented(network, tmp_path / "whole", parameters={"nuclear": NUCLEUS})
    found, _ = segmented(network, tmp_path / "part", Part(area(HOLED)), parameters={"nuclear": NUCLEUS})
    np.testing.assert_array_equal(read(found["nuclear"]), in_area(read(alone["nuclear"]), HOLED))


@pytest.mark.slow
def test_a_region_that_was_interrupted_is_finished_with_the_same_cells(network, whole, tmp_path, small_blocks):
    calls = []

    class Failing(SeedNetwork):
        def predict(self, image, margins):
            calls.append(1)
            if len(calls) == 30:
                raise RuntimeError("the power is cut")
            return super().predict(image, margins)

    with pytest.raises(RuntimeError, match="power"):
        segmented(Failing(seed_network(), threads=1), tmp_path, Part(area(HOLED)))
    found, run = segmented(network, tmp_path, Part(area(HOLED)))
    assert any(record.earlier_units for record in run.records)
    require_those_of(whole[0.5], found, HOLED)


@pytest.mark.slow
def test_cells_of_a_region_of_a_real_image(shared, tmp_path, small_blocks):
    try:
        model = seed_model(installed_model(INSTANSEG).path)
    except ModelError as error:
        pytest.skip(str(error))
    image = tifffile.imread(shared / "data" / "workspace" / "OMETIFF" / "TissueSample.ome.tiff")[:, :230, :250]
    network = SeedNetwork(model, threads=1, name="InstanSeg")

    def found(folder, part=None):
        source, run = opened(image, given=replace(INSTANSEG_INPUT, tile=128))
        return segment_channels(run, RunState(tmp_path / folder), source, network, BOTH, part=part)

    polygon = shapely.Polygon([(60, 40), (190, 60), (150, 160), (40, 120)])
    require_those_of(found("whole"), found("part", Part(area(polygon))), polygon)


def test_brightness_may_be_judged_by_the_regions_alone(tmp_path):
    planes = PLANES.copy()
    planes[:, :, 300:] = 60_000
    wanted = area(shapely.box(20, 60, 180, 290), left_out=shapely.box(20, 60, 100, 80))
    source, run = opened(planes)
    source = replace(source, judged=partial(wanted.pixels, image=planes.shape[1:]))
    found = prepare_scaled(run, RunState(tmp_path), source, INSTANSEG_INPUT.normalisation)
    inside = wanted.pixels(Region(0, 0, *planes.shape[1:]), planes.shape[1:], planes.shape[1:])
    for plane, (offset, divisor) in zip(planes, found.scales, strict=True):
        low, high = np.percentile(plane[inside], [0.1, 99.9])
        assert (offset, divisor) == pytest.approx((low, high - low + 1e-6))
        assert divisor < np.percentile(plane, 99.9) - low
