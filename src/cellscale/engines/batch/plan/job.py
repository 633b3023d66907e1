"""Job definitions: what Batch is asked to run.

A run is up to three jobs.

- **segment**: a task for each image, as many side by side as asked.
- **measure**: the same for measuring, on machines that need no accelerator.
- **conduct**: one small machine that submits the measure job once *all* images are segmented, whether well or badly,
  waits for it, and then finishes the run: one QuPath project, the benchmarks, the summary.

Why a conductor: Batch starts a job after another only in its alpha API; a barrier inside one job holds all tasks'
machines until the last one is there, which 5,000 images in turns of 100 never are; the task that happens to finish
last cannot be relied on, since a task that is killed never says that it finished; and the client's laptop may be
closed. The conductor looks at Batch's own states, may itself be stopped and started anywhere (every job's name
derives from the run's, so that nothing is submitted twice), and costs a few cents an hour.

No name of an image and no credential is in a definition: tasks find their image by their index in the run's list, and
every command is a list of words that no shell sees.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, TypeAlias

from google.cloud import batch_v1

from cellscale.engines.batch.compute import BOOT_GB, CONDUCT, Compute
from cellscale.engines.batch.plan.environment import Environment
from cellscale.engines.batch.plan.limits import LONGEST_RUN, MOST_PARALLEL
from cellscale.engines.batch.plan.sizing import CONDUCTING, Need
from cellscale.engines.engine_request import BatchOptions
from cellscale.engines.tasks.retries import RETRIES, TRY_AGAIN
from cellscale.pipeline.request import Outputs, Request

__all__ = [
    "RETRIED",
    "Step",
    "Target",
    "conduct_job",
    "console_link",
    "definition",
    "image_job",
    "java_job",
    "job_id",
]

Step: TypeAlias = Literal["segment", "measure", "conduct"]

RETRIED = (50001, 50002, 50003, 50004, 50005, 50006, TRY_AGAIN)
"""Exit codes that are Batch's own: the machine was preempted, stopped reporting, was restarted, hung, took too long,
or was made again; and ours for a store that was away. A task that fails otherwise fails again: it is not retried."""

_RETRIES = {"SPOT": 10, "STANDARD": 3}
_PROVISIONING = {
    "SPOT": batch_v1.AllocationPolicy.ProvisioningModel.SPOT,
    "STANDARD": batch_v1.AllocationPolicy.ProvisioningModel.STANDARD,
}
_LONGEST_TASK = timedelta(days=3)
_FUSED = {"segment": ("segment-image",), "measure": ("measure-image",)}
_SEPARATE = {"segment": ("preprocess", "predict", "postprocess"), "measure": ("shapes", "measure")}
_JAVA_PROGRAM = "/app/qupath-measurement-1.0-SNAPSHOT-all.jar"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The run that a job belongs to, and where it runs."""

    run: str
    folder: str
    """URI of the run's folder."""
    spec: str
    """URI of the run's list of tasks."""
    environment: Environment


def job_id(run: str, step: Step) -> str:
    """Return the name of a run's job, the same whenever it is asked for."""
    return f"cellscale-{run.lower()}-{step}"


def console_link(name: str) -> str:
    """Return where a person can look at a job, ``projects/P/locations/R/jobs/J``."""
    _, project, _, region, _, job = name.split("/")
    return f"https://console.cloud.google.com/batch/jobsDetail/regions/{region}/jobs/{job}/details?project={project}"


def definition(job: batch_v1.Job, indent: int | None = None) -> str:
    """Return a job as JSON without what is not set, in the form that ``gcloud batch jobs submit --config`` takes."""
    text: str = batch_v1.Job.to_json(
        job, indent=indent, use_integers_for_enums=False, always_print_fields_with_no_presence=False
    )
    return text


def image_job(
    target: Target,
    step: Literal["segment", "measure"],
    measure: bool,
    outputs: Outputs,
    options: BatchOptions,
    compute: Compute,
    need: Need,
    tasks: int,
) -> batch_v1.Job:
    """Return a job with a task for each image."""
    segmenting = step == "segment"
    image = target.environment.segment_container_image if segmenting else target.environment.quantify_container_image
    stages = _stages(step, measure, outputs, options)
    return _job(
        target,
        step,
        compute=compute,
        need=need,
        runnables=[_stage(image, stage, target.spec) for stage in stages],
        tasks=tasks,
        parallelism=options.parallelism or min(tasks, MOST_PARALLEL),
        longest=_LONGEST_TASK,
    )


