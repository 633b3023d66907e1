"""Runs handed to Batch, refused by it, cancelled, and handed over twice."""

import hashlib
import json
import re
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path

import grpc
import pytest
from google.longrunning import operations_pb2

from cellscale.engines.batch.client import batch_client
from cellscale.engines.batch.follow.job_chain import start_job
from cellscale.engines.batch.submission import read_submission
from cellscale.errors import RunInProgressError
from cellscale.storage.atomic import write_bytes
from cellscale.storage.locks import run_lock
from cellscale.storage.uri import listing, read_bytes
from cellscale.weights.catalogue import INSTANSEG, MESMER, MODELS, installed_path
from tests.cli.runs import run
from tests.engines.batch.conftest import CONFIG, ENVIRONMENT, run_uri, upload
from tests.patience import HANGS
from tests.pipeline.spots import spots, write_dataset
from tests.predict.seed_network import seed_network
from tests.predict.torch_network import torch_network

WORDS = ["segment-and-measure", "--env_config_uri", CONFIG]


@pytest.fixture
def dataset(batch, tmp_path, request):
    """A dataset of two images; Batch has no machines, so that nothing begins."""
    batch.holds = True
    root = write_dataset(tmp_path, first=spots((90, 80)), second=spots((100, 90), 1))
    return upload(root, f"gs://bucket/{request.node.name.replace('[', '-').rstrip(']')}")


def configured(name, **facts):
    location = f"gs://bucket/{name}.json"
    write_bytes(location, json.dumps(ENVIRONMENT | facts).encode())
    return location


def test_a_run_is_submitted_and_left(dataset, batch):
    result = run(*WORDS, "workspace", dataset)
    assert result.exit_code == 0, result.stderr
    submission = read_submission(run_uri(result))
    assert [record.step for record in submission.jobs] == ["segment", "measure", "conduct"]
    console = "console: https://console.cloud.google.com/batch/jobsDetail/regions/us-central1/jobs/cellscale-"
    for line in (
        console,
        "estimated cost: about $",
        "images: 2",
        f"follow it: cellscale jobs wait {run_uri(result)}",
    ):
        assert line in result.stdout
    names = [record.name for record in submission.jobs]
    # The conductor submits the second.
    assert [name for name in batch.jobs if name in names] == [names[0], names[2]]
    status = run("jobs", "status", run_uri(result)).stdout
    assert "segment\tQUEUED\t2 pending" in status
    assert "measure\tNOT SUBMITTED" in status
    assert "first\twaiting" in status


def test_the_same_run_again_is_the_same_run(dataset, batch):
    first = run(*WORDS, "workspace", dataset)
    jobs = set(batch.jobs)
    second = run(*WORDS, "workspace", dataset)
    assert second.exit_code == 0
    assert "nothing was submitted" in second.stdout
    assert run_uri(second) == run_uri(first)
    assert set(batch.jobs) == jobs
    run("jobs", "cancel", run_uri(first))
    assert run_uri(run(*WORDS, "workspace", dataset)) != run_uri(first)


def test_another_run_on_the_same_dataset_is_refused(dataset):
    first = run(*WORDS, "workspace", dataset)
    run(*WORDS, "--overwrite", "workspace", dataset).explains("another run is at work", run_uri(first), "jobs cancel")


def test_nobody_else_begins_while_jobs_are_handed_over(dataset, batch, monkeypatch):
    def tried(request, context):
        try:
            with run_lock(f"{dataset}/jobs/lock"):
                begun.append(request.job_id)
        except RunInProgressError:
            refused.append(request.job_id)
        return create(request, context)

    create, begun, refused = batch.create_job, [], []
    monkeypatch.setattr(batch, "create_job", tried)
    assert run(*WORDS, "workspace", dataset).exit_code == 0
    assert (begun, len(refused)) == ([], 2)


