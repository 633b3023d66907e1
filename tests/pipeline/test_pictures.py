"""Pictures for people: made on request, kept while nothing changes, of any masks."""

import json

import imagecodecs
import numpy as np
import pytest
import tifffile
from skimage.segmentation import find_boundaries

from cellscale.report.findings import look_from_json
from tests.cli.runs import run
from tests.pipeline.spots import spots, write_dataset, write_image

PLANES = spots((300, 700), seed=3)


def reports(dataset):
    return {path.name: path.stat().st_mtime_ns for path in (dataset / "REPORTS").glob("*.png")}


def look(dataset, image="image"):
    return look_from_json((dataset / "jobs" / "report" / f"{image}.look.json").read_bytes())


def visualized(model, dataset, *options, command="segment-and-measure"):
    done = run(command, "--visualize", "--model_path", model, *options, "workspace", dataset)
    assert done.exit_code == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def finished(tmp_path_factory, tiny_model):
    """A dataset with all its outputs and pictures, not to be changed."""
    dataset = write_dataset(tmp_path_factory.mktemp("finished"), image=PLANES)
    visualized(tiny_model, dataset)
    return dataset


def copied(finished, tmp_path):
    """Return the dataset's images and masks, without what is known of them."""
    for name in ("OMETIFF", "SEGMASK"):
        (tmp_path / name).mkdir()
        for path in (finished / name).glob("*.tiff"):
            (tmp_path / name / path.name).write_bytes(path.read_bytes())
    return tmp_path


def test_the_pictures_show_input_and_outlines(finished):
    shown, overlay = (imagecodecs.imread(finished / "REPORTS" / f"image_{what}.png") for what in ("input", "overlay"))
    assert shown.shape == overlay.shape == (300, 700, 3)
    cells, nuclei = (
        tifffile.imread(finished / "SEGMASK" / f"image_{kind}Mask.tiff") for kind in ("WholeCell", "Nucleus")
    )
    inner = {
        name: find_boundaries(mask, connectivity=1, mode="inner") for name, mask in (("c", cells), ("n", nuclei))
    }
    assert (overlay[inner["n"]] == (255, 225, 40)).all()
    assert (overlay[inner["c"] & ~inner["n"]] == 255).all()
    untouched = ~inner["c"] & ~inner["n"]
    np.testing.assert_array_equal(overlay[untouched], shown[untouched])
    brighter = np.corrcoef(shown[..., 2].ravel(), PLANES[0].ravel())[0, 1]
    assert brighter > 0.9


def test_crops_are_parts_of_the_image_at_full_resolution(finished):
    overlay = imagecodecs.imread(finished / "REPORTS" / "image_overlay.png")
    crops = look(finished).crops
    assert crops
    for crop in crops:
        name = f"image_crop_{'-'.join(crop.whys)}_{crop.x}_{crop.y}.png"
        part = imagecodecs.imread(finished / "REPORTS" / name)
        expected = overlay[crop.y : crop.y + crop.height, crop.x : crop.x + crop.width]
        np.testing.assert_array_equal(part, expected)


def test_facts_are_those_of_the_outputs(finished):
    seen = look(finished)
    cells = tifffile.imread(finished / "SEGMASK" / "image_WholeCellMask.tiff")
    edges = np.concatenate([cells[0], cells[-1], cells[:, 0], cells[:, -1]])
    found = seen.compartments["whole-cell"]
    assert found.count == cells.max()
    assert found.at_border == len(set(edges) - {0})
    assert found.areas.quartiles[1] == pytest.approx(np.median(np.bincount(cells.ravel())[1:]) / 4)
    assert sum(map(sum, seen.tiles)) == cells.max()
    assert [channel.role for channel in seen.channels] == ["nucleus", "membrane"]


