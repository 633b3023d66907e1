"""A dataset in Cloud Storage worked on by Batch: real clients, real processes, and all that can befall them."""

import json

import pytest

from cellscale.storage.atomic import write_bytes
from cellscale.storage.uri import delete, find, join, read_bytes
from tests.cli.runs import OUTPUTS, run
from tests.engines.batch.batch_server import PREEMPTED, Fault
from tests.engines.batch.conftest import CONFIG, run_uri, upload
from tests.pipeline.spots import spots, write_dataset

IMAGES = [f"tissue {number:02d}" for number in range(12)]
PREEMPTED_ONCE, PREEMPTED_TWICE, BROKEN, KILLED, AWAY = 2, 9, 4, 7, 5
KILLED_BY_SYSTEM = 137
STORE_AWAY = 75
DATASET = "gs://bucket/dataset"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def here(tmp_path_factory, tiny_model):
    """The same dataset worked on by this machine."""
    root = tmp_path_factory.mktemp("here")
    write_dataset(root, **{name: spots((150 + 5 * seed, 160), seed) for seed, name in enumerate(IMAGES)})
    done = run("segment-and-measure", "--model_path", tiny_model, "workspace", root)
    assert done.exit_code == 0, done.stderr
    return root


@pytest.fixture(scope="module")
def result(here, cloud):
    """A run: one image is cut off, two tasks are preempted, one finds no store, one is killed as it measures."""
    upload(here, DATASET)
    image = here / "OMETIFF" / f"{IMAGES[BROKEN]}.ome.tiff"
    write_bytes(join(DATASET, "OMETIFF", image.name), image.read_bytes()[:2000])
    cloud.faults = {
        ("segment-image", PREEMPTED_ONCE): Fault([PREEMPTED], after="StageStarted"),
        ("segment-image", PREEMPTED_TWICE): Fault([PREEMPTED, 50002], after="StageStarted"),
        ("segment-image", AWAY): Fault([STORE_AWAY], after="StageStarted"),
        ("measure-image", KILLED): Fault([KILLED_BY_SYSTEM], after="StageStarted"),
    }
    words = ["--env_config_uri", CONFIG, "--parallelism", 4, "--wait", "workspace", DATASET]
    result = run("segment-and-measure", *words)
    cloud.faults = {}
    return result


@pytest.fixture(scope="module")
def good():
    return [name for index, name in enumerate(IMAGES) if index not in (BROKEN, KILLED)]


def outputs(names):
    return [output.format(name) for name in names for output in OUTPUTS]


def test_failed_images_are_reported_and_the_others_done(result, good):
    assert result.exit_code == 1
    assert result.statuses == dict.fromkeys(IMAGES, "failed") | dict.fromkeys(good, "done")
    assert "truncated" in result.errors[IMAGES[BROKEN]]
    assert "measurement did not end" in result.errors[IMAGES[KILLED]]


def test_outputs_are_those_of_a_run_on_one_machine(result, here, good):
    for output in outputs(good):
        assert read_bytes(join(DATASET, output)) == (here / output).read_bytes(), output
    assert find(join(DATASET, OUTPUTS[0].format(IMAGES[BROKEN]))) is None


def test_the_project_is_written_once_with_all_measured_images(result, good):
    project = json.loads(read_bytes(f"{DATASET}/PROJ/project.qpproj"))
    assert [image["imageName"] for image in project["images"]] == [f"{name}.ome.tiff" for name in good]


def test_preempted_tasks_are_tried_again_and_real_errors_are_not(result, cloud):
    codes = {}
    for index, _, code in cloud.job("segment").attempts:
        codes.setdefault(index, []).append(code)
    assert codes[PREEMPTED_ONCE] == [PREEMPTED, 0]
    assert codes[PREEMPTED_TWICE] == [PREEMPTED, 50002, 0]
    assert codes[AWAY] == [STORE_AWAY, 0]
    assert codes[BROKEN] == [1]
    assert [code for index, _, code in cloud.job("measure").attempts if index == KILLED] == [KILLED_BY_SYSTEM]


