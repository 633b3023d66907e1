"""Cells of a part of an image are those of the whole image, pixel for pixel, and no others."""

import json
import re
from dataclasses import replace
from functools import partial

import h5py
import numpy as np
import pyarrow.parquet as pq
import pytest
import shapely
from skimage.measure import regionprops

from cellscale.annotations import DrawnRegion, DrawnRegions, WantedArea
from cellscale.images.array import ArrayImage
from cellscale.images.info import PixelSize
from cellscale.images.pixel_size import choose_pixel_size
from cellscale.label.parameters import NUCLEUS, Parameters
from cellscale.pipeline.area import Part, area_cores
from cellscale.pipeline.budget import Budget
from cellscale.pipeline.events import ignore
from cellscale.pipeline.image_run import ImageRun
from cellscale.pipeline.resume.state import RunState
from cellscale.pipeline.segmenting import block_store
from cellscale.pipeline.segmenting.inputs import network_input
from cellscale.pipeline.segmenting.methods import grown_cells
from cellscale.pipeline.segmenting.predict_and_label import segment_channels
from cellscale.pipeline.segmenting.preparation import prepare
from cellscale.predict.network import OnnxNetwork
from cellscale.regions import Region
from tests.cli.runs import run as run_command
from tests.pipeline.spots import spots, write_dataset
from tests.qupath.edits.data_editor import TUMOR, Edit, children, drawn, rectangle

PLANES = spots((400, 450), seed=12)
NOTHING = shapely.Polygon()
HOLED = shapely.Polygon([(130, 130), (320, 120), (300, 290), (190, 270)], [[(205, 180), (235, 180), (220, 212)]])
"""In the middle, oblique, with a hole."""


@pytest.fixture(scope="module")
def network(tiny_model):
    return OnnxNetwork(tiny_model, threads=1)


def segmented(network, folder, part=None, mpp=0.5, workers=1, cell=None):
    image = ArrayImage(PLANES, channel_names=["DAPI", "Membrane"], pixel_size=PixelSize(mpp, mpp))
    source = network_input(image, pixel_size=choose_pixel_size(image.info))
    run = ImageRun("image", ignore, Budget(workers, 2**30))
    parameters = {"whole-cell": cell or Parameters(maxima_threshold=0.075), "nuclear": NUCLEUS}
    return segment_channels(run, RunState(folder), source, network, parameters, part=part), run


def read(labels):
    return labels.read(Region(0, 0, *labels.shape))


def area(*polygons, left_out=NOTHING):
    regions = [DrawnRegion(f"R{index}", polygon) for index, polygon in enumerate(polygons)]
    return WantedArea.of(DrawnRegions(tuple(regions), "test"), left_out)


def in_area(labels, polygon):
    """Leave out, of whole labels, those whose centre is not in a polygon, and number the rest anew."""
    numbers = np.zeros(labels.max() + 1, np.int32)
    kept = [
        one.label
        for one in regionprops(labels)
        if polygon.intersects(shapely.Point(*(np.array(one.centroid)[::-1] + 0.5)))
    ]
    numbers[kept] = np.arange(1, len(kept) + 1)
    return numbers[labels]


@pytest.fixture(scope="module")
def whole(network, tmp_path_factory):
    return {mpp: segmented(network, tmp_path_factory.mktemp("whole"), mpp=mpp)[0] for mpp in (0.5, 0.65)}


@pytest.mark.slow
@pytest.mark.parametrize(("mpp", "block"), [(0.5, 90), (0.65, 1024)])
def test_cells_of_a_region_are_those_of_the_whole_image(network, whole, tmp_path, monkeypatch, mpp, block):
    monkeypatch.setattr(block_store, "BLOCK", block)
    monkeypatch.setattr("cellscale.pipeline.segmenting.predict_and_label.BLOCK", block)
    found, _ = segmented(network, tmp_path, Part(area(HOLED)), mpp, workers=2)
    for compartment, labels in whole[mpp].items():
        expected = in_area(read(labels), HOLED)
        assert expected.max() > 3
        np.testing.assert_array_equal(read(found[compartment]), expected)
        assert found[compartment].count == expected.max()


