"""A dry run says what would be done, and does nothing."""

import pytest

from tests.cli.runs import run
from tests.pipeline.spots import spots, write_dataset, write_image

PLANES = spots((60, 80))
COMMANDS = ("segment-and-measure", "segment", "measure")


def state(folder):
    """Return every path below a folder with its time of change and its content."""
    return {
        path: (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else None) for path in folder.rglob("*")
    }


def dry(model, dataset, *options, command="segment-and-measure"):
    before = state(dataset)
    done = run(command, "--model_path", model, "--dry_run", *options, "workspace", dataset)
    assert state(dataset) == before
    return done


@pytest.fixture
def dataset(tmp_path):
    return write_dataset(tmp_path, alpha=PLANES, beta=PLANES)


def test_all_is_planned_at_first(dataset, tiny_model):
    done = dry(tiny_model, dataset)
    assert done.exit_code == 0
    assert done.statuses == {"alpha": "planned", "beta": "planned"}
    assert "alpha: nucleus: #1 DAPI (by its usual name); membrane: #2 Membrane" in done.stdout
    assert f"masks would be in: {dataset / 'SEGMASK'}" in done.stdout
    assert f"tables would be in: {dataset / 'REPORTS'}" in done.stdout
    told = (done.stdout + done.stderr).splitlines()
    assert len(told) == len(set(told))
    assert not any("DAPI" in line for line in done.stderr.splitlines())


def test_after_a_run_nothing_is_left_to_plan_but_what_has_changed(dataset, tiny_model):
    assert run("segment-and-measure", "--model_path", tiny_model, "workspace", dataset).exit_code == 0
    assert dry(tiny_model, dataset).statuses == {"alpha": "kept", "beta": "kept"}
    assert dry(tiny_model, dataset, "--overwrite").statuses == {"alpha": "planned", "beta": "planned"}
    assert dry(tiny_model, dataset, "--image_mpp", "0.7").statuses == {"alpha": "planned", "beta": "planned"}
    (dataset / "SEGMASK" / "alpha_NucleusMask.tiff").unlink()
    (dataset / "REPORTS" / "beta_QUANT.tsv").unlink()
    assert dry(tiny_model, dataset).statuses == {"alpha": "planned", "beta": "planned"}
    assert dry(tiny_model, dataset, command="segment").statuses == {"alpha": "planned", "beta": "kept"}


def test_what_would_fail_is_told(dataset, tiny_model):
    write_image(dataset / "OMETIFF" / "gamma.ome.tiff", PLANES, ["a", "b"])
    (dataset / "OMETIFF" / "text.tiff").write_text("These are not pixels.")
    done = dry(tiny_model, dataset)
    assert done.exit_code == 1
    assert done.statuses == {"alpha": "planned", "beta": "planned", "gamma": "failed", "text": "failed"}
    assert "#1 a, #2 b" in done.errors["gamma"]


def test_measuring_without_masks_would_fail(dataset, tiny_model):
    done = dry(tiny_model, dataset, command="measure")
    assert done.exit_code == 1
    assert all("there is no mask" in reason for reason in done.errors.values())


@pytest.mark.parametrize("command", COMMANDS)
def test_a_wrong_request_is_refused_as_ever(tiny_model, tmp_path, command):
    dry(tiny_model, tmp_path / "gone", command=command).explains("no folder")
