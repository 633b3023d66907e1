"""What a person sets about channels, preprocessing and labels gives in tiles what it gives for the whole image."""

import numpy as np
import pyarrow.parquet as pq
import pytest
import tifffile
from skimage.segmentation import expand_labels, find_boundaries, relabel_sequential

from cellscale.images.array import ArrayImage
from cellscale.images.info import PixelSize
from cellscale.images.pixel_size import choose_pixel_size
from cellscale.label.parameters import NUCLEUS, WHOLE_CELL, Parameters
from cellscale.pipeline.budget import Budget
from cellscale.pipeline.events import ignore
from cellscale.pipeline.image_run import ImageRun
from cellscale.pipeline.resume.state import RunState
from cellscale.pipeline.segmenting import block_store, preparation
from cellscale.pipeline.segmenting.inputs import network_input
from cellscale.pipeline.segmenting.methods import grown_cells
from cellscale.pipeline.segmenting.predict_and_label import segment_channels
from cellscale.pipeline.segmenting.preparation import prepare
from cellscale.predict.network import OnnxNetwork
from cellscale.preprocess.preprocessing import Preprocessing
from cellscale.regions import Region, blocks
from tests.cli.runs import contents, run
from tests.pipeline.spots import spots, write_dataset, write_image

PLANES = spots((300, 340), seed=6)
NAMES = ["DAPI", "CD3", "PanCK"]


def bright_and_dim(dtype="uint16"):
    """A nucleus and two membranes, of which one is a hundred times as bright."""
    dim = np.roll(PLANES[1], (40, 70), (0, 1)) // 100
    return np.stack([PLANES[0], PLANES[1], dim]).astype(dtype)


def source_of(planes, mpp=0.5, **options):
    image = ArrayImage(planes, channel_names=NAMES[: len(planes)], pixel_size=PixelSize(mpp, mpp))
    membrane = NAMES[1 : len(planes)]
    return network_input(image, membrane=membrane, pixel_size=choose_pixel_size(image.info), **options)


def labels_of(planes, network, folder, parameters=WHOLE_CELL, mpp=0.5, workers=1, **options):
    run = ImageRun("image", ignore, Budget(workers, 2**30))
    wanted = {"whole-cell": parameters, "nuclear": NUCLEUS}
    return segment_channels(run, RunState(folder), source_of(planes, mpp, **options), network, wanted)


def read(labels):
    return labels.read(Region(0, 0, *labels.shape))


@pytest.fixture(scope="module")
def network(tiny_model):
    return OnnxNetwork(tiny_model, threads=1)


@pytest.fixture
def small_units(monkeypatch):
    monkeypatch.setattr(block_store, "BLOCK", 70)
    monkeypatch.setattr(preparation, "STEP", (90, 110))


@pytest.mark.parametrize("mpp", [0.5, 0.65])
def test_labels_grow_as_those_of_the_whole_image_by_scikit_image(tmp_path, network, small_units, mpp):
    labels = labels_of(PLANES, network, tmp_path, mpp=mpp)
    whole = read(labels["whole-cell"])
    assert whole.max() > 20
    for growth in (2.9, 12):
        cells = grown_cells(labels, growth, of_nuclei=False)["whole-cell"]
        expected = expand_labels(whole, growth)
        np.testing.assert_array_equal(read(cells), expected)
        for band in blocks(whole.shape, (37, 340)):
            np.testing.assert_array_equal(cells.read(band), expected[band.slices])


def test_grown_nuclei_are_cells_with_the_numbers_of_the_nuclei(tmp_path, network):
    labels = labels_of(PLANES, network, tmp_path)
    nuclei = read(labels["nuclear"])
    cells = grown_cells({"nuclear": labels["nuclear"]}, 6, of_nuclei=True)
    np.testing.assert_array_equal(read(cells["whole-cell"]), expand_labels(nuclei, 6))
    np.testing.assert_array_equal(read(cells["nuclear"]), nuclei)
    assert list(cells) == ["whole-cell", "nuclear"]


def test_labels_are_eroded_as_those_of_the_whole_image_by_scikit_image(tmp_path, network, small_units):
    plain = Parameters(maxima_threshold=0.075, small_objects=0, holes=0)
    expected = read(labels_of(PLANES, network, tmp_path / "plain", plain)["whole-cell"])
    for _ in range(2):
        expected[find_boundaries(expected, mode="inner")] = 0
    eroding = Parameters(maxima_threshold=0.075, small_objects=0, holes=0, label_erosion=2)
    found = labels_of(PLANES, network, tmp_path / "eroded", eroding, workers=2)["whole-cell"]
    np.testing.assert_array_equal(read(found), relabel_sequential(expected)[0])
    assert found.count == expected.astype(bool).any() * len(np.unique(expected)) - 1


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
@pytest.mark.parametrize("rescale", ["percentile", "minmax", "zscore"])
def test_channels_are_rescaled_by_the_whole_image_before_they_are_combined(tmp_path, small_units, rescale, dtype):
    planes = bright_and_dim(dtype) * (1 if dtype == "uint16" else np.float32(0.3))
    source = source_of(planes, rescale=rescale, combine="mean")
    run = ImageRun("image", ignore, Budget(2, 2**30))
    found = prepare(run, RunState(tmp_path), source).read(Region(0, 0, 300, 340))
    combined = np.mean([scaled(plane.astype(np.float64), rescale) for plane in planes[1:]], axis=0)
    once = source_of(np.stack([planes[0].astype(np.float32), combined.astype(np.float32)]))
    expected = prepare(run, RunState(tmp_path / "once"), once).read(Region(0, 0, 300, 340))
    # Floats are summed by blocks: the last digit of their mean may be another, and so the grey level of a pixel.
    assert (found[1] != expected[1]).mean() <= (0 if dtype == "uint16" else 1e-3)


