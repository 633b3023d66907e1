"""What is said of runs that are over, or seem to be."""

import re
import threading

import pytest

from cellscale.engines.batch.follow.watch import follow_run
from cellscale.engines.batch.submission import read_submission
from cellscale.pipeline.events import ignore
from cellscale.storage.atomic import write_bytes
from cellscale.storage.uri import delete, exists
from tests.cli.runs import run
from tests.engines.batch.conftest import CONFIG, run_uri, upload
from tests.pipeline.spots import spots, write_dataset

WORDS = ["segment-and-measure", "--env_config_uri", CONFIG]
IMAGES = ("first", "second")


@pytest.fixture
def dataset(batch, tmp_path, request):
    """A dataset of two images; Batch has no machines, so that nothing begins by itself."""
    batch.holds = True
    root = write_dataset(tmp_path, first=spots((90, 80)), second=spots((100, 90), 1))
    return upload(root, f"gs://bucket/{request.node.name.replace('[', '-').rstrip(']')}")


def work(uri, word, count=2):
    """Do a task of all images here."""
    for index in range(count):
        task = run("stage", word, "--tasks_spec_uri", f"{uri}/tasks.json", "--task_index", index)
        assert task.exit_code == 0, task.stdout


def worked(dataset, *options):
    """Return a run all of whose images are done, and that nobody ended."""
    uri = run_uri(run(*WORDS, *options, "workspace", dataset))
    work(uri, "segment-image")
    work(uri, "measure-image")
    run("jobs", "cancel", uri)
    return uri


def finish(uri):
    return run("stage", "finish", "--tasks_spec_uri", f"{uri}/tasks.json").exit_code


def test_a_run_whose_end_is_missing_failed_and_can_be_ended(dataset):
    uri = worked(dataset)
    waited = run("jobs", "wait", uri)
    assert waited.exit_code == 1
    assert waited.statuses == dict.fromkeys(IMAGES, "done")
    assert "the end of the run is missing" in waited.stderr
    assert "the end of the run is missing" in run("jobs", "status", uri).stderr
    command = re.search(r"cellscale (stage finish --tasks_spec_uri \S+)", waited.stderr)[1].split()
    assert run(*command).exit_code == 0
    assert run("jobs", "wait", uri).exit_code == 0


def test_a_project_that_could_not_be_written_fails_its_images(dataset):
    uri = worked(dataset)
    write_bytes(f"{dataset}/PROJ/project.qpproj", b"no project")
    assert finish(uri) == 1
    waited = run("jobs", "wait", uri)
    assert waited.exit_code == 1
    assert waited.statuses == dict.fromkeys(IMAGES, "failed")
    assert "not in the QuPath project" in waited.errors["first"]
    delete(f"{dataset}/PROJ/project.qpproj")
    assert "images: 2" in run("jobs", "retry", uri).stdout


def test_taking_up_images_again_makes_up_for_a_missing_end(dataset):
    uri = worked(dataset)
    delete(f"{dataset}/REPORTS/second_QUANT.tsv")
    assert "images: 1" in run("jobs", "retry", uri).stdout
    assert exists(f"{uri}/outcome.json")
    assert exists(f"{dataset}/PROJ/project.qpproj")


def test_a_run_is_not_over_while_a_job_works_without_its_conductor(dataset, batch):
    uri = run_uri(run(*WORDS, "workspace", dataset))
    batch.job("conduct").set_state("FAILED")
    shown = run("jobs", "status", uri)
    assert (shown.exit_code, shown.statuses["first"]) == (0, "waiting")
    run("jobs", "retry", uri).explains("is still at work")
    outcomes = []
    following = threading.Thread(target=lambda: outcomes.append(follow_run(uri, read_submission(uri), ignore)))
    following.start()
    following.join(1.5)
    assert outcomes == []
    batch.job("segment").set_state("FAILED")
    following.join(30)
    assert outcomes[0].exit_code == 1


@pytest.mark.parametrize("command", ["segment", "segment-and-measure"])
def test_pictures_that_are_missing_are_taken_up_again(dataset, command):
    options = ["--stages", "separate", "--visualize", "--image_filter", "first"]
    uri = run_uri(run(command, *WORDS[1:], *options, "workspace", dataset))
    words = ["segment-image"] if command == "segment" else ["segment-image", "measure-image"]
    for word in words:
        work(uri, word, 1)
    assert run("jobs", "status", uri).statuses["first"] == "waiting"
    run("jobs", "cancel", uri)
    assert finish(uri) == 1
    waited = run("jobs", "wait", uri)
    assert waited.exit_code == 1
    assert "its visualization did not end" in waited.errors["first"]
    again = read_submission(run_uri(run("jobs", "retry", uri)))
    assert [record.step for record in again.jobs] == [words[-1].removesuffix("-image"), "conduct"]
    assert '"visualize"' in again.jobs[0].definition


def test_failed_images_that_are_gone_are_named(dataset):
    write_bytes(f"{dataset}/OMETIFF/third.ome.tiff", b"damaged")
    uri = run_uri(run(*WORDS, "workspace", dataset))
    run("jobs", "cancel", uri)
    delete(f"{dataset}/OMETIFF/third.ome.tiff")
    again = run("jobs", "retry", uri)
    assert again.exit_code == 0
    assert "not tried again, because they were removed or renamed: third" in again.stderr
    assert "images: 2" in again.stdout


def test_where_all_failed_images_are_gone_nothing_is_submitted(dataset, batch):
    write_bytes(f"{dataset}/OMETIFF/third.ome.tiff", b"damaged")
    uri = run_uri(run(*WORDS, "--image_filter", "t", "workspace", dataset))
    run("jobs", "cancel", uri)
    write_bytes(f"{dataset}/OMETIFF/tissue.ome.tiff", b"another")
    delete(f"{dataset}/OMETIFF/third.ome.tiff")
    jobs = set(batch.jobs)
    run("jobs", "retry", uri).explains("is there any more: third")
    assert set(batch.jobs) == jobs
