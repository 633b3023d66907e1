"""What lies in a dataset is of the run that says so; a person's work is kept and named."""

import importlib
import os
import shutil
from threading import Event

import numpy as np
import pyarrow.parquet as pq
import pytest
import tifffile

from cellscale.pipeline.measuring import measure_image
from cellscale.pipeline.segmenting import segment_image, write_masks
from tests.cli.runs import OUTPUTS, contents, run
from tests.pipeline.spots import spots, write_dataset, write_image

ALL = [output.format("image") for output in OUTPUTS]


@pytest.fixture(scope="module")
def made_once(tiny_model, tmp_path_factory):
    folder = write_dataset(tmp_path_factory.mktemp("made") / "data", image=spots((200, 220), seed=6))
    assert made(tiny_model, folder).exit_code == 0
    return folder


@pytest.fixture
def dataset(made_once, tmp_path):
    return shutil.copytree(made_once, tmp_path / "data")


def made(model, dataset, *options, command="segment-and-measure"):
    return run(command, "--no_report", "--model_path", model, *options, "workspace", dataset)


def other_image(dataset):
    write_image(dataset / "OMETIFF" / "image.ome.tiff", spots((200, 220), seed=9))


def fresh(model, folder):
    dataset = write_dataset(folder / "fresh", image=spots((200, 220), seed=9))
    assert made(model, dataset).exit_code == 0
    return {name: (dataset / name).read_bytes() for name in ALL}


def found(dataset):
    return {name: (dataset / name).read_bytes() for name in ALL}


def test_a_dataset_that_was_copied_without_times_is_kept(tiny_model, dataset):
    for place in dataset.rglob("*"):
        os.utime(place, (1, 1))
    before = contents(dataset / "SEGMASK", dataset / "REPORTS")
    source = dataset / "jobs" / "sources" / "image.json"
    known = source.read_bytes()
    source.write_bytes(known[:9])
    assert made(tiny_model, dataset).statuses == {"image": "kept"}
    assert contents(dataset / "SEGMASK", dataset / "REPORTS") == before
    assert source.read_bytes() == known, "what the name stands for is known again"


def test_outputs_with_new_times_are_made_again_when_the_image_changes(tiny_model, dataset, tmp_path):
    for name in ALL:
        os.utime(dataset / name, (1, 1))
    other_image(dataset)
    assert made(tiny_model, dataset).statuses == {"image": "done"}
    assert found(dataset) == fresh(tiny_model, tmp_path)


def test_a_table_that_a_person_changed_is_kept_and_named_when_the_image_changes(tiny_model, dataset, tmp_path):
    table = dataset / "REPORTS" / "image_QUANT.tsv"
    table.write_text("a person's")
    done = made(tiny_model, dataset)
    assert (done.exit_code, done.statuses) == (0, {"image": "kept"})
    assert str(table) in done.stderr
    other_image(dataset)
    done = made(tiny_model, dataset)
    assert (done.exit_code, done.statuses) == (1, {"image": "failed"})
    assert str(table) in done.errors["image"]
    assert table.read_text() == "a person's"
    expected = fresh(tiny_model, tmp_path)
    assert {name for name, content in found(dataset).items() if content != expected[name]} == {
        "REPORTS/image_QUANT.tsv"
    }


@pytest.mark.parametrize("lost", ALL)
def test_an_output_that_is_missing_is_made_whatever_lies_beside_it(tiny_model, dataset, lost):
    before = found(dataset)
    (dataset / lost).unlink()
    for name in ALL:
        if name != lost:
            os.utime(dataset / name, (1, 1))
    assert made(tiny_model, dataset).statuses == {"image": "done"}
    assert found(dataset) == before


def test_a_missing_nucleus_mask_is_made_beside_a_persons_mask(tiny_model, dataset):
    before = found(dataset)
    mask, lost = (dataset / f"SEGMASK/image_{kind}Mask.tiff" for kind in ("WholeCell", "Nucleus"))
    labels = tifffile.imread(mask)
    labels[labels == 5] = 0
    tifffile.imwrite(mask, labels)
    edited = mask.read_bytes()
    lost.unlink()
    done = made(tiny_model, dataset)
    assert done.exit_code == 0
    assert mask.read_bytes() == edited
    assert lost.read_bytes() == before["SEGMASK/image_NucleusMask.tiff"]
    table = pq.read_table(dataset / "REPORTS/image_QUANT.parquet")
    assert len(table) == labels.max() - 1


