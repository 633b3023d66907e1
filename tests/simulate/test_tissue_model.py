"""Pictures and truth of simulated tissue."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from cellscale.errors import RequestError
from cellscale.regions import Region
from cellscale.simulate import TissueModel, tissue
from cellscale.simulate.kinds import Kind
from cellscale.simulate.marker_panel import MARKERS

SHAPE = (300, 420)


@pytest.fixture(scope="module")
def model():
    return TissueModel(SHAPE, seed=11, channels=("DAPI", "Membrane", "CD3"))


@pytest.fixture(scope="module")
def whole(model):
    region = Region(0, 0, *SHAPE)
    return model.block(region), *model.labels(region)


@pytest.fixture(scope="module")
def large():
    return tissue((1024, 1024), seed=5, channels=("DAPI", "Membrane", "CD3", "CD8", "CD20", "PanCK", "Ki67"))


def mean_by_cell(labels, plane):
    return ndimage.mean(plane, labels, np.arange(1, labels.max() + 1))


@settings(max_examples=25)
@given(st.data())
def test_any_block_equals_its_part_of_the_whole(model, whole, data):
    top, left = data.draw(st.integers(0, SHAPE[0] - 1)), data.draw(st.integers(0, SHAPE[1] - 1))
    bottom, right = data.draw(st.integers(top + 1, SHAPE[0])), data.draw(st.integers(left + 1, SHAPE[1]))
    region = Region(top, left, bottom, right)
    image, cells, nuclei = whole
    np.testing.assert_array_equal(model.block(region), image[:, top:bottom, left:right])
    found_cells, found_nuclei = model.labels(region)
    np.testing.assert_array_equal(found_cells, cells[region.slices])
    np.testing.assert_array_equal(found_nuclei, nuclei[region.slices])


def test_the_same_seed_gives_the_same_tissue(whole):
    again = tissue(SHAPE, 11, ("DAPI", "Membrane", "CD3"))
    np.testing.assert_array_equal(again.image, whole[0])
    np.testing.assert_array_equal(again.whole_cell, whole[1])
    np.testing.assert_array_equal(again.nucleus, whole[2])


def test_other_seeds_and_other_images_of_a_series_differ(whole):
    for other in (tissue(SHAPE, 12), tissue(SHAPE, 11, index=1)):
        assert (other.whole_cell != whole[1]).mean() > 0.5


def test_a_channel_does_not_depend_on_the_others(whole):
    alone = tissue(SHAPE, 11, ("CD3",))
    np.testing.assert_array_equal(alone.image[0], whole[0][2])


@pytest.mark.slow
def test_labels_are_numbered_without_gaps_and_shared_by_nucleus_and_cell(large, model, whole):
    for cells, nuclei in ((large.whole_cell, large.nucleus), whole[1:]):
        assert cells.dtype == nuclei.dtype == np.int32
        np.testing.assert_array_equal(np.unique(cells), np.arange(cells.max() + 1))
        assert (nuclei[nuclei > 0] == cells[nuclei > 0]).all()
    assert model.numbering.total == whole[1].max()


def test_cells_and_nuclei_have_the_sizes_of_real_ones(large):
    inner = np.unique(large.whole_cell[40:-40, 40:-40])[1:]
    cells = 0.5 * np.sqrt(4 / np.pi * np.bincount(large.whole_cell.ravel())[inner])
    nuclei = 0.5 * np.sqrt(4 / np.pi * np.bincount(large.nucleus.ravel(), minlength=inner.max() + 1)[inner])
    assert np.mean((cells > 7) & (cells < 17)) > 0.9
    assert np.mean((nuclei > 5) & (nuclei < 11)) > 0.85
    assert 0.005 < np.mean(nuclei == 0) < 0.06


def test_cells_are_in_one_piece_and_many_touch(large):
    cells = large.whole_cell
    pieces = sum(
        ndimage.label(cells[box] == i + 1, np.ones((3, 3)))[1] for i, box in enumerate(ndimage.find_objects(cells))
    )
    assert pieces < 1.02 * cells.max()
    beside = (cells[:, 1:] != cells[:, :-1]) & (cells[:, 1:] > 0) & (cells[:, :-1] > 0)
    assert np.unique(cells[:, 1:][beside]).size > 0.4 * cells.max()


def test_stains_lie_where_they_belong(large):
    dapi, membrane = large.image[:2].astype(float)
    nuclear, cellular = large.nucleus > 0, large.whole_cell > 0
    assert dapi[nuclear].mean() > 4 * dapi[~nuclear].mean()
    assert membrane[cellular & ~nuclear].mean() > 2 * membrane[nuclear].mean()
    assert membrane[cellular].mean() > 2.5 * membrane[~cellular].mean()


def test_markers_are_expressed_together_as_in_real_cells(large):
    shape = (1024, 1024)
    model = TissueModel(shape, seed=5, channels=("DAPI",))
    kinds = np.zeros(model.numbering.total + 1, int)
    for row in range(-1, model.numbering.rows):
        for column in range(-1, model.numbering.columns):
            kinds[model.numbering.of_patch(row, column)] = model.settlement.patch(row, column)["kind"]
    means = {
        name: mean_by_cell(large.whole_cell, plane)
        for name, plane in zip(large.channel_names, large.image, strict=True)
    }

    def level(name, kind):
        return np.median(means[name][kinds[1:] == kind])

    for positive, negative in ((Kind.HELPER_T, Kind.B), (Kind.CYTOTOXIC_T, Kind.EPITHELIAL)):
        assert level("CD3", positive) > 2.5 * level("CD3", negative)
    assert level("CD8", Kind.CYTOTOXIC_T) > 2.5 * level("CD8", Kind.HELPER_T)
    assert level("CD20", Kind.B) > 2.5 * level("CD20", Kind.HELPER_T)
    assert level("PanCK", Kind.EPITHELIAL) > 2.5 * level("PanCK", Kind.FIBROBLAST)
    proliferating = means["Ki67"] > 2.5 * np.median(means["Ki67"])
    assert 0.02 < proliferating[kinds[1:] == Kind.EPITHELIAL].mean() < 0.4


def test_pictures_are_noisy_have_background_and_saturated_specks(large):
    dapi = large.image[0]
    glass = dapi[ndimage.distance_transform_edt(large.whole_cell == 0) > 8]
    assert glass.std() > 20
    assert glass.mean() > 160
    assert 0 < np.mean(large.image == 65535) < 1e-3


def test_eight_bit_pictures_use_their_range():
    image = tissue((256, 256), 2, ("DAPI", "Membrane"), dtype=np.uint8).image
    assert image.dtype == np.uint8
    assert np.percentile(image, 99.5) > 90
    assert np.median(image) < 60


@pytest.mark.parametrize("shape", [(1, 1), (1, 700), (130, 3)])
def test_tiny_images_work(shape):
    made = tissue(shape, 1, ("DAPI",))
    assert made.image.shape == (1, *shape)
    np.testing.assert_array_equal(
        np.unique(made.whole_cell[made.whole_cell > 0]), np.arange(1, made.whole_cell.max() + 1)
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"shape": (0, 5)}, "0 x 5"),
        ({"shape": (5, -1)}, "-1"),
        ({"shape": (5, 1 << 21)}, "1048576"),
        ({"seed": -1}, "negative"),
        ({"index": -1}, "negative"),
        ({"channels": ("DAPI", "CD99")}, "CD99; there are DAPI, Membrane"),
        ({"channels": ()}, "none was named"),
        ({"channels": ("DAPI", "dapi")}, "twice"),
        ({"channels": 0}, "1 to 16"),
        ({"channels": 17}, "1 to 16"),
        ({"dtype": np.float32}, "float32"),
    ],
)
def test_impossible_requests_are_refused(arguments, message):
    with pytest.raises(RequestError, match=message):
        TissueModel(**({"shape": (64, 64)} | arguments))


def test_regions_outside_the_image_are_refused(model):
    for region in (Region(-1, 0, 5, 5), Region(0, 0, 5, 421), Region(5, 5, 5, 9)):
        with pytest.raises(RequestError, match="not inside"):
            model.block(region)


def test_channels_are_chosen_by_name_or_number():
    assert TissueModel((9, 9), channels=("e-CADHERIN", "dapi")).channel_names == ("E-cadherin", "DAPI")
    assert TissueModel((9, 9), channels=3).channel_names == ("DAPI", "Membrane", "PanCK")
    assert TissueModel((9, 9), channels=len(MARKERS)).channel_names == tuple(MARKERS)
