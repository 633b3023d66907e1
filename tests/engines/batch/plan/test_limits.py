"""Limits of Batch that its client does not know."""

import pytest
from google.cloud import batch_v1

from cellscale.engines.batch.compute import MEASURE, SEGMENT
from cellscale.engines.batch.plan.environment import Environment
from cellscale.engines.batch.plan.job import Target, conduct_job, image_job, java_job, job_id
from cellscale.engines.batch.plan.limits import check_job
from cellscale.engines.batch.plan.sizing import Need
from cellscale.engines.end_of_run import new_run_id
from cellscale.engines.engine_request import BatchOptions
from cellscale.errors import RequestError
from cellscale.pipeline.request import Request
from cellscale.workspace.layout import workspace_paths
from tests.engines.batch.conftest import ENVIRONMENT
from tests.requests import batch_options, request_for

RUN = "gs://bucket/data; rm -rf $HOME/jobs/r1"
TARGET = Target(run="r1", folder=RUN, spec=f"{RUN}/tasks.json", environment=Environment.model_validate(ENVIRONMENT))
REQUEST = Request(paths=workspace_paths("gs://bucket/data; rm -rf $HOME"))


def segmenting(tasks=1000, **settings):
    request, options = request_for(REQUEST.paths, **settings), batch_options(**settings)
    return image_job(
        TARGET, "segment", request.measure, request.outputs, options, SEGMENT, Need(8000, 20000, 100), tasks
    )


def test_a_thousand_tasks_are_one_small_definition():
    job = segmenting()
    check_job("cellscale-r1-segment", job)
    (group,) = job.task_groups
    assert (group.task_count, group.parallelism, group.task_count_per_node) == (1000, 1000, 1)
    assert len(batch_v1.Job.to_json(job)) < 10_000


def test_tasks_run_side_by_side_up_to_the_limit():
    assert segmenting(100_000).task_groups[0].parallelism == 5000
    assert segmenting(100, parallelism=8).task_groups[0].parallelism == 8
    assert segmenting(3, parallelism=8).task_groups[0].parallelism == 3


def test_only_batchs_own_exit_codes_and_that_of_a_store_that_is_away_are_retried():
    spec = segmenting().task_groups[0].task_spec
    (policy,) = spec.lifecycle_policies
    assert list(policy.action_condition.exit_codes) == [50001, 50002, 50003, 50004, 50005, 50006, 75]
    assert policy.action == batch_v1.LifecyclePolicy.Action.RETRY_TASK
    assert 0 < spec.max_retry_count <= 10
    assert spec.environment.variables == {"CELLSCALE_RETRIES": str(spec.max_retry_count)}


def test_drivers_come_with_an_accelerator_only():
    instance = segmenting().allocation_policy.instances[0]
    assert instance.install_gpu_drivers
    assert [(one.type_, one.count) for one in instance.policy.accelerators] == [("nvidia-tesla-t4", 1)]
    plain = image_job(
        TARGET, "measure", REQUEST.measure, REQUEST.outputs, BatchOptions(), MEASURE, Need(8000, 20000, 100), 5
    )
    plain = plain.allocation_policy.instances[0]
    assert not plain.install_gpu_drivers
    assert not plain.policy.accelerators
    assert plain.policy.boot_disk.size_gb >= 100


def test_network_account_and_place_are_those_of_the_environment():
    policy = segmenting().allocation_policy
    (interface,) = policy.network.network_interfaces
    assert (interface.network, interface.subnetwork, interface.no_external_ip_address) == (
        "the_network",
        "the_subnetwork",
        True,
    )
    assert policy.service_account.email == "the_service@account.com"
    assert list(policy.location.allowed_locations) == ["regions/us-central1"]


def test_no_shell_sees_a_word():
    jobs = [
        segmenting(),
        segmenting(stages="separate", visualize=True),
        conduct_job(TARGET, REQUEST.segment, REQUEST.measure),
        java_job(TARGET, REQUEST, MEASURE, Need(8000, 20000, 100)),
    ]
    for job in jobs:
        for runnable in job.task_groups[0].task_spec.runnables:
            assert not runnable.script.text
            assert not runnable.container.options
            assert runnable.container.entrypoint in ("cellscale", "java")


def test_the_java_program_is_called_as_the_original_calls_it():
    (runnable,) = java_job(TARGET, REQUEST, MEASURE, Need(8000, 20000, 100)).task_groups[0].task_spec.runnables
    words = list(runnable.container.commands)
    assert words[words.index("-jar") + 1 :] == [
        "/app/qupath-measurement-1.0-SNAPSHOT-all.jar",
        "--mode=explicit",
        "--images-path=gs://bucket/data; rm -rf $HOME/OMETIFF",
        "--segmasks-path=gs://bucket/data; rm -rf $HOME/SEGMASK",
        "--project-path=gs://bucket/data; rm -rf $HOME/PROJ",
        "--reports-path=gs://bucket/data; rm -rf $HOME/REPORTS",
        "--image-filter=",
    ]


def test_stages_one_after_another_or_in_one():
    def names(**settings):
        return [one.display_name for one in segmenting(**settings).task_groups[0].task_spec.runnables]

    assert names() == ["segment-image"]
    assert names(stages="separate") == ["preprocess", "predict", "postprocess"]
    assert names(stages="separate", measure=False)[-1] == "gather-benchmark"


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda job: setattr(job.task_groups[0], "task_count", 100_001), "--image_filter"),
        (lambda job: setattr(job.task_groups[0], "parallelism", 5001), "--parallelism is 5,001"),
        (lambda job: setattr(job.task_groups[0].task_spec, "max_retry_count", 11), "0 to 10"),
        (lambda job: job.task_groups.append(job.task_groups[0]), "one task group"),
        (
            lambda job: job.allocation_policy.instances.append(job.allocation_policy.instances[0]),
            "one kind of machine",
        ),
        (
            lambda job: job.task_groups[0].task_spec.lifecycle_policies.append(batch_v1.LifecyclePolicy()),
            "one lifecycle policy",
        ),
        (lambda job: job.task_groups[0].task_spec.runnables.append(batch_v1.Runnable()), "neither a container"),
        (lambda job: job.labels.update({f"l{n}": "x" * 60 for n in range(20_000)}), "1,048,576"),
    ],
)
def test_what_batch_would_refuse_is_refused_here(change, word):
    job = segmenting(10)
    change(job)
    with pytest.raises(RequestError) as refused:
        check_job("cellscale-r1-segment", job)
    assert word in str(refused.value)


def test_a_run_of_more_than_two_weeks_is_refused():
    job = segmenting(10)
    job.task_groups[0].task_spec.max_run_duration = {"seconds": 14 * 24 * 3600 + 1}
    with pytest.raises(RequestError, match="1,209,600"):
        check_job("cellscale-r1-segment", job)


def test_names_of_jobs_are_what_batch_takes():
    for step in ("segment", "measure", "conduct"):
        check_job(job_id(new_run_id(), step), segmenting(1))
    with pytest.raises(RequestError, match="63"):
        check_job("Upper_Case", segmenting(1))