def test_masks_of_another_format_that_an_earlier_run_left_are_not_measured(tiny_model, dataset):
    options = ["--mask_format", "ome-zarr", "--whole_cell_maxima_threshold", "0.3", "--image_mpp", "0.7"]
    done = made(tiny_model, dataset, *options)
    assert done.exit_code == 0
    fresh_data = dataset.parent / "fresh"
    shutil.copytree(dataset / "OMETIFF", fresh_data / "OMETIFF")
    assert made(tiny_model, fresh_data, *options).exit_code == 0
    table = "REPORTS/image_QUANT.tsv"
    assert (dataset / table).read_bytes() == (fresh_data / table).read_bytes()
    again = made(tiny_model, dataset, "--image_mpp", "0.7", command="measure")
    assert again.exit_code == 0
    assert (dataset / table).read_bytes() == (fresh_data / table).read_bytes()


class Killed(BaseException):
    """Ends a run as a power cut would."""


def killed_between_masks(model, dataset, monkeypatch, *options):
    written = []

    def write(*words, **settings):
        if written:
            raise Killed
        written.append(words)
        return write_mask(*words, **settings)

    write_mask = write_masks.write_mask
    with monkeypatch.context() as patch:
        patch.setattr(write_masks, "write_mask", write)
        with pytest.raises(Killed):
            made(model, dataset, *options, command="segment")


def test_masks_of_two_runs_are_not_measured_together(tiny_model, dataset, monkeypatch):
    before = found(dataset)
    options = ["--whole_cell_maxima_threshold", "0.3", "--nuclear_maxima_threshold", "0.3"]
    killed_between_masks(tiny_model, dataset, monkeypatch, *options)
    assert found(dataset)["SEGMASK/image_WholeCellMask.tiff"] != before["SEGMASK/image_WholeCellMask.tiff"]
    done = made(tiny_model, dataset, command="measure")
    assert done.exit_code == 1
    assert "stopped before all its masks were written" in done.errors["image"]
    assert found(dataset)["REPORTS/image_QUANT.tsv"] == before["REPORTS/image_QUANT.tsv"]
    assert made(tiny_model, dataset, command="segment").exit_code == 0
    assert made(tiny_model, dataset, command="measure").exit_code == 0
    assert found(dataset) == before


def replace_when_labelled(monkeypatch, dataset):
    labelled = segment_image._labelled

    def then_replaced(*words, **settings):
        labels = labelled(*words, **settings)
        write_image(dataset / "new.ome.tiff", spots((200, 220), seed=9))
        (dataset / "new.ome.tiff").replace(dataset / "OMETIFF" / "image.ome.tiff")
        return labels

    monkeypatch.setattr(segment_image, "_labelled", then_replaced)


def test_an_image_that_is_replaced_during_its_run_fails_and_leaves_the_outputs(tiny_model, dataset, monkeypatch):
    before = found(dataset)
    with monkeypatch.context() as patch:
        replace_when_labelled(patch, dataset)
        done = made(tiny_model, dataset, "--image_mpp", "0.6")
    assert done.exit_code == 1
    assert "changed while it was worked on" in done.errors["image"]
    assert found(dataset) == before
    done = made(tiny_model, dataset)
    assert done.exit_code == 0
    assert found(dataset) == fresh(tiny_model, dataset.parent)


def everything(dataset):
    """Return the bytes of all outputs and of the record."""
    return contents(dataset / "SEGMASK", dataset / "REPORTS", dataset / "PROJ", dataset / "jobs" / "records")


def put_other_image(dataset):
    write_image(dataset / "new.ome.tiff", spots((200, 220), seed=9))
    shutil.copyfile(dataset / "OMETIFF" / "image.ome.tiff", dataset / "old.ome.tiff")
    (dataset / "new.ome.tiff").replace(dataset / "OMETIFF" / "image.ome.tiff")


def put_other_mask(dataset):
    mask = dataset / "SEGMASK" / "image_WholeCellMask.tiff"
    shutil.copyfile(mask, dataset / "old.tiff")
    labels = tifffile.imread(mask)
    tifffile.imwrite(dataset / "new.tiff", np.where(labels == 5, 0, labels))
    (dataset / "new.tiff").replace(mask)


