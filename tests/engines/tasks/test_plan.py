"""Runs for any scheduler: the list of tasks, who may work side by side, and what the end says."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from cellscale.engines.tasks.array_index import ARRAYS, array_index
from cellscale.engines.tasks.spec import KEYS, read_spec
from cellscale.engines.tasks.task_locks import image_lock
from cellscale.errors import RequestError
from cellscale.workspace.discovery import ImageEntry
from cellscale.workspace.layout import workspace_paths
from cellscale.workspace.locking import writing_locks
from tests.cli.runs import OUTPUTS, run
from tests.engines.tasks.cloud import lines, task
from tests.pipeline.spots import spots, write_dataset

ROOT = Path(__file__).resolve().parents[3]
IMAGES = ("alpha", "beta", "gamma")


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    made = {name: spots((300, 260), seed=seed) for seed, name in enumerate(IMAGES)}
    return write_dataset(tmp_path_factory.mktemp("plan") / "dataset", **made) / "OMETIFF"


@pytest.fixture
def dataset(images, tmp_path):
    folder = tmp_path / "dataset"
    folder.mkdir()
    (folder / "OMETIFF").symlink_to(images)
    return folder


def planned(folder, model, *words):
    """Plan a run and return the location of its list."""
    ended = run("stage", "plan", "--model_path", model, *words, folder)
    assert ended.exit_code == 0, ended.stderr
    count, _, location = ended.stdout.rstrip("\n").partition(" ")
    assert int(count) == len(read_spec(location).entries)
    assert f"cellscale stage run-image --tasks {location} --task N" in ended.stderr
    return Path(location)


@pytest.mark.parametrize(
    ("given", "index"),
    [
        ({}, None),
        ({"SLURM_ARRAY_TASK_ID": "3"}, 3),
        ({"PBS_ARRAY_INDEX": "0"}, 0),
        ({"LSB_JOBINDEX": "1"}, 0),
        ({"LSB_JOBINDEX": "0"}, None),
        ({"SGE_TASK_ID": "12"}, 11),
        ({"SGE_TASK_ID": "undefined"}, None),
        ({"BATCH_TASK_INDEX": "2", "SLURM_ARRAY_TASK_ID": "2"}, 2),
        ({"SLURM_ARRAY_TASK_ID": "", "LSB_JOBINDEX": "2"}, 1),
    ],
)
def test_the_scheduler_says_which_task(given, index):
    assert array_index(given) == index


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"SLURM_ARRAY_TASK_ID": "-1"}, "'-1'"),
        ({"SGE_TASK_ID": "0"}, "from 1 on"),
        ({"PBS_ARRAY_INDEX": "1-3"}, "--task N"),
        ({"SLURM_ARRAY_TASK_ID": "3", "LSB_JOBINDEX": "3"}, "SLURM_ARRAY_TASK_ID=3 and LSB_JOBINDEX=3"),
    ],
)
def test_a_scheduler_that_says_no_task(given, words):
    with pytest.raises(RequestError, match=words):
        array_index(given)


def test_the_list_is_what_the_documentation_says(dataset, tiny_model):
    location = planned(dataset, tiny_model, "--run", "first", "--workers", 1)
    assert location == dataset / "jobs" / "first" / "tasks.json"
    facts = json.loads(location.read_text())
    assert [entry["name"] for entry in facts["entries"]] == list(IMAGES)
    assert facts["request"]["network"]["checksum"] is not None
    page = (ROOT / "docs" / "stages.md").read_text(encoding="utf-8")
    for name in (*KEYS, *(f"entries[].{field.name}" for field in fields(ImageEntry))):
        assert f"| `{name}` |" in page
    for variable in ARRAYS:
        assert variable in page


def test_a_plan_again_is_the_same_and_never_another(dataset, tiny_model):
    location = planned(dataset, tiny_model, "--run", "first")
    content = location.read_bytes()
    assert planned(dataset, tiny_model, "--run", "first").read_bytes() == content
    run("stage", "plan", "--model_path", tiny_model, "--run", "first", "--image_mpp", 1, dataset).explains(
        "first", "other tasks", "--run"
    )
    assert location.read_bytes() == content
    assert planned(dataset, tiny_model) != planned(dataset, tiny_model)


def test_results_of_another_list_are_not_taken_for_those_of_a_new_one(dataset, tiny_model):
    words = ("--steps", "segment", "--run", "first")
    location = planned(dataset, tiny_model, *words)
    assert task("run-image", location, 0).exit_code == 0
    location.unlink()
    run("stage", "plan", "--model_path", tiny_model, *words, dataset).explains("results of a list", "--run")


def test_a_dry_run_writes_nothing(dataset, tiny_model):
    ended = run("stage", "plan", "--model_path", tiny_model, "--dry_run", dataset)
    assert ended.exit_code == 0
    assert ended.stdout.startswith("3 ")
    assert not (dataset / "jobs").exists()


@pytest.mark.parametrize("words", [("--run", "a/b"), ("--run", ".."), ("--image_filter", "none")])
def test_wrong_plans_are_refused(dataset, tiny_model, words):
    assert run("stage", "plan", "--model_path", tiny_model, *words, dataset).exit_code == 2
    assert not (dataset / "jobs").exists()


def test_a_task_without_a_list_or_a_number_says_where_they_come_from(dataset, tiny_model):
    ended = run("stage", "run-image", "--task", 0)
    assert ended.exit_code == 2
    assert "cellscale stage plan" in ended.stderr
    ended = run("stage", "run-image", "--tasks", planned(dataset, tiny_model))
    assert ended.exit_code == 2
    assert all(variable in ended.stderr for variable in ARRAYS)


def test_who_may_work_side_by_side(dataset, tiny_model, monkeypatch):
    location = planned(dataset, tiny_model, "--steps", "segment")
    spec = read_spec(location)
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "1")
    whole_run = ("segment", "--model_path", tiny_model, "workspace", dataset)
    with image_lock(spec, 0):
        taken = task("run-image", location, 0)
        assert taken.exit_code == 75
        assert "alpha: another process is at work" in lines(taken.stdout)[-1]["message"]
        assert task("run-image", location).exit_code == 0  # another image
        assert task("finish", location).exit_code == 75
        assert run(*whole_run).exit_code == 2
    with writing_locks(workspace_paths(dataset), tables=True):
        assert task("run-image", location, 2).exit_code == 75
        assert task("finish", location).exit_code == 75
    assert not (location.parent / "outcome.json").exists()
    assert task("run-image", location, 0).exit_code == 0
    assert run(*whole_run).exit_code == 0


def test_a_whole_run_in_between_ends_a_planned_one_until_it_is_planned_again(dataset, tiny_model):
    words = ("--steps", "segment", "--run", "first")
    location = planned(dataset, tiny_model, *words)
    whole_run = ("segment", "--model_path", tiny_model, "--image_filter", "beta", "workspace", dataset)
    assert run(*whole_run).exit_code == 0
    ended = task("run-image", location, 0)
    assert ended.exit_code == 2  # and not 75: it will not pass
    assert "that run has ended" in lines(ended.stdout)[-1]["message"]
    assert planned(dataset, tiny_model, *words) == location
    assert task("run-image", location, 0).exit_code == 0


LOOP = """
for process in 1 2 3 4; do
    ( for n in 0 1; do
        "$0" -m cellscale stage run-image --tasks "$1" --task $(((n + process) % 2)); code=$?
        [ $code = 0 ] || [ $code = 75 ] || exit $code
    done ) > "$2/$process.log" 2>&1 &
    jobs="$jobs $!"