@pytest.mark.slow
def test_a_margin_that_is_too_small_grows_until_nothing_can_change_a_cell(network, whole, tmp_path, monkeypatch):
    monkeypatch.setattr(area_cores, "FIRST_MARGIN", 1)
    monkeypatch.setattr(block_store, "BLOCK", 90)
    monkeypatch.setattr("cellscale.pipeline.segmenting.predict_and_label.BLOCK", 90)
    found, run = segmented(network, tmp_path, Part(area(HOLED)))
    _, *later = [record for record in run.records if record.stage == "labels"]
    assert later
    # Blocks of which no more is needed are not labelled again.
    assert later[-1].earlier_units
    np.testing.assert_array_equal(read(found["whole-cell"]), in_area(read(whole[0.5]["whole-cell"]), HOLED))


@pytest.mark.slow
def test_grown_cells_of_a_region_are_those_of_the_whole_image_grown(network, whole, tmp_path):
    found, _ = segmented(network, tmp_path, Part(area(HOLED), growth=8.5))
    expected = read(grown_cells(whole[0.5], 8.5, of_nuclei=False)["whole-cell"])
    np.testing.assert_array_equal(read(found["whole-cell"]), in_area(expected, HOLED))


@pytest.mark.slow
def test_overlapping_regions_count_each_cell_once_and_nothing_that_is_left_out(network, whole, tmp_path):
    left, right = shapely.box(50, 50, 220, 220), shapely.box(150, 50, 320, 220)
    left_out = shapely.Point(185, 130).buffer(40)
    wanted = area(left, right, left_out=left_out)
    found, _ = segmented(network, tmp_path, Part(wanted))
    expected = in_area(read(whole[0.5]["whole-cell"]), shapely.union(left, right) - left_out)
    np.testing.assert_array_equal(read(found["whole-cell"]), expected)
    counts = found["whole-cell"].selection.counts
    assert counts[0] == in_area(read(whole[0.5]["whole-cell"]), left - left_out).max()
    assert sum(counts) == expected.max()


def test_only_tiles_that_a_region_touches_are_predicted(network, tmp_path):
    _, run = segmented(network, tmp_path, Part(area(shapely.box(0, 0, 60, 50))))
    first = next(record for record in run.records if record.stage == "network")
    # 2 x 2 of the 2 x 3 tiles show the region with 96 pixels around it and what is needed to label those.
    assert first.units == 2 * 2


@pytest.mark.slow
def test_a_run_that_goes_on_has_nothing_left_to_label(network, tmp_path):
    first, _ = segmented(network, tmp_path, Part(area(HOLED)))
    again, run = segmented(network, tmp_path, Part(area(HOLED)))
    assert {record.stage for record in run.records} == {"numbering", "regions"}
    np.testing.assert_array_equal(read(again["nuclear"]), read(first["nuclear"]))


def feature(name, *rings, **facts):
    return {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [[*ring, ring[0]] for ring in rings]},
        "properties": {"objectType": "annotation", "name": name, **facts},
    }


def box(left, top, right, bottom):
    return [[left, top], [right, top], [right, bottom], [left, bottom]]


def write_regions(path, *features):
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def dataset(tmp_path_factory, tiny_model):
    """Two images in regions of their own, measured."""
    dataset = write_dataset(
        tmp_path_factory.mktemp("dataset"), alpha=PLANES[:, :200, :220], beta=PLANES[:, 200:, 200:]
    )
    folder = dataset / "regions"
    folder.mkdir()
    write_regions(
        folder / "alpha.geojson", feature("Tumor", box(0, 0, 110, 200)), feature("Stroma", box(110, 0, 220, 90))
    )
    done = measured(tiny_model, dataset)
    assert done.statuses == {"alpha": "done", "beta": "failed"}
    assert "beta.geojson: there is no such file of regions" in done.errors["beta"]
    assert re.search(r"Tumor: \d+ cells, \d+ nuclei \([\d,]+ per mm² on 0.0055 mm²\); Stroma: ", done.stderr)
    return dataset