@pytest.mark.parametrize("engine", ["local", "dask"])
def test_this_machine_does_not_work_on_what_batch_works_on(dataset, batch, engine):
    if engine == "dask":
        pytest.importorskip("distributed")
    uri = run_uri(run(*WORDS, "workspace", dataset))
    words = ["segment", "--engine", engine, "--model_path", "gs://bucket/tiny.onnx"]
    refused = run(*words, "workspace", dataset)
    refused.explains("Google Cloud Batch is at work on this dataset", uri, f"cellscale jobs cancel {uri}")
    assert listing(uri) != []
    assert run(*words, "--engine", "local", "--dry_run", "workspace", dataset).exit_code == 0
    batch.job("conduct").set_state("FAILED")
    assert run(*words, "workspace", dataset).exit_code == 2
    run("jobs", "cancel", uri)
    assert run(*words, "--engine", "local", "workspace", dataset).exit_code == 0


def test_this_machine_waits_where_batch_does_not_say(dataset, batch, monkeypatch):
    def silent(request, context):
        context.abort(grpc.StatusCode.PERMISSION_DENIED, "batch.jobs.get denied")

    uri = run_uri(run(*WORDS, "workspace", dataset))
    monkeypatch.setattr(batch, "get_job", silent)
    words = ["segment", "--model_path", "gs://bucket/tiny.onnx", "workspace", dataset]
    run(*words).explains("it cannot be known whether", uri, "batch.jobs.get denied")
    write_bytes(f"{uri}/outcome.json", b"{}")  # the end of the run came
    assert run(*words).exit_code == 0


def test_a_job_submitted_twice_is_there_once(dataset, batch):
    record = read_submission(run_uri(run(*WORDS, "workspace", dataset))).jobs[0]
    jobs = len(batch.jobs)
    start_job(record)
    assert len(batch.jobs) == jobs


def test_a_cancelled_run_ends_and_its_next_job_is_not_submitted(dataset, batch):
    uri = run_uri(run(*WORDS, "workspace", dataset))
    cancelled = run("jobs", "cancel", uri)
    assert re.findall(r"-(segment|measure|conduct)$", cancelled.stdout, re.MULTILINE) == ["conduct", "segment"]
    conducted = run("jobs", "conduct", uri)
    assert conducted.exit_code == 1
    assert "was cancelled" in conducted.stderr
    assert not any(name.endswith("-measure") for name in batch.jobs if uri[-6:] in name)
    waited = run("jobs", "wait", uri)
    assert waited.exit_code == 1
    assert "did not end" in waited.errors["first"]
    assert "nothing to cancel" in run("jobs", "cancel", uri).stdout


def test_a_conductor_that_is_being_cancelled_submits_nothing(dataset, batch):
    uri = run_uri(run(*WORDS, "workspace", dataset))
    batch.job("segment").set_state("SUCCEEDED")
    batch.job("conduct").set_state("CANCELLATION_IN_PROGRESS")
    conducted = run("jobs", "conduct", uri)
    assert conducted.exit_code == 1
    assert "was cancelled" in conducted.stderr
    assert not any(name.endswith("-measure") for name in batch.jobs if uri[-6:] in name)


def test_what_the_conductor_submits_while_it_is_being_cancelled_is_cancelled_as_well(dataset, batch, monkeypatch):
    def slow(request, context):
        if not request.name.endswith("-conduct"):
            return cancel(request, context)
        batch.job("conduct").set_state("CANCELLATION_IN_PROGRESS")
        dying.start()
        return operations_pb2.Operation(name=f"{request.name}/cancel")

    def die():
        time.sleep(0.7)
        start_job(submission.jobs[1])
        batch.job("conduct").set_state("CANCELLED")

    cancel, dying = batch.cancel_job, threading.Thread(target=die)
    uri = run_uri(run(*WORDS, "workspace", dataset))
    submission = read_submission(uri)
    batch.job("segment").set_state("SUCCEEDED")
    monkeypatch.setattr(batch, "cancel_job", slow)
    cancelled = run("jobs", "cancel", uri)
    dying.join()
    assert re.findall(r"-(segment|measure|conduct)$", cancelled.stdout, re.MULTILINE) == ["conduct", "measure"]
    assert batch.job("measure").state == "CANCELLED"


