"""The fixed command line: what words become which request."""

import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner

from cellscale.cli.main import cellscale
from cellscale.engines.engine_request import BatchOptions
from cellscale.errors import CellscaleError, ImageError, ModelError, RequestError, StorageError
from cellscale.label.growth import Growth
from cellscale.label.parameters import NUCLEUS, WHOLE_CELL, Parameters
from cellscale.pipeline.outcome import ImageOutcome, RunOutcome
from cellscale.pipeline.request import Request
from cellscale.preprocess.preprocessing import Preprocessing
from cellscale.workspace.layout import separate_paths, workspace_paths
from tests.requests import request_for

DONE = ImageOutcome(image="a", status="done")
FAILED = ImageOutcome(image="b", status="failed", error="it is empty")


class Engine:
    """Stands in for the engine, and remembers what it was asked."""

    def __init__(self):
        self.request = None
        self.outcome = RunOutcome((DONE,))

    def run(self, request, listener):
        self.request = request
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


@pytest.fixture
def engine(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # a log file is opened for real
    engine = Engine()
    module = ModuleType("cellscale.engines.local")
    module.run = engine.run
    monkeypatch.setitem(sys.modules, "cellscale.engines.local", module)
    return engine


@pytest.fixture(autouse=True)
def any_bucket(monkeypatch):
    """Buckets of these tests are words only."""
    monkeypatch.setattr("cellscale.cli.commands.segment.require_reachable", lambda places: None)


def run(*words):
    return CliRunner().invoke(cellscale, words)


def asked(engine, *words):
    result = run(*words)
    assert result.exit_code == 0, result.output
    return engine.request


@pytest.mark.parametrize(
    ("command", "segment", "measure"),
    [("segment-and-measure", True, True), ("segment", True, False), ("measure", False, True)],
)
def test_each_command_asks_for_its_part(engine, command, segment, measure):
    request = asked(engine, command, "workspace", "data")
    assert request == Request(paths=workspace_paths("data"), segment=segment, measure=measure)


def test_subfolders_can_be_named(engine):
    words = ["--images_subdir", "I", "--npz_subdir", "N", "--segmasks_subdir", "S", "--project_subdir", "P"]
    paths = asked(engine, "segment", "workspace", "data", *words, "--reports-subdir", "R").paths
    root = Path("data").absolute()
    assert (paths.images, paths.numpy, paths.segmasks) == (root / "I", root / "N", root / "S")
    assert (paths.project, paths.reports, paths.jobs) == (root / "P", root / "R", root / "jobs")


def test_paths_names_each_folder(engine):
    folders = {"images": "i", "numpy": "n", "segmasks": "s", "project": "p", "reports": "r"}
    words = [word for name, folder in folders.items() for word in (f"--{name}_path", folder)]
    assert asked(engine, "segment-and-measure", "paths", *words).paths == separate_paths(**folders)


def test_paths_needs_reports_only_for_measuring(engine):
    words = ["paths", "--images_path", "i", "--segmasks_path", "s"]
    assert run("segment", *words).exit_code == 0
    refused = run("measure", *words)
    assert refused.exit_code == 2
    assert "--reports_path is missing" in refused.stderr


@pytest.mark.parametrize("dataset", ["with space", "../up", "größe µ 組織", "-dash", "--", "a,b"])
def test_a_dataset_may_have_any_name(engine, dataset):
    assert asked(engine, "segment", "workspace", "--", dataset).paths == workspace_paths(dataset)


def test_an_empty_dataset_is_refused(engine):
    assert run("segment", "workspace", "").exit_code == 2
    assert engine.request is None


def test_a_cloud_dataset_stays_a_uri(engine):
    assert asked(engine, "segment", "workspace", "gs://b/d").paths.images == "gs://b/d/OMETIFF"


def test_hyphens_and_underscores_are_the_same_everywhere(engine):
    under = asked(
        engine, "segment_and_measure", "--image_mpp", "0.5", "--compartment", "whole_cell", "--mask_format",
        "ome_zarr", "--matching", "qupath_initializer", "workspace", "data", "--images_subdir", "I",
    )  # fmt: skip
    hyphen = asked(
        engine, "segment-and-measure", "--image-mpp", "0.5", "--compartment", "whole-cell", "--mask-format",
        "ome-zarr", "--matching", "qupath-initializer", "workspace", "data", "--images-subdir", "I",
    )  # fmt: skip
    assert under == hyphen
    assert under.compartments == ("whole-cell",)
    assert (under.segmenting.mask_format, under.measuring.matching) == ("ome-zarr", "qupath-initializer")


def test_every_option_reaches_the_request(engine):
    request = asked(
        engine, "segment", "--image_filter", "A", "--engine", "local", "--nuclear_channel", "DAPI",
        "--membrane_channel", "CD45, #3", "--membrane_channel", '"E, cad"', "--combine", "max", "--image_mpp=0.325",
        "--compartment", "nuclear", "--model_path", "gs://b/net.onnx", "--model_hash", "ab", "--batch_size", "2",
        "--visualize", "--dry_run", "--overwrite", "-v", "-v", "--log_file", "log.jsonl", "--workers", "3",
        "--max_memory", "3GB", "--keep_intermediates", "--mask_format", "both", "--matching", "one-to-one",
        "--qupath_version", "0.5", "--export", "anndata", "workspace", "data",
    )  # fmt: skip
    assert request == request_for(
        workspace_paths("data"),
        measure=False,
        image_filter="A",
        nuclear_channels=("DAPI",),
        membrane_channels=("CD45", "#3", "E, cad"),
        combine="max",
        image_mpp=0.325,
        compartments=("nuclear",),
        model_path="gs://b/net.onnx",
        model_hash="ab",
        batch_size=2,
        visualize=True,
        dry_run=True,
        overwrite=True,
        workers=3,
        max_memory=3_000_000_000,
        keep_intermediates=True,
        mask_format="both",
        qupath_version="0.5",
        exports=("anndata",),
    )


def test_engine_options_reach_the_engine_that_they_are_for(monkeypatch):
    asked = {}
    module = ModuleType("cellscale.engines.batch.batch_engine")
    module.run = lambda request, listener, options: asked.setdefault("options", options) and RunOutcome((DONE,))
    monkeypatch.setitem(sys.modules, "cellscale.engines.batch.batch_engine", module)
    words = ["--env_config_uri", "gs://e", "--segmentation_compute_config", "n1", "--parallelism", "3", "--wait"]
    assert run("segment", *words, "--stages", "separate", "workspace", "gs://b/d").exit_code == 0
    assert asked["options"] == BatchOptions(
        env_config_uri="gs://e", segmentation_compute_config="n1", parallelism=3, stages="separate", wait=True
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--stages", "separate"], "--stages separate has no meaning with --engine local, which rents no machines"),
        (["--wait"], "--wait has no meaning with --engine local"),
        (["--engine", "local", "--dask_workers", "2"], "--dask_workers has no meaning with --engine local"),
        (["--engine", "batch", "--dask_workers", "2"], "--dask_workers has no meaning with --engine batch"),
        (["--dask_workers", "2", "--parallelism", "2"], "--parallelism has no meaning with --engine dask"),
    ],
)
def test_options_of_another_engine_are_refused(engine, words, told):
    refused = run("segment", *words, "workspace", "data")
    assert refused.exit_code == 2
    assert told in refused.stderr
    assert engine.request is None