@pytest.mark.parametrize("replace", [put_other_image, put_other_mask])
def test_what_is_replaced_while_it_is_measured_leaves_all_outputs_and_their_record(
    tiny_model, dataset, monkeypatch, replace
):
    before = everything(dataset)

    def then_replaced(**words):
        measurement = measure(**words)
        replace(dataset)
        return measurement

    measure = measure_image.measure
    with monkeypatch.context() as patch:
        patch.setattr(measure_image, "measure", then_replaced)
        done = made(tiny_model, dataset, "--matching", "qupath-initializer", command="measure")
    assert done.exit_code == 1
    assert "changed while it was worked on" in done.errors["image"]
    if replace is put_other_image:
        shutil.copyfile(dataset / "old.ome.tiff", dataset / "OMETIFF" / "image.ome.tiff")
    else:
        shutil.copyfile(dataset / "old.tiff", dataset / "SEGMASK" / "image_WholeCellMask.tiff")
    assert everything(dataset) == before
    assert made(tiny_model, dataset).statuses == {"image": "kept"}


@pytest.mark.parametrize(
    "where",
    [
        "cellscale.pipeline.measuring.write_tables.write_shapes",
        "cellscale.pipeline.measuring.write_tables.in_order",
        "cellscale.pipeline.measuring.project_entry.thumbnail_jpeg",
    ],
)
def test_no_table_is_committed_of_an_image_that_was_replaced_while_tables_were_written(
    tiny_model, dataset, monkeypatch, where
):
    before = found(dataset)
    objects = next(dataset.glob("PROJ/data/*/data.qpdata"))
    known = objects.read_bytes()
    room, _, name = where.rpartition(".")
    real = getattr(importlib.import_module(room), name)
    replaced = Event()

    def after_replacement(*words, **settings):
        if not replaced.is_set():
            put_other_image(dataset)
            replaced.set()
        return real(*words, **settings)

    with monkeypatch.context() as patch:
        patch.setattr(where, after_replacement)
        done = made(tiny_model, dataset, "--matching", "qupath-initializer", command="measure")
    assert done.exit_code == 1
    assert "changed while it was worked on" in done.errors["image"]
    if name == "in_order":  # the outlines and the project are written at the same time as the tables
        tables = [file for file in ALL if "QUANT" in file or "Cells" in file]
        assert {file: found(dataset)[file] for file in tables} == {file: before[file] for file in tables}
    elif name == "write_shapes":
        assert found(dataset) == before
    else:
        assert objects.read_bytes() == known
    assert made(tiny_model, dataset).exit_code == 0
    assert found(dataset) == fresh(tiny_model, dataset.parent)


def test_work_on_an_image_that_was_replaced_is_not_taken_up_when_the_image_comes_back(
    tiny_model, dataset, monkeypatch
):
    with monkeypatch.context() as patch:
        replace_when_labelled(patch, dataset)
        assert made(tiny_model, dataset, "--image_mpp", "0.6").exit_code == 1
    assert not list((dataset / "jobs").glob("image.*"))


def test_measuring_another_image_with_the_masks_of_before_says_so(tiny_model, dataset):
    other_image(dataset)
    done = made(tiny_model, dataset, command="measure")
    assert done.exit_code == 0
    assert "another image, or was changed, since its masks were made" in done.stderr


def test_check_content_sees_what_samples_do_not(tiny_model, dataset, monkeypatch):
    monkeypatch.setattr("cellscale.storage.content._WHOLE", 0)
    monkeypatch.setattr("cellscale.storage.content._ENDS", 64)
    monkeypatch.setattr("cellscale.storage.content._BLOCK", 1)
    made(tiny_model, dataset, "--overwrite", "--check", "content")
    image = dataset / "OMETIFF" / "image.ome.tiff"
    content = bytearray(image.read_bytes())
    content[5000] ^= 1
    image.write_bytes(content)
    assert made(tiny_model, dataset).statuses == {"image": "kept"}
    assert made(tiny_model, dataset, "--check", "content").statuses == {"image": "done"}