@pytest.mark.slow
def test_processes_at_work_are_cancelled(dataset, batch):
    batch.holds = False
    uri = run_uri(run(*WORDS, "--parallelism", 2, "workspace", dataset))
    served = batch.job("segment")
    while not served.processes:
        pass
    assert run("jobs", "cancel", uri).exit_code == 0
    processes = list(served.processes)
    for process in processes:
        process.join(20)
        assert not process.is_alive()
    assert served.state == "CANCELLED"
    assert batch.job("conduct").state == "CANCELLED"


def test_a_dry_run_shows_everything_and_submits_nothing(dataset, batch, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.delenv("GOOGLE_CLOUD_PROJECT")
    jobs, files = set(batch.jobs), listing(dataset)
    result = run(*WORDS, "--dry_run", "--parallelism", 1, "workspace", dataset)
    assert result.exit_code == 0, result.stderr
    for words in ("images: 2, 0.0 Mpx in all", "segmenting: n1-standard-8:SPOT+nvidia-tesla-t4:1, 1 at a time",
                  "measuring: n1-standard-8:SPOT, 1 at a time", "estimated cost: about $"):  # fmt: skip
        assert words in result.stdout
    assert "{" not in result.stdout
    places = [tmp_path / text for text in re.findall(r"^job \S+: (.*\.json)$", result.stdout, re.MULTILINE)]
    assert [place.name for place in places] == ["segment.json", "measure.json", "conduct.json"]
    definitions = [json.loads(place.read_text()) for place in places]
    assert [one["taskGroups"][0]["taskCount"] for one in definitions] == ["2", "2", "1"]
    assert (set(batch.jobs), listing(dataset)) == (jobs, files)


def test_measuring_or_segmenting_alone(dataset):
    segmenting = read_submission(run_uri(run("segment", "--env_config_uri", CONFIG, "workspace", dataset)))
    assert [record.step for record in segmenting.jobs] == ["segment", "conduct"]
    measuring = run("measure", "--env_config_uri", CONFIG, "workspace", f"{dataset}/")
    measuring.explains("another run is at work")


def test_pages_of_tasks(dataset, batch):
    submission = read_submission(run_uri(run(*WORDS, "workspace", dataset)))
    pager = batch_client().list_tasks(
        request={"parent": f"{submission.jobs[0].name}/taskGroups/group0", "page_size": 1}
    )
    assert [task.status.state.name for task in pager] == ["PENDING", "PENDING"]


REFUSALS = {
    "permission": (grpc.StatusCode.PERMISSION_DENIED, "batch.jobs.create denied", "roles/batch.jobsEditor"),
    "quota": (grpc.StatusCode.RESOURCE_EXHAUSTED, "Quota exceeded for CreateJob", "quota"),
    "argument": (grpc.StatusCode.INVALID_ARGUMENT, "no such network", "environment config"),
    "project": (grpc.StatusCode.NOT_FOUND, "project not found", "check the project"),
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_what_batch_refuses_is_said_with_what_to_do(dataset, batch, kind):
    code, message, advice = REFUSALS[kind]
    batch.refusal = (code, message)
    result = run(*WORDS, "workspace", dataset)
    assert result.exit_code == 1
    assert "cannot submit the job" in result.stderr
    assert message in result.stderr
    assert advice in result.stderr
    batch.refusal = None
    assert run(*WORDS, "workspace", dataset).exit_code == 0  # the failed submission is in nobody's way


def test_a_service_that_is_away_for_a_while_is_waited_for(dataset, batch):
    batch.away = 2
    result = run(*WORDS, "workspace", dataset)
    assert (result.exit_code, batch.away) == (0, 0)
    batch.away = 1
    assert run("jobs", "status", run_uri(result)).exit_code == 0


def test_without_the_clients_it_says_what_to_install(dataset, monkeypatch):
    monkeypatch.setitem(sys.modules, "google.cloud.batch_v1", None)
    for words in (["segment", "--env_config_uri", CONFIG, "workspace", dataset], ["jobs", "list", dataset]):
        run(*words).explains("pip install 'cellscale[gcp]'")


def test_without_the_conductor_no_job_stays(dataset, batch, monkeypatch):
    def refused(request, context):
        if request.job_id.endswith("-conduct"):
            context.abort(grpc.StatusCode.PERMISSION_DENIED, "only one job today")
        return create(request, context)

    create = batch.create_job
    monkeypatch.setattr(batch, "create_job", refused)
    result = run(*WORDS, "workspace", dataset)
    assert "only one job today" in result.stderr
    assert batch.job("segment").state == "CANCELLED"


def test_a_missing_bucket_is_named(batch):
    run(*WORDS, "workspace", "gs://nobodys/dataset").explains("there is no bucket gs://nobodys", "buckets create")


def test_a_bucket_without_images_is_told_from_a_missing_one(batch):
    run(*WORDS, "workspace", "gs://bucket/empty").explains("there is no folder gs://bucket/empty/OMETIFF")


def test_a_missing_config_is_named(dataset):
    run("segment", "--env_config_uri", "gs://bucket/none.json", "workspace", dataset).explains(
        "--env_config_uri", "gs://bucket/none.json", "does not exist"
    )


def test_a_malformed_config_is_named_with_the_keys_path(dataset):
    location = configured("malformed", networking_interface={"subnet": "x"})
    run("segment", "--env_config_uri", location, "workspace", dataset).explains(
        location, "networking_interface.subnet is no key"
    )


def test_local_folders_are_no_place_for_batch(batch, tmp_path):
    root = write_dataset(tmp_path / "d", first=spots((90, 80)))
    run(*WORDS, "workspace", root).explains(str(root), "gs://", "gcloud storage cp")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--segmentation_compute_config", "big"], ["--segmentation_compute_config", "'big'"]),
        (["--measurement_compute_config", "e2-micro"], ["--measurement_compute_config", "larger machine"]),
        (["--parallelism", "5001"], ["--parallelism is 5,001", "5,000"]),
        (["--model_path", "net.onnx"], ["net.onnx", "gs://"]),
        (["--model_path", "gs://bucket/net.tar.gz"], ["TensorFlow", "tf2onnx"]),
        (["--model_path", "gs://bucket/none.onnx"], ["there is no network at gs://bucket/none.onnx", "--model_path"]),
        (["--model_hash", "x1"], ["'x1' is not a hash"]),
        (["--engine", "local"], ["--env_config_uri has no meaning with --engine local"]),
    ],
)
def test_options_that_cannot_be(dataset, words, expected):
    run(*WORDS, *words, "workspace", dataset).explains(*expected)