def test_postprocessing_parameters_are_set_for_each_compartment(engine):
    request = asked(
        engine, "segment", "--whole_cell_maxima_threshold", "0.05", "--whole_cell_interior_threshold", "0.3",
        "--whole_cell_interior_smoothing", "1", "--whole_cell_maxima_smoothing", "0.5", "--whole_cell_radius", "3",
        "--whole_cell_small_objects", "20", "--whole_cell_holes", "0", "--nuclear_radius", "4", "workspace", "data",
    )  # fmt: skip
    assert request.segmenting.parameters("whole-cell") == Parameters(
        maxima_threshold=0.05,
        interior_threshold=0.3,
        interior_smoothing=1.0,
        maxima_smoothing=0.5,
        radius=3,
        small_objects=20,
        holes=0,
    )
    assert request.segmenting.parameters("nuclear") == Parameters(maxima_threshold=NUCLEUS.maxima_threshold, radius=4)


def test_mesmer_s_parameters_are_the_defaults(engine):
    request = asked(engine, "segment", "workspace", "data")
    assert (request.segmenting.whole_cell, request.segmenting.nuclear) == (WHOLE_CELL, NUCLEUS)
    assert request.preprocessing == Preprocessing()
    assert request.segmenting.expand_cells is None
    assert (request.channels.combine, request.channels.rescale) == ("sum", "none")


def test_erosion_is_given_for_both_compartments_or_for_one(engine):
    words = ("--label_erosion", "2", "--nuclear_label_erosion", "0", "workspace", "data")
    request = asked(engine, "segment", *words)
    assert (request.segmenting.whole_cell.label_erosion, request.segmenting.nuclear.label_erosion) == (2, 0)


