"""Runs whose images are tasks for any scheduler: their list is written, nothing is started."""

import re
from dataclasses import replace

from cellscale.engines.at_work import refuse_busy
from cellscale.engines.end_of_run import new_run_id
from cellscale.engines.engine_request import BatchOptions, Stages
from cellscale.engines.preflight import choose_model, find_images, require_extras
from cellscale.engines.tasks.spec import SPEC_NAME, RunSpec, read_spec, run_folder, write_spec
from cellscale.errors import RequestError
from cellscale.pipeline.request import Request
from cellscale.storage.uri import exists, join
from cellscale.workspace.claim import Claim

__all__ = ["plan_run", "write_plan"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def plan_run(request: Request, *, run: str | None = None, stages: Stages = "fused") -> RunSpec:
    """Return the list of tasks of a run: a task for each image, in the order of their names.

    Parameters
    ----------
    request
        What to do. The weights are checked now, and their hash goes into the list: machines with others refuse.
    run
        Name of the run, and of its folder below the dataset's ``jobs``; None for a new one from the time.
    stages
        Whether pictures are a part of the tasks that measure, or a step of their own.

    Raises
    ------
    RequestError
        The request is wrong: no images, a name that no folder can have, an extra that is not installed, or a run on
        Google Cloud Batch at work on the dataset.
    ModelError
        The weights are missing or not the ones asked for.
    """
    if run is not None and not _NAME.fullmatch(run):
        raise RequestError(f"--run is {run!r}; letters, digits, dots, hyphens and underscores expected, at most 100")
    require_extras(request.measuring)
    refuse_busy(request.paths.jobs)
    entries = find_images(request)
    model = choose_model(request, computes=False)
    network = request.network if model is None else replace(request.network, checksum=model.sha256)
    return RunSpec(
        run=run or new_run_id(),
        request=replace(request, network=network, dry_run=False),
        options=BatchOptions(stages=stages),
        entries=tuple(entries),
    )


def write_plan(spec: RunSpec) -> str:
    """Write a list of tasks and return its location; the same list that is there already stays.

    From then on tasks of other runs write nothing to the dataset.

    Raises
    ------
    RequestError
        A run of that name has another list, or results of one.
    StorageError
        It cannot be written.
    """
    location = join(run_folder(spec), SPEC_NAME)
    if exists(location):
        if read_spec(location) != spec:
            raise RequestError(
                f"the run {spec.run} has a list of other tasks: {location}. Choose another --run, or remove the "
                "run's folder if it is not needed any more; outputs that are finished are kept."
            )
        Claim(spec.request.paths.jobs, spec.run).announce()
        return str(location)
    if exists(join(run_folder(spec), "results")):
        raise RequestError(
            f"the run {spec.run} has results of a list of tasks that is gone: {run_folder(spec)}. Choose "
            "another --run, or remove that folder if it is not needed any more."
        )
    return str(write_spec(spec))