@pytest.mark.slow
def test_a_second_run_keeps_them_and_a_missing_one_is_made_again(tmp_path, finished, tiny_model):
    dataset = copied(finished, tmp_path)
    visualized(tiny_model, dataset, command="measure")
    before = reports(dataset)
    assert visualized(tiny_model, dataset, command="measure").statuses == {"image": "kept"}
    assert reports(dataset) == before
    (dataset / "REPORTS" / "image_input.png").unlink()
    assert visualized(tiny_model, dataset, command="measure").statuses == {"image": "done"}
    assert reports(dataset).keys() == before.keys()


@pytest.mark.slow
def test_new_masks_get_new_pictures_and_the_old_crops_go(tmp_path, finished, tiny_model):
    dataset = copied(finished, tmp_path)
    visualized(tiny_model, dataset, command="measure")
    before = reports(dataset)
    other = np.zeros(PLANES.shape[1:], np.int32)
    other[100:120, 600:620] = 1
    for mask in (dataset / "SEGMASK").glob("*Mask.tiff"):
        tifffile.imwrite(mask, other)
    visualized(tiny_model, dataset, command="measure")
    after = reports(dataset)
    assert after["image_overlay.png"] != before["image_overlay.png"]
    assert [name for name in after if "crop" in name] == ["image_crop_most_188_0.png"]


@pytest.mark.slow
def test_pictures_that_someone_changed_are_kept(tmp_path, finished, tiny_model):
    dataset = copied(finished, tmp_path)
    visualized(tiny_model, dataset, command="measure")
    own = dataset / "REPORTS" / "image_input.png"
    own.write_bytes(b"a drawing")
    assert "--overwrite" in visualized(tiny_model, dataset, command="measure").stderr
    assert own.read_bytes() == b"a drawing"
    visualized(tiny_model, dataset, "--overwrite", command="measure")
    assert own.read_bytes() == b"a drawing"
    visualized(tiny_model, dataset, "--overwrite=foreign", command="measure")
    assert own.read_bytes() != b"a drawing"


@pytest.mark.parametrize("compartment", ["whole-cell", "nuclear"])
def test_one_compartment_segmented_alone_is_shown(tmp_path, tiny_model, compartment):
    dataset = write_dataset(tmp_path, image=spots((120, 140), seed=4))
    visualized(tiny_model, dataset, "--compartment", compartment, command="segment")
    seen = look(dataset)
    assert list(seen.compartments) == [compartment]
    assert seen.compartments[compartment].alone is None
    assert set(reports(dataset)) == {"image_input.png", "image_overlay.png"}


@pytest.mark.slow
def test_an_image_without_a_nuclear_stain_is_measured_and_shown(tmp_path, finished):
    write_image(tmp_path / "OMETIFF" / "image.ome.tiff", PLANES, channels=("A", "B"))
    (tmp_path / "SEGMASK").mkdir()
    mask = "image_WholeCellMask.tiff"
    (tmp_path / "SEGMASK" / mask).write_bytes((finished / "SEGMASK" / mask).read_bytes())
    assert run("measure", "workspace", tmp_path).exit_code == 0
    assert "no channel has a usual name" in look(tmp_path).nucleus
    assert look(tmp_path).flags == ()


@pytest.mark.slow
def test_npz_files_alone_are_shown(tmp_path, tiny_model):
    (tmp_path / "NPZ_INTERMEDIATE").mkdir()
    pixels = np.moveaxis(spots((120, 140), seed=4), 0, 2)
    np.savez(tmp_path / "NPZ_INTERMEDIATE" / "image.npz", input_channels=pixels)
    visualized(tiny_model, tmp_path, "--image_mpp", "0.5")
    assert look(tmp_path).nucleus == "the NPZ file's first"
    assert set(reports(tmp_path)) == {"image_input.png", "image_overlay.png"}