def java_job(target: Target, request: Request, compute: Compute, need: Need) -> batch_v1.Job:
    """Return a job in which the original system's Java program measures all images in one task."""
    paths = request.paths
    words = [
        "-Djava.io.tmpdir=/tmp",
        "-jar",
        _JAVA_PROGRAM,
        "--mode=explicit",
        f"--images-path={paths.images}",
        f"--segmasks-path={paths.segmasks}",
        f"--project-path={paths.project}",
        f"--reports-path={paths.reports}",
        f"--image-filter={request.images.prefix}",
    ]
    return _job(
        target,
        "measure",
        compute=compute,
        need=need,
        runnables=[_runnable("measure", target.environment.quantify_container_image, "java", words)],
        tasks=1,
        parallelism=1,
        longest=_LONGEST_TASK,
    )


def conduct_job(target: Target, segment: bool, measure: bool) -> batch_v1.Job:
    """Return the job that sees a run through to its end."""
    image = target.environment.segment_container_image
    conduct = _runnable("conduct", image, "cellscale", ["jobs", "conduct", target.folder])
    # Where the original's Java program does everything there are no results of ours to gather.
    finish = [_stage(image, "finish", target.spec)] if segment or measure else []
    return _job(
        target,
        "conduct",
        compute=CONDUCT,
        need=CONDUCTING,
        runnables=[conduct, *finish],
        tasks=1,
        parallelism=1,
        longest=timedelta(seconds=LONGEST_RUN),
    )


def _stages(
    step: Literal["segment", "measure"], measure: bool, outputs: Outputs, options: BatchOptions
) -> tuple[str, ...]:
    if options.stages == "fused":
        return _FUSED[step]
    last = "measure" if measure else "segment"
    pictures = ("visualize",) if outputs.visualize and step == last else ()
    return (*_SEPARATE[step], *pictures, *(("gather-benchmark",) if step == last else ()))


def _stage(image: str, stage: str, spec: str) -> batch_v1.Runnable:
    return _runnable(stage, image, "cellscale", ["stage", stage, "--tasks_spec_uri", spec])


def _runnable(name: str, image: str, program: str, words: Sequence[str]) -> batch_v1.Runnable:
    container = batch_v1.Runnable.Container(image_uri=image, entrypoint=program, commands=words)
    # Benchmarks of a task that failed are worth having as well.
    return batch_v1.Runnable(display_name=name, container=container, always_run=name == "gather-benchmark")


def _job(
    target: Target,
    step: Step,
    *,
    compute: Compute,
    need: Need,
    runnables: Sequence[batch_v1.Runnable],
    tasks: int,
    parallelism: int,
    longest: timedelta,
) -> batch_v1.Job:
    labels = {"cellscale-run": target.run.lower(), "cellscale-step": step}
    retries = _RETRIES[compute.provisioning]
    spec = batch_v1.TaskSpec(
        runnables=runnables,
        compute_resource=batch_v1.ComputeResource(cpu_milli=need.cpu_milli, memory_mib=need.memory_mib),
        max_run_duration=longest,
        max_retry_count=retries,
        environment=batch_v1.Environment(variables={RETRIES: str(retries)}),
        lifecycle_policies=[_retry_policy()],
    )
    group = batch_v1.TaskGroup(
        task_spec=spec, task_count=tasks, parallelism=min(parallelism, tasks), task_count_per_node=1
    )
    return batch_v1.Job(
        task_groups=[group],
        allocation_policy=_allocation(target.environment, compute, need, labels),
        labels=labels,
        logs_policy=batch_v1.LogsPolicy(destination=batch_v1.LogsPolicy.Destination.CLOUD_LOGGING),
    )


def _retry_policy() -> batch_v1.LifecyclePolicy:
    return batch_v1.LifecyclePolicy(
        action=batch_v1.LifecyclePolicy.Action.RETRY_TASK,
        action_condition=batch_v1.LifecyclePolicy.ActionCondition(exit_codes=RETRIED),
    )


def _allocation(
    environment: Environment, compute: Compute, need: Need, labels: dict[str, str]
) -> batch_v1.AllocationPolicy:
    policy = batch_v1.AllocationPolicy
    instance = policy.InstancePolicy(
        machine_type=compute.machine,
        provisioning_model=_PROVISIONING[compute.provisioning],
        # The boot disk, which every container can write to whoever it runs as, unlike a disk mounted into it.
        boot_disk=policy.Disk(type_="pd-balanced", size_gb=BOOT_GB + need.disk_gb),
    )
    if compute.accelerator:
        instance.accelerators = [policy.Accelerator(type_=compute.accelerator, count=compute.count)]
    allocation = policy(
        instances=[policy.InstancePolicyOrTemplate(policy=instance, install_gpu_drivers=compute.has_gpu)],
        location=policy.LocationPolicy(allowed_locations=[f"regions/{environment.region}"]),
        labels=labels,
    )
    interface, account = environment.networking_interface, environment.service_account
    if interface.network or interface.subnetwork or interface.no_external_ip_address:
        found = policy.NetworkInterface(**interface.model_dump())
        allocation.network = policy.NetworkPolicy(network_interfaces=[found])
    if account.email:
        allocation.service_account = batch_v1.ServiceAccount(**account.model_dump())
    return allocation