done
for job in $jobs; do wait $job || exit 1; done
"""


@pytest.mark.slow
def test_four_processes_that_take_the_same_images_make_the_same_files(dataset, images, tiny_model, tmp_path):
    alone = tmp_path / "alone"
    alone.mkdir()
    (alone / "OMETIFF").symlink_to(images)
    assert run("segment-and-measure", "--model_path", tiny_model, "workspace", alone).exit_code == 0
    location = planned(dataset, tiny_model, "--workers", 1)
    words = ["bash", "-c", LOOP, sys.executable, str(location), str(tmp_path)]
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    logs = "".join(path.read_text() for path in sorted(tmp_path.glob("?.log")))
    assert done.returncode == 0, logs + done.stderr
    for index in range(3):  # what was left where another was at work, and the third image
        assert task("run-image", location, index).exit_code == 0
    ended = task("finish", location, log_format="text")
    assert ended.exit_code == 0
    assert ended.statuses == dict.fromkeys(IMAGES, "done")
    assert "3 done" in ended.stderr
    for image in IMAGES:
        for output in OUTPUTS:
            name = output.format(image)
            assert (dataset / name).read_bytes() == (alone / name).read_bytes(), name
    assert not [path for path in (dataset / "jobs").iterdir() if path.name.startswith(IMAGES)]


def slurm_problem():
    """Return why no job can be submitted here; None where Slurm answers."""
    if shutil.which("sbatch") is None:
        return "Slurm is not installed"
    answer = subprocess.run(["sinfo", "-h", "-t", "idle"], capture_output=True, text=True, check=False, timeout=30)
    return None if answer.stdout.strip() else f"Slurm has no idle machine: {answer.stderr.strip()}"


@pytest.mark.slow
def test_slurm_works_on_all_images(dataset, tiny_model):
    problem = slurm_problem()
    if problem:
        pytest.skip(problem)
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "CORES": "1", "MEMORY_GB": "2", "HOURS": "1",
    }  # fmt: skip
    words = [ROOT / "workflows" / "slurm" / "submit.sh", dataset, "--model_path", tiny_model, "--run", "array"]
    told = subprocess.run(words, env=environment, check=True, capture_output=True, text=True).stdout
    job = told.partition("then job ")[2].split()[0]
    subprocess.run(
        ["srun", f"--dependency=afterany:{job}", "--mem=1G", "true"], env=environment, check=True, timeout=300
    )
    outcome = json.loads((dataset / "jobs" / "array" / "outcome.json").read_text())
    assert [image["status"] for image in outcome["images"]] == ["done"] * 3