@pytest.mark.parametrize(
    ("words", "growth"),
    [
        (["--expand_cells", "3um"], Growth(length=3, unit="um")),
        (["--expand_cells", "2.5 µm"], Growth(length=2.5, unit="um")),
        (["--expand-cells", "5PX"], Growth(length=5)),
        (["--pixel_expansion", "5"], Growth(length=5)),
    ],
)
def test_cells_are_expanded_by_a_length(engine, words, growth):
    request = asked(engine, "segment", *words, "workspace", "data")
    assert request.segmenting.expand_cells == growth
    assert (request.cells_of_nuclei, request.predicted) == (False, ("whole-cell", "nuclear"))


def test_expanded_nuclei_are_cells(engine):
    words = ("--compartment", "nuclear", "--expand_cells", "3um", "workspace", "data")
    request = asked(engine, "segment", *words)
    assert (request.compartments, request.predicted) == (("whole-cell", "nuclear"), ("nuclear",))
    assert asked(engine, "measure", *words).compartments == ("nuclear",)


def test_what_the_network_sees_is_chosen(engine):
    words = ("--percentile", "99", "--clahe", "off", "--clahe_kernel", "64", "--rescale_channels", "zscore")
    request = asked(engine, "segment", *words, "--combine", "mean", "workspace", "data")
    assert request.preprocessing == Preprocessing(percentile=99, clahe=False, clahe_kernel=64)
    assert (request.channels.combine, request.channels.rescale) == ("mean", "zscore")


@pytest.mark.parametrize(
    "words",
    [
        ["--image_mpp", "0"],
        ["--image_mpp", "nan"],
        ["--image_mpp", "inf"],
        ["--image_mpp", "half"],
        ["--workers", "0"],
        ["--batch_size", "-1"],
        ["--max_memory", "lots"],
        ["--max_memory", "0GB"],
        ["--max_memory", "-3GB"],
        ["--compartment", "cytoplasm"],
        ["--combine", "median"],
        ["--rescale_channels", "log"],
        ["--expand_cells", "3"],
        ["--expand_cells", "3mm"],
        ["--expand_cells", "nanum"],
        ["--expand_cells", "-1px"],
        ["--expand_cells", "101px"],
        ["--pixel_expansion", "-1"],
        ["--pixel_expansion", "3", "--expand_cells", "3px"],
        ["--percentile", "0"],
        ["--percentile", "101"],
        ["--clahe", "maybe"],
        ["--clahe_kernel", "4"],
        ["--label_erosion", "-1"],
        ["--nuclear_label_erosion", "1000"],
        ["--engine", "abacus"],
        ["--qupath_version", "0.1"],
        ["--nuclear_channel", ""],
        ["--membrane_channel", "A,,B"],
        ["--whole_cell_radius", "1.5"],
        ["--whole_cell_radius", "0"],
        ["--nuclear_maxima_threshold", "nan"],
        ["--nuclear_holes", "-1"],
        ["--no_such_option"],
    ],
)
def test_wrong_values_are_refused_before_anything_is_done(engine, words):
    result = run("segment", *words, "workspace", "data")
    assert result.exit_code == 2
    assert "Error: " in result.stderr
    assert "Traceback" not in result.stderr
    assert engine.request is None


@pytest.mark.parametrize(
    ("text", "size"),
    [("3GB", 3e9), ("3 gb", 3e9), ("1.5G", 1.5e9), ("512MiB", 512 * 2**20), ("8gib", 2**33), ("2000000", 2e6)],
)
def test_amounts_of_memory_have_units(engine, text, size):
    assert asked(engine, "segment", "--max_memory", text, "workspace", "data").resources.max_memory == size


def test_an_option_after_the_mode_is_told_its_place(engine):
    result = run("segment", "workspace", "data", "--image-filter", "A")
    assert result.exit_code == 2
    assert "--image_filter goes before 'workspace'" in result.stderr
    assert "No such option" in run("segment", "workspace", "data", "--nonsense").stderr


def test_images_without_a_mode_are_worked_on_beside_where_they_lie(engine, tmp_path):
    for name in ("a.tiff", "b.tiff"):
        (tmp_path / name).touch()
    request = asked(engine, "segment-and-measure", "--overwrite", "a.tiff", "b.tiff", "--nuclear_channel", "DAPI")
    assert (request.paths.images, request.paths.segmasks) == (tmp_path, tmp_path / "SEGMASK")
    assert request.images.files == ("a.tiff", "b.tiff")
    assert request.channels.nuclear == ("DAPI",)
    assert request.outputs.overwrite
    assert asked(engine, "segment", ".").images.files == ()


