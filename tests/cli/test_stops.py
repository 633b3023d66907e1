"""A signal ends a run within seconds, wherever it is and whatever a library does, and the next run goes on."""

import json
import shutil
import signal
import subprocess
import sys
import time

import pytest

from tests.cli.runs import contents, run
from tests.cli.stopped import SENTENCE, stopped
from tests.engines.tasks.cloud import spec_for
from tests.patience import HANGS
from tests.pipeline.spots import spots, write_dataset

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes are not sent signals there")

SECONDS = 5


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("stops"), first=spots((300, 420)), second=spots((300, 420), seed=1))


@pytest.fixture(scope="module")
def expected(dataset, tiny_model, tmp_path_factory):
    """The outputs of a run that nobody stopped."""
    copy = copied(dataset, tmp_path_factory.mktemp("expected"))
    assert run("segment-and-measure", *words(tiny_model), copy).exit_code == 0
    return contents(copy / "SEGMASK", copy / "REPORTS")


def copied(dataset, folder):
    return shutil.copytree(dataset, folder / "dataset")


def words(model, workers=2):
    return "--model_path", model, "--workers", str(workers), "--image_mpp", "0.6", "--visualize", "workspace"


def assert_told(done, code=130, who="Ctrl-C"):
    assert done.exit_code == code, done.output
    assert done.seconds < SECONDS
    assert f"Stopped by {who}. {SENTENCE}" in done.output
    assert done.output.count("Stopped by") == 1
    assert "Traceback" not in done.output
    assert "Aborted" not in done.output


@pytest.mark.slow
@pytest.mark.parametrize(
    "place",
    [
        "range:1",
        "labels",
        "network",
        "masks:1",
        pytest.param("statistics:1", marks=pytest.mark.slow),
        pytest.param("equalisation", marks=pytest.mark.slow),
        pytest.param("network:1", marks=pytest.mark.slow),
        pytest.param("labels:1", marks=pytest.mark.slow),
        pytest.param("numbering:1", marks=pytest.mark.slow),
        pytest.param("measurement", marks=pytest.mark.slow),
        pytest.param("tables", marks=pytest.mark.slow),
        pytest.param("project", marks=pytest.mark.slow),
        pytest.param("pictures:1", marks=pytest.mark.slow),
    ],
)
def test_the_next_run_goes_on_with_the_same_bytes(place, dataset, tiny_model, expected, tmp_path):
    copy = copied(dataset, tmp_path)
    assert_told(stopped(place, "segment-and-measure", *words(tiny_model), copy))
    assert run("segment-and-measure", *words(tiny_model), copy).exit_code == 0
    assert contents(copy / "SEGMASK", copy / "REPORTS") == expected


@pytest.mark.slow
def test_sigterm_has_a_code_of_its_own(dataset, tiny_model, tmp_path):
    copy = copied(dataset, tmp_path)
    done = stopped("labels", "segment", *words(tiny_model), copy, how=signal.SIGTERM)
    assert_told(done, 128 + signal.SIGTERM, "SIGTERM")


@pytest.mark.slow
@pytest.mark.parametrize(("deaf", "workers"), [("thread", 2), ("library", 2), ("library", 1)])
def test_what_is_deaf_is_cut_off(deaf, workers, dataset, tiny_model, tmp_path):
    """With two workers both images are worked on in threads, with one in the main one."""
    copy = copied(dataset, tmp_path)
    done = stopped("network", "segment", *words(tiny_model, workers), copy, deaf=deaf)
    assert_told(done)
    assert done.seconds > 1, "it was not deaf"
    assert run("segment", *words(tiny_model), copy).exit_code == 0


@pytest.mark.slow
def test_what_holds_pythons_global_lock_is_cut_off_as_well(dataset, tiny_model, tmp_path):
    copy = copied(dataset, tmp_path)
    done = stopped("network", "segment", *words(tiny_model), copy, deaf="lock")
    assert done.exit_code == 130, done.output
    assert done.seconds < SECONDS
    assert done.output.endswith(f"Stopped. {SENTENCE}\n")


@pytest.mark.slow
def test_the_second_ctrl_c_ends_what_is_deaf_at_once(dataset, tiny_model, tmp_path):
    copy = copied(dataset, tmp_path)
    done = stopped("network", "segment", *words(tiny_model), copy, times=2, deaf="thread")
    assert_told(done)
    assert done.seconds < 2


@pytest.mark.slow
def test_a_single_step_says_so_in_its_own_form(dataset, tiny_model, tmp_path):
    copy = copied(dataset, tmp_path)
    done = stopped(
        "labels", "stage", "segment-image", "--tasks_spec_uri", spec_for(copy, tiny_model), "--task_index", 0
    )
    assert done.exit_code == 130
    assert done.seconds < SECONDS
    line = json.loads(done.output.partition("signalled at")[0].splitlines()[-1])
    assert (line["severity"], line["task"]) == ("WARNING", "segment-image")
    assert line["message"] == f"Stopped by Ctrl-C. {SENTENCE}"


@pytest.mark.slow
def test_a_command_without_stages_stops_too(tmp_path):
    command = [sys.executable, "-m", "cellscale", "simulate", str(tmp_path), "--size", "9000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while not list(tmp_path.rglob("*.part")):
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        start = time.monotonic()
        _, errors = process.communicate(timeout=HANGS)
    assert process.returncode == 130
    assert time.monotonic() - start < SECONDS
    assert errors == f"Stopped by Ctrl-C. {SENTENCE}\n"
    assert not list(tmp_path.rglob("*.tiff"))