def test_measuring_begins_when_all_images_are_segmented(result, cloud):
    assert cloud.job("measure").others[cloud.job("segment").job.name] == "FAILED"
    assert [step for _, step, _ in cloud.job("conduct").attempts] == ["conduct", "finish"]


def test_definitions_hold_no_name_of_an_image(result):
    assert b"tissue" not in read_bytes(f"{run_uri(result)}/batch.json")


def test_the_runs_of_a_dataset_are_listed_and_looked_at(result):
    run_folder = run_uri(result)
    listed = run("jobs", "list", DATASET)
    assert listed.exit_code == 0
    assert run_folder in listed.stdout
    shown = run("jobs", "status", run_folder)
    assert shown.exit_code == 0
    assert "segment\tFAILED\t1 failed, 11 succeeded" in shown.stdout
    assert f"{IMAGES[0]}\tdone" in shown.stdout
    assert f"{IMAGES[KILLED]}\tfailed" in shown.stdout


def test_logs_of_one_image(result):
    logs = run("jobs", "logs", run_uri(result), "--image", IMAGES[BROKEN])
    assert "ERROR segment: " in logs.stdout
    assert "truncated" in logs.stdout
    assert IMAGES[0] not in logs.stdout
    unknown = run("jobs", "logs", run_uri(result), "--image", "nobody")
    unknown.explains("no image 'nobody'", IMAGES[0])


def test_only_failed_images_are_taken_up_again(result, here, good, cloud):
    image = here / "OMETIFF" / f"{IMAGES[BROKEN]}.ome.tiff"
    write_bytes(join(DATASET, "OMETIFF", image.name), image.read_bytes())
    before = {output: find(join(DATASET, output)) for output in outputs(good)}
    again = run("jobs", "retry", run_uri(result), "--wait")
    assert again.exit_code == 0, again.stderr
    taken_up = {name: status for name, status in again.statuses.items() if name.startswith("tissue")}
    assert taken_up == {IMAGES[BROKEN]: "done", IMAGES[KILLED]: "done"}
    assert cloud.job("segment").job.task_groups[0].task_count == 2
    assert {output: find(join(DATASET, output)) for output in outputs(good)} == before
    for output in outputs(IMAGES):
        assert read_bytes(join(DATASET, output)) == (here / output).read_bytes(), output
    assert len(json.loads(read_bytes(f"{DATASET}/PROJ/project.qpproj"))["images"]) == 12
    nothing = run("jobs", "retry", run_uri(again))
    nothing.explains("nothing to try again")


def test_an_output_that_is_gone_makes_an_image_failed(cloud):
    listed = run("jobs", "list", DATASET).stdout.splitlines()
    table = f"{DATASET}/REPORTS/{IMAGES[KILLED]}_QUANT.tsv"
    content = read_bytes(table)
    delete(table)
    shown = run("jobs", "status", listed[1].split("\t")[0])
    write_bytes(table, content)
    assert f"{IMAGES[KILLED]}\tfailed" in shown.stdout
    assert f"{IMAGES[KILLED]}_QUANT.tsv missing" in shown.stderr


def test_stages_one_after_another_give_the_same_files(here, cloud):
    dataset, name = "gs://bucket/separate", IMAGES[0]
    write_bytes(f"{dataset}/OMETIFF/{name}.ome.tiff", (here / "OMETIFF" / f"{name}.ome.tiff").read_bytes())
    words = ["--env_config_uri", CONFIG, "--stages", "separate", "--wait", "workspace", dataset]
    result = run("segment-and-measure", *words)
    assert result.exit_code == 0, result.stderr
    steps = [step for job in ("segment", "measure") for _, step, _ in cloud.job(job).attempts]
    assert steps == ["preprocess", "predict", "postprocess", "shapes", "measure", "gather-benchmark"]
    for output in outputs([name]):
        assert read_bytes(join(dataset, output)) == (here / output).read_bytes(), output