def test_a_mode_is_a_mode_whatever_lies_in_the_folder(engine, tmp_path):
    (tmp_path / "workspace").mkdir()
    assert asked(engine, "segment", "workspace", "data").paths == workspace_paths("data")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["segmnt"], "there is no command 'segmnt'. Did you mean 'segment'?"),
        (["segment-and-mesure", "workspace", "data"], "Did you mean 'segment-and-measure'?"),
        (["model", "fetch"], "Did you mean 'models'?"),
        (["nonsense"], "Known: segment-and-measure, segment, "),
        (["segment", "workspac", "data"], "no file, folder or mode 'workspac'. Did you mean 'workspace'?"),
        (["segment", "mydata"], "Give images, a folder of them, or 'workspace DATASET'."),
        (["segment", "nothere.tiff"], "there is no image nothere.tiff; check the path"),
        (
            ["segment", "--compartment", "nucleus", "workspace", "data"],
            "nuclear. Did you mean 'nuclear'?",
        ),
        (["segment", "--max_memory", "4", "workspace", "data"], "'4' has no unit; write 4GB"),
        (["segment", "--nuclear_chanel", "DAPI", "workspace", "data"], "--nuclear_channel"),
    ],
)
def test_mistyped_words_are_answered_with_the_right_ones(engine, words, told):
    result = run(*words)
    assert result.exit_code == 2
    assert told in result.stderr.replace("\n", " ")


def test_a_workspace_without_its_folder_of_images_is_told_what_would_work(tmp_path):
    (tmp_path / "a.ome.tiff").touch()
    result = run("measure", "workspace", str(tmp_path))
    assert result.exit_code == 2
    assert result.stderr.endswith(f"directly in it. Use: cellscale measure {tmp_path}\n")


@pytest.mark.parametrize("words", [["segmnt"], ["segment", "workspac", "data"], ["segment", "workspace"]])
def test_unknown_and_missing_words_are_refused(engine, words):
    assert run(*words).exit_code == 2


def test_failed_images_give_exit_code_1_and_are_named(engine):
    engine.outcome = RunOutcome((DONE, FAILED))
    result = run("segment", "workspace", "data")
    assert result.exit_code == 1
    assert "failed: b: it is empty" in result.stderr


@pytest.mark.parametrize(
    ("error", "code"), [(RequestError, 2), (ModelError, 2), (StorageError, 1), (ImageError, 1), (CellscaleError, 1)]
)
def test_errors_are_one_message_without_traceback(engine, error, code):
    engine.outcome = error("found this; do that")
    result = run("segment", "-v", "workspace", "data")
    assert result.exit_code == code
    assert result.stderr == "Error: found this; do that\n"
    assert result.stdout == ""


def test_a_traceback_is_shown_to_who_asks_twice(engine):
    engine.outcome = RequestError("found this")
    result = run("segment", "-vv", "workspace", "data")
    assert "Traceback" in result.stderr
    assert result.stderr.endswith("Error: found this\n")


@pytest.mark.parametrize("script", ["segment-and-measure", "segment"])
def test_the_scripts_take_the_same_words(script, tmp_path):
    path = Path(__file__).parents[2] / "scripts" / f"{script}.py"
    words = [sys.executable, str(path), "workspace", str(tmp_path), "--no_such_option"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert f"cellscale {script} workspace" in done.stderr


def test_the_list_of_commands_fits_a_terminal():
    listed = CliRunner().invoke(cellscale, ["--help"], terminal_width=80).stdout
    assert "repair-metadata" in listed
    assert "..." not in listed.partition("Commands:")[2]


def test_help_shows_underscores_and_sections():
    text = run("segment", "--help").stdout
    assert {"Images:", "Network:", "Outputs:", "Labels of nuclei:", "Commands:"} <= set(text.splitlines())
    assert "--image_mpp" in text
    assert "[both|whole-cell|nuclear]" in text
    options = re.findall(r"^  (?:-\w, )?(--\S+)", text, re.MULTILINE)
    assert [option for option in options if "-" in option[2:]] == []


@pytest.mark.parametrize(
    ("words", "completed"),
    [("cellscale seg", "segment-and-measure"), ("cellscale segment --nuclear_ch", "--nuclear_channel")],
)
def test_the_shell_completes_words(words, completed):
    asking = {"COMP_WORDS": words, "COMP_CWORD": str(words.count(" ")), "_CELLSCALE_COMPLETE": "bash_complete"}
    told = subprocess.run(
        [sys.executable, "-c", "from cellscale.cli.main import cellscale; cellscale(prog_name='cellscale')"],
        env={**os.environ, **asking},
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"plain,{completed}" in told.stdout.splitlines()