@pytest.mark.slow
def test_large_images_are_shown_small_whether_they_have_a_pyramid_or_not(tmp_path):
    planes = spots((2100, 300), seed=5)
    write_image(tmp_path / "OMETIFF" / "plain.ome.tiff", planes)
    metadata = {"axes": "CYX", "Channel": {"Name": ["DAPI", "Membrane"]}}
    with tifffile.TiffWriter(tmp_path / "OMETIFF" / "pyramid.ome.tiff", ome=True) as tiff:
        settings = {"photometric": "minisblack", "tile": (128, 128)}
        tiff.write(planes, subifds=1, metadata=metadata, **settings)
        halves = planes.reshape(2, 1050, 2, 150, 2).mean(axis=(2, 4)).astype(np.uint16)
        tiff.write(halves, subfiletype=1, **settings)
    mask = np.zeros((2100, 300), np.int32)
    mask[1000:1040, 100:140] = 1
    (tmp_path / "SEGMASK").mkdir()
    for name in ("plain", "pyramid"):
        tifffile.imwrite(tmp_path / "SEGMASK" / f"{name}_WholeCellMask.tiff", mask)
    assert run("measure", "--visualize", "workspace", tmp_path).exit_code == 0
    plain, pyramid = (
        imagecodecs.imread(tmp_path / "REPORTS" / f"{name}_overlay.png").astype(int) for name in ("plain", "pyramid")
    )
    assert plain.shape == pyramid.shape == (1050, 150, 3)
    assert np.abs(plain - pyramid).max() <= 2
    assert any("seam" in crop.whys for crop in look(tmp_path, "plain").crops)


@pytest.mark.slow
def test_the_same_is_seen_in_files_of_tiles_and_of_strips(tmp_path):
    planes = spots((1100, 2300), seed=6)
    labels = np.arange(1, 22 * 46 + 1, dtype=np.int32).reshape(22, 46).repeat(50, axis=0).repeat(50, axis=1)
    labels *= np.arange(2300) % 50 > 3
    (tmp_path / "SEGMASK").mkdir()
    for name, cut in (("tiles", {"tile": (256, 256)}), ("strips", {"rowsperstrip": 16})):
        write_image(tmp_path / "OMETIFF" / f"{name}.ome.tiff", planes, compression="zlib", **cut)
        for kind in ("WholeCell", "Nucleus"):
            tifffile.imwrite(tmp_path / "SEGMASK" / f"{name}_{kind}Mask.tiff", labels, compression="zlib", **cut)
    assert run("measure", "workspace", tmp_path).exit_code == 0
    seen = look(tmp_path, "tiles")
    assert seen.compartments["whole-cell"].count == len(np.unique(labels)) - 1
    assert seen == look(tmp_path, "strips")


def test_a_dry_run_and_no_report_leave_nothing(tmp_path, finished, tiny_model):
    dataset = copied(finished, tmp_path)
    assert visualized(tiny_model, dataset, "--dry_run", command="measure").statuses == {"image": "planned"}
    assert not (dataset / "REPORTS").exists()
    assert run("measure", "--no_report", "workspace", dataset).exit_code == 0
    assert not list((dataset / "REPORTS").glob("*.html"))
    assert not (dataset / "jobs" / "report").exists()


def test_what_cannot_be_looked_at_is_measured_all_the_same(tmp_path, finished):
    dataset = copied(finished, tmp_path)
    (dataset / "jobs").mkdir()
    (dataset / "jobs" / "report").write_text("in the way", encoding="utf-8")
    done = run("measure", "workspace", dataset)
    assert done.exit_code == 0
    assert done.statuses == {"image": "done"}
    assert "the report will not show this image" in done.stderr
    assert run("measure", "--visualize", "workspace", dataset).exit_code == 1


def test_faults_are_told_as_warnings_each_time(tmp_path, tiny_model):
    write_image(tmp_path / "OMETIFF" / "image.ome.tiff", spots((120, 140))[:1], channels=("DAPI",))
    for status in ("done", "kept"):
        done = visualized(tiny_model, tmp_path)
        assert done.statuses == {"image": status}
        assert "warning: the membrane channel is blank" in done.stderr
    record = json.loads((tmp_path / "jobs" / "records" / "image.json").read_text(encoding="utf-8"))
    assert record["pictures"]["complete"] is True