def test_another_programs_mask_is_kept_and_the_missing_one_is_made_beside_it(tiny_model, tmp_path):
    dataset = write_dataset(tmp_path / "data", image=spots((200, 220), seed=6))
    theirs = dataset / "SEGMASK" / "image_NucleusMask.tiff"
    theirs.parent.mkdir()
    tifffile.imwrite(theirs, np.ones((200, 220), np.uint16))
    content = theirs.read_bytes()
    for options in ([], ["--overwrite"]):
        done = made(tiny_model, dataset, *options)
        assert done.exit_code == 0
        assert f"{theirs}. --overwrite=foreign replaces them" in done.stderr
        assert theirs.read_bytes() == content
        assert tifffile.imread(dataset / "SEGMASK" / "image_WholeCellMask.tiff").max() > 10
    done = made(tiny_model, dataset, "--overwrite=foreign")
    assert (done.exit_code, done.statuses) == (0, {"image": "done"})
    assert theirs.read_bytes() != content


def test_a_table_is_made_where_the_records_are_gone(tiny_model, dataset):
    before = found(dataset)
    shutil.rmtree(dataset / "jobs")
    (dataset / "REPORTS" / "image_QUANT.tsv").unlink()
    assert made(tiny_model, dataset).statuses == {"image": "done"}
    assert found(dataset) == before


def test_measuring_says_which_of_the_masks_is_lacking(tiny_model, dataset, tmp_path):
    lost = dataset / "SEGMASK" / "image_NucleusMask.tiff"
    lost.unlink()
    done = made(tiny_model, dataset, command="measure")
    assert done.exit_code == 0
    warning = (
        f"image: warning: {lost.name} is not there any more in {lost.parent}: only the whole-cell mask is measured"
    )
    assert warning in done.stderr
    alone = write_dataset(tmp_path / "alone", image=spots((64, 64)))
    made(tiny_model, alone, "--compartment", "nuclear", command="segment")
    said = made(tiny_model, alone, command="measure").stderr
    assert f"image_WholeCellMask.tiff is not there in {alone / 'SEGMASK'}: only the nuclear mask is measured" in said
    assert "warning: image_WholeCellMask" not in said
    assert "is not there" not in made(tiny_model, alone, "--compartment", "nuclear", command="measure").stderr


def test_a_damaged_record_is_said_and_what_it_knows_for_ours_is_made_again(tiny_model, dataset):
    before, record = found(dataset), dataset / "jobs" / "records" / "image.json"
    record.write_text(record.read_text().replace('"complete": true', '"complete": null', 1))
    mine = dataset / "REPORTS" / "image_QUANT.tsv"
    mine.write_bytes(b"a person's")
    looked = run("verify", dataset)
    assert (looked.exit_code, f"changed: image: {record}" in looked.stdout) == (1, True)
    done = made(tiny_model, dataset)
    assert done.exit_code == 1, "nobody knows what the person's table was made from"
    assert done.stderr.count(f"{record} is damaged") == 1
    assert str(mine) in done.errors["image"]
    mine.unlink()
    assert made(tiny_model, dataset).exit_code == 0
    assert found(dataset) == before
    assert run("verify", dataset).exit_code == 0


def test_what_is_of_other_options_and_not_asked_for_any_more_is_removed_and_what_was_changed_is_named(
    tiny_model, dataset
):
    made(tiny_model, dataset, "--mask_format", "both", "--export", "anndata")
    tiff, zarr = (dataset / "SEGMASK" / f"image_NucleusMask.{end}" for end in ("tiff", "ome.zarr"))
    h5ad = dataset / "REPORTS" / "image_QUANT.h5ad"
    assert made(tiny_model, dataset).exit_code == 0
    assert zarr.exists()  # of the same options
    done = made(tiny_model, dataset, "--image_mpp", "0.6")
    assert not zarr.exists()
    assert not h5ad.exists()
    assert f"{zarr} was made for other input or options" in done.stderr.replace("\n", "")
    tiff.write_bytes(tiff.read_bytes() + b"\0")
    done = made(tiny_model, dataset, "--image_mpp", "0.7", "--mask_format", "ome-zarr")
    assert tiff.exists()
    assert f"{tiff} is of another run, and was changed since" in done.stderr


def test_masks_of_the_other_compartment_are_no_leftovers(tiny_model, dataset):
    assert made(tiny_model, dataset, "--compartment", "nuclear", "--image_mpp", "0.6").exit_code == 0
    assert (dataset / "SEGMASK" / "image_WholeCellMask.tiff").exists()