def test_mesmer_is_put_into_the_bucket_once(dataset, mesmer_path):
    """The original's config names its own archive of the same network."""
    archive = {"segment_model_path": "gs://models/MultiplexSegmentation-9.tar.gz", "segment_model_hash": "a1" * 16}
    words = ["segment", "--env_config_uri", configured("mesmer", **archive), "workspace", dataset]
    uri = run_uri(run(*words))
    request = json.loads(read_bytes(f"{uri}/tasks.json"))["request"]
    (weights,) = listing(f"{dataset}/jobs/models")
    assert request["network"]["path"] == weights.location
    assert (request["network"]["checksum"], weights.size) == (MESMER.sha256, mesmer_path.stat().st_size)
    run("jobs", "cancel", uri)
    assert run_uri(run(*words)) != uri
    assert listing(f"{dataset}/jobs/models") == [weights]


def test_a_network_by_name_goes_before_that_of_the_config(dataset, monkeypatch, tmp_path):
    content = seed_network()
    model = replace(INSTANSEG, size=len(content), sha256=hashlib.sha256(content).hexdigest())
    monkeypatch.setenv("CELLSCALE_CACHE", str(tmp_path))
    monkeypatch.setitem(MODELS, "instanseg", model)
    installed_path(model).parent.mkdir()
    installed_path(model).write_bytes(content)
    uri = run_uri(
        run("segment", "--model", "instanseg", "--env_config_uri", configured("named"), "workspace", dataset)
    )
    network = json.loads(read_bytes(f"{uri}/tasks.json"))["request"]["network"]
    assert (network["name"], network["checksum"]) == ("instanseg", model.sha256)
    assert read_bytes(network["path"]) == content
    run("jobs", "cancel", uri)
    for words in (["--model", "instanseg"], ["--model_path", network["path"]]):
        options = ["--percentile", "99", "--regions", f"{dataset}/regions"]
        refused = run("segment", *words, *options, "--env_config_uri", configured("named"), "workspace", dataset)
        refused.explains("--percentile", "networks like Mesmer")