def measured(model, dataset, *options):
    words = ["--model_path", model, "--regions", dataset / "regions", "--export", "anndata", *options]
    return run_command("segment-and-measure", *words, "workspace", dataset)


def test_tables_name_the_region_of_each_cell(dataset):
    table = pq.read_table(dataset / "REPORTS" / "alpha_QUANT.parquet").to_pylist()
    assert table
    for row in table:
        x, y = row["Centroid X µm"] * 2, row["Centroid Y µm"] * 2
        assert row["Region"] == ("Tumor" if x <= 110 else "Stroma")
        assert x <= 110 or y <= 90
    assert {row["Region"] for row in table} == {"Tumor", "Stroma"}
    lines = (dataset / "REPORTS" / "alpha_QUANT.tsv").read_text(encoding="utf-8").splitlines()
    assert lines[0].endswith("\tRegion")
    assert [line.rpartition("\t")[2] for line in lines[1:]] == [row["Region"] for row in table]
    with h5py.File(dataset / "REPORTS" / "alpha_QUANT.h5ad") as file:
        codes, names = file["obs/drawn_region/codes"][:], file["obs/drawn_region/categories"].asstr()[:]
        assert [names[code] for code in codes] == [row["Region"] for row in table]
        assert set(file["obs/region/categories"].asstr()[:]) == {"alpha_cells"}
    text = "".join(record.read_text(encoding="utf-8") for record in (dataset / "jobs").rglob("alpha*.json"))
    assert '"Stroma"' in text
    page = " ".join(re.sub("<[^>]*>", " ", (dataset / "REPORTS" / "alpha_report.html").read_text("utf-8")).split())
    for name, area in (("Tumor", "0.0055"), ("Stroma", "0.0024[78]")):
        count = sum(row["Region"] == name for row in table)
        assert re.search(rf"{name} {count} \d+ {area} [\d,]+", page)


@pytest.mark.slow
def test_the_same_regions_are_kept_and_others_made_again(dataset, tiny_model):
    assert measured(tiny_model, dataset).statuses["alpha"] == "kept"
    write_regions(dataset / "regions" / "alpha.geojson", feature("Tumor", box(0, 0, 100, 200)))
    assert measured(tiny_model, dataset).statuses["alpha"] == "done"
    table = pq.read_table(dataset / "REPORTS" / "alpha_QUANT.parquet")
    assert set(table["Region"].to_pylist()) == {"Tumor"}


def test_maps_of_the_whole_image_are_not_kept_of_a_part(tmp_path):
    refused = run_command("segment", "--regions", tmp_path, "--keep_intermediates", "workspace", tmp_path)
    refused.explains("--keep_intermediates", "leave it out, or the regions")


def draw_in_project(dataset, *objects):
    """Draw on the first image of the dataset's project, as a person does in QuPath."""
    edit = Edit(dataset / "PROJ" / "data" / "1" / "data.qpdata")
    for thing in objects:
        edit.add(thing)
    edit.save()


