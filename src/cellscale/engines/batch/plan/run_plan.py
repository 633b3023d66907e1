"""From a request to the jobs that would do it; nothing is written or submitted here."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from google.cloud import batch_v1

from cellscale.engines.batch.compute import MEASURE, SEGMENT, Compute, parse_compute
from cellscale.engines.batch.plan.cost import Cost, CostedJob, estimate_cost
from cellscale.engines.batch.plan.environment import Environment, read_environment
from cellscale.engines.batch.plan.job import Step, Target, conduct_job, image_job, java_job, job_id
from cellscale.engines.batch.plan.limits import check_job, check_parallelism
from cellscale.engines.batch.plan.run_network import Weights, choose_weights, costed_network, refuse_other_options
from cellscale.engines.batch.plan.sizing import Need, Sizes, measure_sizes, measuring_need, segmenting_need
from cellscale.engines.end_of_run import new_run_id
from cellscale.engines.engine_request import BatchOptions
from cellscale.engines.preflight import find_images
from cellscale.engines.tasks.spec import SPEC_NAME, RunSpec
from cellscale.errors import RequestError, StorageError
from cellscale.pipeline.request import Request, request_to_json, to_json
from cellscale.pipeline.resume import fingerprint
from cellscale.storage.uri import join, listing
from cellscale.workspace.discovery import ImageEntry
from cellscale.workspace.layout import WorkspacePaths

__all__ = ["ENVIRONMENT_NAME", "RunPlan", "make_plan", "shortened"]

ENVIRONMENT_NAME = "env-config.json"
"""Name of the environment's copy in a run's folder, which later changes of the original do not reach."""

_SHOWN = 20
"""Names that a message has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlan:
    """All that is to be submitted."""

    spec: RunSpec
    environment: Environment
    weights: Weights
    sizes: Sizes
    works: tuple[CostedJob, ...]
    jobs: tuple[tuple[Step, batch_v1.Job], ...]
    """In the order in which they run, the conductor last."""
    cost: Cost
    fingerprint: str
    """Hash of all that is asked, equal for two plans of the same."""

    @property
    def java(self) -> bool:
        """Whether the original's Java program measures."""
        return self.environment.measures_with_java and any(work.measuring for work in self.works)

    @property
    def folder(self) -> str:
        """URI of the run's folder."""
        return str(join(self.spec.request.paths.jobs, self.spec.run))


def make_plan(request: Request, options: BatchOptions, only: Collection[str] | None = None) -> RunPlan:
    """Find out what a request needs.

    Parameters
    ----------
    request
        What to do.
    options
        On which machines.
    only
        Take only images of these names; None for all that the request's filter lets pass.

    Raises
    ------
    RequestError
        The request, its environment or its images are not fit for Batch.
    ModelError
        The network is of a format that cellscale cannot run.
    """
    if options.env_config_uri is None:
        raise RequestError("--env_config_uri is missing; --engine batch needs the description of a cloud environment")
    _check_paths(request.paths)
    if options.parallelism is not None:
        check_parallelism(options.parallelism)
    environment = read_environment(options.env_config_uri)
    if request.measure and environment.measures_with_java and request.paths.project is None:
        raise RequestError(
            "--project_path is missing; the Java program in the quantify_container_image of the environment config "
            "measures in a QuPath project, which it makes in that folder"
        )
    weights = choose_weights(request, environment)
    refuse_other_options(request, weights)
    segmenting = _compute(options.segmentation_compute_config, SEGMENT, "--segmentation_compute_config")
    measuring = _compute(options.measurement_compute_config, MEASURE, "--measurement_compute_config")
    entries = _entries(request) if only is None else _chosen(_entries(request), only)
    sizes = measure_sizes(entries)
    run = new_run_id()
    spec = RunSpec(
        run=run,
        request=_task_request(request, environment, weights),
        options=_task_options(options, request.paths, run),
        entries=tuple(entries),
        benchmark_table=environment.bigquery_benchmarking_table or None,
    )
    works = tuple(_works(request.segment, request.measure, options, sizes, segmenting, measuring))
    plan = RunPlan(
        spec=spec,
        environment=environment,
        weights=weights,
        sizes=sizes,
        works=works,
        jobs=tuple(_jobs(spec, environment, works)),
        cost=estimate_cost(list(works), sizes, *costed_network(request, weights)),
        fingerprint=fingerprint(_facts(request, options, environment, entries)),
    )
    for step, job in plan.jobs:
        check_job(job_id(run, step), job)
    return plan