@pytest.mark.slow
def test_mesmers_successor_is_known_on_the_machines_by_its_name(dataset, batch):
    """Its file alone does not say what its authors' values are: the name goes with it into the run's request."""
    write_bytes("gs://bucket/successor.onnx", torch_network())
    words = ["--model", "torch-mesmer", "--model_path", "gs://bucket/successor.onnx", "--image_filter", "first"]
    batch.holds = False
    result = run("segment", *words, "--env_config_uri", CONFIG, "--wait", "workspace", dataset)
    assert result.exit_code == 0, result.stderr
    request = json.loads(read_bytes(f"{run_uri(result)}/tasks.json"))["request"]
    assert (request["network"]["name"], request["network"]["path"]) == ("torch-mesmer", "gs://bucket/successor.onnx")
    assert request["segmenting"]["whole_cell"]["maxima_threshold"] == 0.1
    made = {mask.location: read_bytes(mask.location) for mask in listing(f"{dataset}/SEGMASK")}
    assert len(made) == 2
    here = ["segment", *words, "--engine", "local", "--overwrite", "--device", "cpu", "workspace", dataset]
    assert run(*here).exit_code == 0
    assert {mask.location: read_bytes(mask.location) for mask in listing(f"{dataset}/SEGMASK")} == made


@pytest.mark.slow
def test_instanseg_is_sent_to_the_machines_with_its_name(dataset, batch, instanseg_path):
    words = ["--model", "instanseg", "--image_filter", "first"]
    batch.holds = False
    result = run("segment-and-measure", *words, "--env_config_uri", CONFIG, "--wait", "workspace", dataset)
    assert result.exit_code == 0, result.stderr
    assert "instanseg, which has no records, is reckoned as Mesmer" in read_submission(run_uri(result)).estimate
    network = json.loads(read_bytes(f"{run_uri(result)}/tasks.json"))["request"]["network"]
    assert (network["name"], network["checksum"]) == ("instanseg", INSTANSEG.sha256)
    assert network["path"].startswith(f"{dataset}/jobs/models/instanseg-")
    assert read_bytes(network["path"]) == instanseg_path.read_bytes()
    assert b"Apache-2.0" in read_bytes(f"{dataset}/REPORTS/first_report.html")
    made = {mask.location: read_bytes(mask.location) for mask in listing(f"{dataset}/SEGMASK")}
    here = ["segment", *words, "--engine", "local", "--overwrite", "workspace", dataset]
    assert run(*here).exit_code == 0
    assert {mask.location: read_bytes(mask.location) for mask in listing(f"{dataset}/SEGMASK")} == made


