"""What a Dask worker does: one share of one image, or the whole of it, from storage and to storage.

Every function here may run on any worker, twice, and at the same time as the others. They return only small facts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from threading import Lock

from distributed import Worker, get_worker

from cellscale import __version__
from cellscale.engines.dask.memory import share_of
from cellscale.engines.worker import choose_model, require_extras
from cellscale.errors import RequestError
from cellscale.pipeline.budget import Budget
from cellscale.pipeline.events import ignore
from cellscale.pipeline.image import process_image
from cellscale.pipeline.model import Model
from cellscale.pipeline.outcome import ImageOutcome
from cellscale.pipeline.placement import Placement
from cellscale.pipeline.request import Request
from cellscale.pipeline.shares import Plan, label_share, plan_shares, predict_share, prepare_share
from cellscale.pipeline.stages import ImageRun
from cellscale.pipeline.tiles import Group
from cellscale.qupath.project_images import ProjectImage
from cellscale.records.stage import StageRecord
from cellscale.storage.uri import exists
from cellscale.workspace.discovery import ImageEntry

__all__ = ["Finished", "Job", "check", "finish", "label", "plan", "predict", "prepare"]

_LOADING = Lock()


@dataclass(frozen=True, slots=True)
class Job:
    """What all tasks of a run have in common."""

    request: Request
    version: str = __version__
    """Version of cellscale that gives out the tasks."""


@dataclass(frozen=True, slots=True)
class Finished:
    """What became of an image."""

    outcome: ImageOutcome
    places: tuple[ProjectImage, ...]
    """Its place in the QuPath project, to be entered into the list of images."""


def check(job: Job, dask_worker: Worker) -> None:
    """Find out whether a worker can do its part.

    Raises
    ------
    RequestError
        It cannot: another version of cellscale, too little memory, no weights, or the dataset is not to be seen.
    """
    _require_fit(job, dask_worker)
    choose_model(job.request)


def plan(job: Job, entry: ImageEntry) -> Plan:
    """Find out what of an image's segmentation can be shared out."""
    model = _checked(job)
    return Plan() if model is None else plan_shares(_run(entry, _budget(1)), entry, job.request, model)


def prepare(job: Job, entry: ImageEntry) -> tuple[StageRecord, ...]:
    """Learn the whole-image facts that preprocessing needs, with all threads of this worker."""
    run = _run(entry, _budget(get_worker().state.nthreads))
    prepare_share(run, entry, job.request, _model(job))
    return tuple(run.records)


def predict(job: Job, entry: ImageEntry, groups: Sequence[Group]) -> tuple[StageRecord, ...]:
    """Predict some groups of tiles."""
    run = _run(entry, _budget(1))
    predict_share(run, entry, job.request, _model(job), groups)
    return tuple(run.records)


def label(job: Job, entry: ImageEntry, blocks: Sequence[int]) -> tuple[StageRecord, ...]:
    """Label some blocks."""
    run = _run(entry, _budget(1))
    label_share(run, entry, job.request, _model(job), blocks)
    return tuple(run.records)


def finish(job: Job, entry: ImageEntry, position: int, alone: bool) -> Finished:
    """Do all that is left of an image, as the local engine does.

    Parameters
    ----------
    job
        The run.
    entry
        The image.
    position
        The image's position among those of the run.
    alone
        Nobody else has a share of the image: it is small, and other images keep this worker's other threads busy.
    """
    model = _checked(job)
    places: list[ProjectImage] = []
    placement = Placement(shared_state=True, position=position, enter_project=places.append)
    budget = _budget(1 if alone else get_worker().state.nthreads)
    outcome = process_image(entry, job.request, model, budget, ignore, placement)
    return Finished(outcome, tuple(places))


def _checked(job: Job) -> Model | None:
    """Return the network, loaded; a worker that cannot work raises `RequestError`."""
    with _LOADING:  # or threads that begin together would each load it
        return _loaded(job)


def _model(job: Job) -> Model:
    model = _checked(job)
    assert model is not None, "shares are given out where there is something to segment"
    return model


@lru_cache(maxsize=1)
def _loaded(job: Job) -> Model | None:
    """Load the network for all threads, each of which computes a tile at a time."""
    _require_fit(job, get_worker())
    model = choose_model(replace(job.request, workers=1))
    # The device that was found here may be another than the one that was expected.
    return model and replace(model, arithmetic=model.load().computation.arithmetic)


def _require_fit(job: Job, worker: Worker) -> None:
    if job.version != __version__:
        raise RequestError(
            f"it has cellscale {__version__}, but this run was begun with {job.version}; install the same version on "
            "all workers and on the machine that gives out the work"
        )
    _share(worker, 1)
    _require_dataset(job.request)
    require_extras(job.request)


def _require_dataset(request: Request) -> None:
    folder = request.paths.images
    if not exists(folder) and not (request.paths.numpy and exists(request.paths.numpy)):
        raise RequestError(
            f"it does not see the folder {folder}; the dataset must be in a folder that all workers share under the "
            "same path, or in an object store"
        )


def _run(entry: ImageEntry, budget: Budget) -> ImageRun:
    return ImageRun(entry.name, ignore, budget)


def _budget(threads: int) -> Budget:
    return _share(get_worker(), threads)


def _share(worker: Worker, threads: int) -> Budget:
    """Return what one task may take of a worker: one thread's share of the memory."""
    return share_of(worker.memory_manager.memory_limit, worker.state.nthreads, threads)
