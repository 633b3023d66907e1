"""What a Dask worker does: one share of one image, or the whole of it, from storage and to storage.

Every function here may run on any worker, twice, and at the same time as the others. They return only small facts.
They are called through `cellscale.engines.dask.failure.guarded`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from threading import Lock
from typing import Any

from distributed import Worker, get_worker

from cellscale import __version__
from cellscale.engines.dask.failure import Failure, guarded
from cellscale.engines.dask.worker_memory import share_of
from cellscale.engines.preflight import checked_model, require_extras
from cellscale.errors import RequestError
from cellscale.pipeline.budget import Budget
from cellscale.pipeline.events import ignore
from cellscale.pipeline.image import process_image
from cellscale.pipeline.image_run import ImageRun
from cellscale.pipeline.model import Model
from cellscale.pipeline.outcome import ImageOutcome
from cellscale.pipeline.request import NetworkChoice, Request
from cellscale.pipeline.run_context import Placement
from cellscale.pipeline.segmenting import Group, SharePlan, label_share, plan_shares, predict_share, prepare_share
from cellscale.predict.heads import Compartment
from cellscale.qupath.project_image import ProjectImage
from cellscale.records.stage_cost import StageRecord
from cellscale.storage.credentials import Credentials, known, learn
from cellscale.storage.uri import exists
from cellscale.workspace.claim import Claim
from cellscale.workspace.discovery import ImageEntry
from cellscale.workspace.layout import WorkspacePaths

__all__ = ["Finished", "Job", "check", "finish", "label", "plan", "predict", "prepare"]

_LOADING = Lock()


@dataclass(frozen=True, slots=True)
class Job:
    """What all tasks of a run have in common."""

    request: Request
    run: str
    """Names the run."""
    version: str = __version__
    """Version of cellscale that gives out the tasks."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Take along what the worker needs to open the dataset's URIs, which do not show it."""
        return _arrived, (self.request, self.run, self.version, known())


def _arrived(request: Request, run: str, version: str, credentials: tuple[Credentials, ...]) -> Job:
    learn(credentials)
    return Job(request, run, version)


@dataclass(frozen=True, slots=True)
class Finished:
    """What became of an image."""

    outcome: ImageOutcome
    places: tuple[ProjectImage, ...]
    """Its place in the QuPath project, to be entered into the list of images."""


def check(job: Job, dask_worker: Worker) -> Failure | None:
    """Find out whether a worker can do its part.

    Returns
    -------
    Why it cannot: another version of cellscale, too little memory, no weights, or the dataset is not to be seen. None
    if it can.
    """
    failure: Failure | None = guarded(_check, job, dask_worker)
    return failure


def plan(job: Job, entry: ImageEntry) -> SharePlan:
    """Find out what of an image's segmentation can be shared out."""
    model = _checked(job)
    return (
        SharePlan()
        if model is None
        else plan_shares(_run(job, entry, _budget(1)), entry, job.request.of(entry.name), model)
    )


def prepare(job: Job, entry: ImageEntry) -> tuple[StageRecord, ...]:
    """Learn the whole-image facts that preprocessing needs, with all threads of this worker."""
    run = _run(job, entry, _budget(get_worker().state.nthreads))
    prepare_share(run, entry, job.request.of(entry.name), _model(job))
    return tuple(run.records)


def predict(job: Job, entry: ImageEntry, groups: Sequence[Group]) -> tuple[StageRecord, ...]:
    """Predict some groups of tiles."""
    run = _run(job, entry, _budget(1))
    predict_share(run, entry, job.request.of(entry.name), _model(job), groups)
    return tuple(run.records)


def label(job: Job, entry: ImageEntry, blocks: Sequence[int]) -> tuple[StageRecord, ...]:
    """Label some blocks."""
    run = _run(job, entry, _budget(1))
    label_share(run, entry, job.request.of(entry.name), _model(job), blocks)
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
    placement = Placement(
        shared_state=True, position=position, run=job.run, claim=_claim(job), enter_project=places.append
    )
    budget = _budget(1 if alone else get_worker().state.nthreads)
    outcome = process_image(entry, job.request, model, budget, ignore, placement)
    return Finished(outcome, tuple(places))


def _check(job: Job, worker: Worker) -> None:
    _require_fit(job, worker)
    with _LOADING:
        _choose(job.request)


def _checked(job: Job) -> Model | None:
    """Return the network, loaded; a worker that cannot work raises `RequestError`."""
    with _LOADING:  # or threads that begin together would each load it
        chosen = _fit(job)
        asked = job.request
        return chosen and _loaded(_Network(asked.network, asked.predicted, chosen.sha256, chosen))


def _model(job: Job) -> Model:
    model = _checked(job)
    assert model is not None, "shares are given out where there is something to segment"
    return model


@lru_cache(maxsize=1)
def _fit(job: Job) -> Model | None:
    """Return a run's network, not loaded: its file may be another than the one of the run before."""
    _require_fit(job, get_worker())
    return _choose(job.request)


def _choose(request: Request) -> Model | None:
    """Return the network; all threads of a worker use it, each of which computes a tile at a time."""
    if not request.segment:
        return None
    return checked_model(request.network, request.predicted, threads=1, tried=not request.dry_run)


@dataclass(frozen=True, slots=True)
class _Network:
    """What the loaded network depends on, which stays loaded for other runs that ask for the same."""

    choice: NetworkChoice
    compartments: tuple[Compartment, ...]
    sha256: str
    model: Model = field(compare=False)


@lru_cache(maxsize=1)
def _loaded(network: _Network) -> Model:
    model = network.model
    # The device that was found here may be another than the one that was expected.
    return replace(model, arithmetic=model.load().computation.arithmetic)


def _require_fit(job: Job, worker: Worker) -> None:
    if job.version != __version__:
        raise RequestError(
            f"it has cellscale {__version__}, but this run was begun with {job.version}; install the same version on "
            "all workers and on the machine that gives out the work"
        )
    _share(worker, 1)
    _require_dataset(job.request.paths)
    require_extras(job.request.measuring)


def _require_dataset(paths: WorkspacePaths) -> None:
    folder = paths.images
    if not exists(folder) and not (paths.numpy and exists(paths.numpy)):
        raise RequestError(
            f"it does not see the folder {folder}; the dataset must be in a folder that all workers share under the "
            "same path, or in an object store"
        )


def _run(job: Job, entry: ImageEntry, budget: Budget) -> ImageRun:
    return ImageRun(entry.name, ignore, budget, placement=Placement(claim=_claim(job)))


def _claim(job: Job) -> Claim | None:
    """Return what tells whether the run is still the one that may write."""
    return None if job.request.dry_run else Claim(job.request.paths.jobs, job.run)


def _budget(threads: int) -> Budget:
    return _share(get_worker(), threads)


def _share(worker: Worker, threads: int) -> Budget:
    """Return what one task may take of a worker: one thread's share of the memory."""
    return share_of(worker.memory_manager.memory_limit, worker.state.nthreads, threads)