def test_the_hash_of_the_options_goes_before_that_of_the_config(dataset):
    config = configured("hashed", segment_model_hash="a1" * 16)
    words = ["segment", "--env_config_uri", config]
    uri = run_uri(run(*words, "--model_hash", "b2" * 16, "workspace", dataset))
    assert json.loads(read_bytes(f"{uri}/tasks.json"))["request"]["network"]["checksum"] == "b2" * 16
    run("jobs", "cancel", uri)
    uri = run_uri(run(*words, "workspace", dataset))
    assert json.loads(read_bytes(f"{uri}/tasks.json"))["request"]["network"]["checksum"] == "a1" * 16


def test_the_network_installed_here_must_have_the_hash(dataset, batch, mesmer_path):
    jobs = set(batch.jobs)
    words = ["segment", "--env_config_uri", configured("mesmer", segment_model_path="")]
    run(*words, "--model_hash", "0" * 64, "workspace", dataset).explains("is not the one that --model_hash names")
    assert set(batch.jobs) == jobs
    assert run(*words, "--model_hash", MESMER.sha256, "workspace", dataset).exit_code == 0


def test_no_credentials_are_asked_for_in_words(dataset, monkeypatch, tmp_path):
    monkeypatch.delenv("GOOGLE_CLOUD_PROJECT")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    run(*WORDS, "workspace", dataset).explains("gcloud auth application-default login")


def test_a_folder_that_is_no_run(dataset):
    run("jobs", "status", f"{dataset}/jobs/none").explains("is no run on Batch", "cellscale jobs list")


def test_the_java_program_measures_all_images_in_one_task(dataset, batch):
    def java(words):
        reports = next(word for word in words if word.startswith("--reports-path=")).partition("=")[2]
        write_bytes(f"{reports}/first_QUANT.tsv", b"table")
        return 0

    batch.holds, batch.programs = False, {"java": java}
    location = configured("java", quantify_container_image="dchaley/qupath-project-initializer:latest")
    result = run("measure", "--env_config_uri", location, "--wait", "workspace", dataset)
    assert result.exit_code == 1
    assert "first\tdone" in result.stdout
    assert "second_QUANT.tsv missing" in result.errors["second"]
    assert batch.job("measure").job.task_groups[0].task_count == 1
    assert [step for _, step, _ in batch.job("conduct").attempts] == ["conduct"]


def test_the_java_program_needs_a_place_for_its_project(dataset, batch):
    jobs, location = (
        set(batch.jobs),
        configured("java", quantify_container_image="dchaley/qupath-project-initializer"),
    )
    folders = {"images": "OMETIFF", "segmasks": "M", "reports": "R"}
    words = [word for name, folder in folders.items() for word in (f"--{name}_path", f"{dataset}/{folder}")]
    run("measure", "--env_config_uri", location, "paths", *words).explains("--project_path is missing", "Java")
    assert set(batch.jobs) == jobs
    assert run("segment", "--env_config_uri", location, "paths", *words).exit_code == 0


@pytest.mark.parametrize("script", ["segment-and-measure.py", "segment.py"])
def test_the_originals_command_lines_word_for_word(dataset, batch, script):
    """Those of its README, each option where it stands there."""
    machines = {"segment.py": ["--compute_config", "n1-standard-8:SPOT+nvidia-tesla-t4:1"]}
    options = ["--env_config_uri", CONFIG, *machines.get(script, ["--visualize"]), "--image_filter", "fir"]
    submitted = call(script, *options, "workspace", dataset)
    assert submitted.returncode == 0, submitted.stderr
    assert "images: 1" in submitted.stdout
    folders = {"images": "OMETIFF", "numpy": "NPZ", "segmasks": "M", "project": "P", "reports": f"{script}/R"}
    words = [word for name, folder in folders.items() for word in (f"--{name}_path", f"{dataset}/{folder}")]
    result = run(script.removesuffix(".py"), "--env_config_uri", CONFIG, "paths", *words)
    assert result.exit_code == 0, result.stderr
    assert "images: 2" in result.stdout


def call(script, *words):
    command = [sys.executable, str(Path(__file__).parents[3] / "scripts" / script), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=HANGS, check=False)