def _check_paths(paths: WorkspacePaths) -> None:
    """Refuse folders that machines in the cloud cannot reach."""
    folders = {
        "images": paths.images, "NPZ files": paths.numpy, "masks": paths.segmasks, "QuPath project": paths.project,
        "reports": paths.reports,
    }  # fmt: skip
    for kind, folder in folders.items():
        if folder is not None and not str(folder).startswith("gs://"):
            raise RequestError(
                f"the folder of {kind} is {folder}; Batch works on folders in Cloud Storage, as in "
                "gs://bucket/dataset. Copy the dataset there, for example with gcloud storage cp --recursive."
            )


def _compute(text: str | None, default: Compute, option: str) -> Compute:
    return default if text is None else parse_compute(text, option)


def _entries(request: Request) -> list[ImageEntry]:
    """Return the images, or say that the bucket itself is missing."""
    try:
        return find_images(request)
    except RequestError:
        bucket = "/".join(str(request.paths.images).split("/")[:3])
        try:
            listing(bucket)
        except StorageError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                raise RequestError(
                    f"there is no bucket {bucket}, or it is not shown to you; check its name, or make it with gcloud "
                    f"storage buckets create {bucket}"
                ) from error
        raise


def _chosen(entries: list[ImageEntry], only: Collection[str]) -> list[ImageEntry]:
    """Return those of some images that are there."""
    chosen = [entry for entry in entries if entry.name in only]
    if not chosen:
        raise RequestError(
            f"none of the images to try again is there any more: {shortened(only)}. If they were renamed, give the "
            "first command again: images that are done are kept."
        )
    return chosen


def shortened(names: Collection[str]) -> str:
    """Return names in one line, the first of them where they are many."""
    shown = ", ".join(list(names)[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown


def _task_request(request: Request, environment: Environment, weights: Weights) -> Request:
    """Return the request as the tasks get it: what this machine alone knows is left behind."""
    return replace(
        request,
        measure=request.measure and not environment.measures_with_java,
        network=replace(request.network, path=weights.uri, checksum=weights.checksum),
    )


def _task_options(options: BatchOptions, paths: WorkspacePaths, run: str) -> BatchOptions:
    """Return the options as the tasks get them: the environment is where they can read it."""
    return replace(options, env_config_uri=str(join(paths.jobs, run, ENVIRONMENT_NAME)), wait=False)


def _works(
    segment: bool, measure: bool, options: BatchOptions, sizes: Sizes, segmenting: Compute, measuring: Compute
) -> list[CostedJob]:
    parallelism = options.parallelism or sizes.images
    works = []
    if segment:
        need = segmenting_need(sizes, segmenting)
        works.append(CostedJob(measuring=False, compute=segmenting, need=need, parallelism=parallelism))
    if measure:
        need = measuring_need(sizes, measuring)
        works.append(CostedJob(measuring=True, compute=measuring, need=need, parallelism=parallelism))
    return works


def _jobs(spec: RunSpec, environment: Environment, works: tuple[CostedJob, ...]) -> list[tuple[Step, batch_v1.Job]]:
    folder = str(join(spec.request.paths.jobs, spec.run))
    target = Target(run=spec.run, folder=folder, spec=str(join(folder, SPEC_NAME)), environment=environment)
    jobs: list[tuple[Step, batch_v1.Job]] = []
    for work in works:
        step: Step = "measure" if work.measuring else "segment"
        jobs.append((step, _job(target, work, spec, work.need)))
    return [*jobs, ("conduct", conduct_job(target, spec.request.segment, spec.request.measure))]


def _job(target: Target, work: CostedJob, spec: RunSpec, need: Need) -> batch_v1.Job:
    if work.measuring and target.environment.measures_with_java:
        return java_job(target, spec.request, work.compute, need)
    step: Any = "measure" if work.measuring else "segment"
    return image_job(
        target, step, spec.request.measure, spec.request.outputs, spec.options, work.compute, need, len(spec.entries)
    )


def _names(entry: ImageEntry) -> tuple[str, ...]:
    return () if entry.channel_names is None else entry.channel_names.names


def _facts(
    request: Request, options: BatchOptions, environment: Environment, entries: list[ImageEntry]
) -> dict[str, Any]:
    """Return all that tells one submission from another."""
    return {
        "request": request_to_json(request),
        "options": to_json(replace(options, wait=False, env_config_uri=None)),
        "environment": environment.model_dump(),
        "images": [[entry.name, entry.marker, entry.size, *_names(entry)] for entry in entries],
    }