def scaled(plane, rescale):
    if rescale == "zscore":
        return (plane - plane.mean()) / plane.std()
    top = plane.max()
    if rescale == "percentile":
        top = np.percentile(plane[plane != 0], 99.9)
        top = np.floor(top) if (plane == np.floor(plane)).all() else np.float32(top)
    return (np.minimum(plane, top) - plane.min()) / (top - plane.min())


def test_rescaling_makes_a_dim_channel_count(tmp_path):
    planes = bright_and_dim()
    run = ImageRun("image", ignore, Budget(1, 2**30))
    seen = {
        rescale: prepare(run, RunState(tmp_path / rescale), source_of(planes, rescale=rescale)).read(
            Region(0, 0, 300, 340)
        )[1]
        for rescale in ("none", "minmax")
    }
    dim = planes[2].astype(float)
    assert np.corrcoef(seen["none"].ravel(), dim.ravel())[0, 1] < 0.2
    assert np.corrcoef(seen["minmax"].ravel(), dim.ravel())[0, 1] > 0.4


def test_facts_of_rescaling_are_kept_for_a_run_that_goes_on(tmp_path):
    run = ImageRun("image", ignore, Budget(1, 2**30))
    source = source_of(bright_and_dim(), rescale="zscore")
    prepare(run, RunState(tmp_path), source)
    before = len(run.records)
    prepare(run, RunState(tmp_path), source)
    assert len(run.records) == before
    (tmp_path / "scalings.json").write_text('{"nucleus": []}', encoding="utf-8")
    prepare(run, RunState(tmp_path), source)
    assert [record.stage for record in run.records[before:]] == ["channels"]


def test_one_channel_alone_is_not_rescaled_and_masks_of_before_still_fit():
    plain, one = source_of(PLANES), source_of(PLANES, rescale="zscore", combine="sum")
    assert one.separate == ((), ())
    assert one.choice == plain.choice
    assert source_of(PLANES, preprocessing=Preprocessing(percentile=99)).choice != plain.choice
    assert source_of(bright_and_dim(), rescale="minmax").choice != source_of(bright_and_dim()).choice


@pytest.fixture(scope="module")
def dataset(tmp_path_factory, tiny_model):
    """A dataset with cells made of nuclei, measured."""
    dataset = tmp_path_factory.mktemp("dataset")
    write_image(dataset / "OMETIFF" / "image.ome.tiff", PLANES[:1], ["DAPI"])
    done = measured(tiny_model, dataset)
    assert done.statuses == {"image": "done"}, done.stderr
    return dataset


def measured(model, dataset, growth="3um"):
    options = ["--compartment", "nuclear", "--expand_cells", growth, "--nuclear_channel", "DAPI"]
    return run("segment-and-measure", "--model_path", model, *options, "workspace", dataset)


def masks(dataset):
    return [tifffile.imread(dataset / "SEGMASK" / f"image_{name}Mask.tiff") for name in ("WholeCell", "Nucleus")]


def test_nuclei_alone_make_cells_that_are_measured(dataset):
    cells, nuclei = masks(dataset)
    np.testing.assert_array_equal(cells, expand_labels(nuclei, 6))
    table = pq.read_table(dataset / "REPORTS" / "image_QUANT.parquet")
    assert table["Cell label"].to_pylist() == table["Nucleus label"].to_pylist() == list(range(1, nuclei.max() + 1))
    text = "".join(record.read_text(encoding="utf-8") for record in (dataset / "jobs").rglob("image*.json"))
    plain = text.replace(" ", "").replace("\n", "")
    assert '"expand_cells":{"length":3.0,"unit":"um"}' in plain
    assert '"pixel_expansion":6.0' in plain
    assert '"cells_of_nuclei":true' in plain


def test_the_same_again_is_kept_and_another_length_made_again(dataset, tmp_path, tiny_model):
    assert measured(tiny_model, dataset).statuses == {"image": "kept"}
    nuclei = masks(dataset)[1]
    assert measured(tiny_model, dataset, "2px").statuses == {"image": "done"}
    np.testing.assert_array_equal(masks(dataset)[0], expand_labels(nuclei, 2))


def test_more_than_labels_can_grow_fails_the_image_and_no_other(tmp_path, tiny_model):
    dataset = write_dataset(tmp_path, coarse=spots((60, 80)))
    write_image(dataset / "OMETIFF" / "fine.ome.tiff", spots((60, 80)), mpp=0.1)
    done = run("segment", "--model_path", tiny_model, "--expand_cells", "15um", "workspace", dataset)
    assert done.statuses == {"coarse": "done", "fine": "failed"}
    assert "15um, which are 150 pixels at 0.1 µm/px; at most 100" in done.errors["fine"]
    assert contents(dataset / "SEGMASK").keys() == {"coarse_WholeCellMask.tiff", "coarse_NucleusMask.tiff"}
