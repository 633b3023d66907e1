"""``cellscale verify`` reads every byte that the records name, and makes again what is not as it was made."""

import os
import shutil

import pytest

from tests.cli.runs import OUTPUTS, run
from tests.pipeline.spots import spots, write_dataset, write_image

PLANES = {"alpha": spots((150, 160), seed=1), "beta": spots((150, 160), seed=2)}


def made(model, dataset, *options):
    return run("segment-and-measure", "--model_path", model, *options, "workspace", dataset)


def outputs(dataset):
    """Everything that verify looks at."""
    files = [*(dataset / "SEGMASK").iterdir(), *(dataset / "REPORTS").glob("*_QUANT*")]
    files += (dataset / "PROJ").rglob("*")
    found = {str(file.relative_to(dataset)): file.read_bytes() for file in files if file.is_file()}
    found.pop("PROJ/project.qpproj.backup")  # of the step before, whichever that was
    return found


@pytest.fixture(scope="module")
def made_once(tiny_model, tmp_path_factory):
    dataset = write_dataset(tmp_path_factory.mktemp("made") / "data", **PLANES)
    assert made(tiny_model, dataset).exit_code == 0
    return dataset


@pytest.fixture
def dataset(made_once, tmp_path):
    return shutil.copytree(made_once, tmp_path / "data")


def test_a_finished_dataset_is_as_its_records_say_also_where_it_was_copied_without_times(dataset):
    for place in dataset.rglob("*"):
        os.utime(place, (1, 1))
    before = {place: place.stat().st_mtime_ns for place in dataset.rglob("*") if place.is_file()}
    done = run("verify", dataset)
    assert done.exit_code == 0
    assert done.stdout.strip().endswith(" ok")
    assert "alpha" in run("verify", "--all", dataset).stdout
    assert {place: place.stat().st_mtime_ns for place in dataset.rglob("*") if place.is_file()} == before


def flip(path):
    facts = path.stat()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))


@pytest.mark.parametrize("output", [*(one.format("alpha") for one in OUTPUTS), "PROJ/data/1/data.qpdata"])
def test_one_byte_that_changed_is_found_though_size_and_time_are_the_same(dataset, output):
    flip(dataset / output)
    done = run("verify", dataset)
    assert done.exit_code == 1
    assert f"changed: alpha: {dataset / output}\n" in done.stdout
    assert done.stdout.count("\n") == 2


def test_each_kind_is_named(tiny_model, dataset):
    made(tiny_model, dataset, "--compartment", "nuclear", "--image_filter", "alpha", "--image_mpp", "0.6")
    (dataset / "REPORTS" / "beta_QUANT.tsv").unlink()
    (dataset / "PROJ" / "project.qpproj").unlink()
    write_image(dataset / "OMETIFF" / "beta.ome.tiff", spots((150, 160), seed=3))
    done = run("verify", dataset)
    assert done.exit_code == 1
    for line in (
        f"of another run: alpha: {dataset}/SEGMASK/alpha_WholeCellMask.tiff",
        f"missing: beta: {dataset}/REPORTS/beta_QUANT.tsv",
        f"missing: beta: {dataset}/PROJ/project.qpproj",
        f"changed: beta: {dataset}/OMETIFF/beta.ome.tiff",
    ):
        assert line + "\n" in done.stdout


def test_a_repair_makes_all_as_it_was_and_puts_aside_what_was_changed(tiny_model, dataset):
    made(tiny_model, dataset, "--overwrite", "--whole_cell_maxima_threshold", "0.2")
    before = outputs(dataset)
    changed = dataset / "SEGMASK" / "alpha_WholeCellMask.tiff"
    flip(changed)
    theirs = changed.read_bytes()
    (dataset / "SEGMASK" / "beta_NucleusMask.tiff").unlink()
    (dataset / "REPORTS" / "beta_QUANT.parquet").unlink()
    (dataset / "PROJ" / "data" / "1" / "data.qpdata").write_bytes(b"")
    (dataset / "PROJ" / "project.qpproj").unlink()
    done = run("verify", "--repair", dataset)
    assert done.exit_code == 0, done.stdout + done.stderr
    after = outputs(dataset)
    (aside,) = [name for name in after if ".changed-" in name]
    assert after.pop(aside) == theirs
    assert {name: after.get(name) for name in before} == before


def test_a_repair_without_the_image_says_so(dataset):
    (dataset / "OMETIFF" / "alpha.ome.tiff").unlink()
    (dataset / "REPORTS" / "alpha_QUANT.tsv").unlink()
    done = run("verify", "--repair", dataset)
    assert done.exit_code == 1
    assert "its image is not there" in done.stderr


def test_a_folder_without_records_is_a_wrong_request(tmp_path):
    write_dataset(tmp_path, alpha=PLANES["alpha"])
    run("verify", tmp_path).explains("there are no records")
    run("verify", tmp_path / "nothing").explains("there are no records")


def test_images_in_sub_folders_with_names_from_a_list_are_looked_at_and_repaired_as_they_were_asked_for(
    tiny_model, tmp_path
):
    dataset = write_dataset(tmp_path / "data", **PLANES)
    (dataset / "OMETIFF" / "day1").mkdir()
    (dataset / "OMETIFF" / "alpha.ome.tiff").rename(dataset / "OMETIFF" / "day1" / "alpha.ome.tiff")
    (tmp_path / "names.txt").write_text("Nuclei\nBorders\n", encoding="utf-8")
    words = ("--recursive", "--channel_names", tmp_path / "names.txt", "--nuclear_channel", "Nuclei")
    assert made(tiny_model, dataset, *words, "--membrane_channel", "Borders").exit_code == 0
    table = dataset / "REPORTS" / "day1_alpha_QUANT.tsv"
    before = table.read_bytes()
    assert b"Borders" in before
    assert f"ok: day1_alpha: {dataset}/OMETIFF/day1/alpha.ome.tiff\n" in run("verify", "--all", dataset).stdout
    table.unlink()
    done = run("verify", "--repair", dataset)
    assert done.exit_code == 0, done.stdout + done.stderr
    assert table.read_bytes() == before


def test_a_table_that_a_package_made_which_is_not_there_any_more_is_removed(tiny_model, dataset):
    made(tiny_model, dataset, "--image_filter", "alpha", "--export", "anndata")
    (record,) = (dataset / "jobs" / "records").glob("alpha.json")
    record.write_text(record.read_text(encoding="utf-8").replace("alpha_QUANT.h5ad", "alpha_QUANT.other"), "utf-8")
    table = (dataset / "REPORTS" / "alpha_QUANT.h5ad").rename(dataset / "REPORTS" / "alpha_QUANT.other")
    done = made(tiny_model, dataset, "--image_filter", "alpha")
    assert done.exit_code == 0
    assert not table.exists()
    assert f"{table} was made for other input or options, and is not asked for now: it is removed" in done.stderr


@pytest.mark.parametrize("name", ["alpha_report.html", "index.html"])
def test_a_page_of_the_report_that_is_another_is_found_and_made_again(dataset, name):
    page, other = (dataset / "REPORTS" / one for one in (name, "beta_report.html"))
    whole = page.read_bytes()
    page.write_bytes(other.read_bytes())
    done = run("verify", dataset)
    assert (done.exit_code, f": {page}" in done.stdout) == (1, True)
    assert run("verify", "--repair", dataset).exit_code == 0
    assert page.read_bytes() == whole