@pytest.mark.slow
def test_annotations_of_the_project_are_regions(tmp_path, tiny_model):
    dataset = write_dataset(tmp_path, alpha=PLANES[:, :200, :220])
    words = ["--model_path", tiny_model, "--export", "anndata", "workspace", dataset]
    assert run_command("segment-and-measure", *words).statuses == {"alpha": "done"}
    whole = pq.read_table(dataset / "REPORTS" / "alpha_QUANT.parquet").to_pylist()
    tumor, fold = rectangle(0, 0, 110, 200), rectangle(0, 0, 220, 40)
    draw_in_project(dataset, drawn(path_class=TUMOR, region=tumor), drawn(number=2, name="Fold", region=fold))
    options = ["--regions", "qupath", "--exclude", "qupath:Fold"]
    assert run_command("segment-and-measure", *options, *words).statuses == {"alpha": "done"}
    table = pq.read_table(dataset / "REPORTS" / "alpha_QUANT.parquet").to_pylist()
    found = [row for row in whole if row["Centroid X µm"] * 2 <= 110 and row["Centroid Y µm"] * 2 > 40]
    assert [row["Object ID"] for row in table] == [row["Object ID"] for row in found]
    assert {row["Region"] for row in table} == {"Tumor"}
    lines = (dataset / "REPORTS" / "alpha_QUANT.tsv").read_text(encoding="utf-8").splitlines()
    assert {line.split("\t")[5] for line in lines[1:]} == {"Annotation (Tumor)"}
    annotations = children(Edit(dataset / "PROJ" / "data" / "1" / "data.qpdata").root)
    assert [len(children(thing)) for thing in annotations] == [len(table), 0]
    assert run_command("segment-and-measure", *options, *words).statuses == {"alpha": "kept"}
    failed = run_command("segment-and-measure", "--regions", "qupath:Stroma", *words)
    assert "found: Fold, Tumor" in failed.errors["alpha"]
    assert told_regions(dataset) == {"Tumor": len(table)}
    run_command("segment", "--regions", "qupath:Fold", "--model_path", tiny_model, "workspace", dataset)
    assert told_regions(dataset).keys() == {"Fold"}  # and no more what the tables of other masks have


def told_regions(dataset):
    """Return how many cells the report says that each region has."""
    page = (dataset / "REPORTS" / "alpha_report.html").read_text(encoding="utf-8")
    rows = re.findall(r"<tr>\s*<t[hd][^>]*>(Tumor|Fold)</t[hd]>\s*<td[^>]*>([\d,]+)</td>", page)
    return {name: int(count.replace(",", "")) for name, count in rows}


def test_a_class_is_expected_after_the_colon(tmp_path):
    run_command("segment", "--regions", "qupath:", "workspace", tmp_path).explains("qupath:Tumor")


@pytest.mark.parametrize("mpp", [0.5, 0.65])
def test_brightness_may_be_judged_by_the_regions_alone(tmp_path, mpp):
    planes = np.maximum(PLANES, 500)  # so that what is around the region is darker than all of it
    planes[:, :, 300:] = 60_000
    planes[:, :50] = 0
    wanted = area(shapely.box(20, 60, 180, 290), left_out=shapely.box(20, 60, 100, 80))

    def prepared(pixels, folder, judged=None):
        image = ArrayImage(pixels, channel_names=["DAPI", "Membrane"], pixel_size=PixelSize(mpp, mpp))
        source = network_input(image, pixel_size=choose_pixel_size(image.info))
        run = ImageRun("image", ignore, Budget(2, 2**30))
        return prepare(run, RunState(tmp_path / folder), replace(source, judged=judged))

    found = prepared(planes, "part", partial(wanted.pixels, image=planes.shape[1:]))
    whole = prepared(planes, "whole")
    for index, (facts, of_all) in enumerate(zip(found.facts, whole.facts, strict=True)):
        read = whole.channels[index]
        pixels = read(Region(0, 0, *whole.shape))
        inside = pixels[wanted.pixels(Region(0, 0, *whole.shape), whole.shape, planes.shape[1:])]
        assert inside.size == pytest.approx(wanted.geometry.area * (mpp / 0.5) ** 2, rel=0.02)
        assert facts.clip == np.percentile(inside[inside > 0], 99.9).astype(pixels.dtype)
        # What rescaling makes darker than all that is judged is as dark as that.
        assert (facts.minimum, facts.maximum) == (max(inside.min(), 500), min(inside.max(), facts.clip))
        assert facts.clip < of_all.clip
    seen = found.read(Region(0, 0, *found.shape))
    assert np.isfinite(seen).all()
    scale = mpp / 0.5
    inner = seen[:, round(90 * scale) : round(280 * scale), round(30 * scale) : round(170 * scale)]
    assert 0 <= inner.min() <= inner.max() <= 1


def test_regions_to_judge_by_have_to_be_given(tmp_path):
    refused = run_command("segment", "--statistics", "regions", "workspace", tmp_path)
    refused.explains("--statistics regions needs --regions")
