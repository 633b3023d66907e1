"""What each task and each stage does with its image."""

from dataclasses import replace
from functools import partial

from cellscale.engines.preflight import choose_model, require_extras
from cellscale.engines.tasks.results import Part, Task
from cellscale.engines.tasks.spec import RunSpec
from cellscale.errors import ImageError
from cellscale.pipeline.budget import Budget
from cellscale.pipeline.events import Listener
from cellscale.pipeline.image import attempt, process_image
from cellscale.pipeline.image_run import ImageRun
from cellscale.pipeline.measuring import outline_image
from cellscale.pipeline.model import Model
from cellscale.pipeline.outcome import ImageOutcome
from cellscale.pipeline.request import Request
from cellscale.pipeline.run_context import Placement
from cellscale.pipeline.segmenting import plan_shares, predict_share, prepare_share
from cellscale.workspace.discovery import ImageEntry

__all__ = ["work_of"]


def work_of(spec: RunSpec, task: Task | Part, index: int, listener: Listener, placement: Placement) -> ImageOutcome:
    """Do a task, or a part of one, and return what became of the image.

    Raises
    ------
    RequestError
        The request is wrong for all images.
    """
    entry = spec.entry(index)
    request = _own(spec, task).of(entry.name)
    require_extras(request.measuring)
    budget = Budget.choose(request.resources.workers, request.resources.max_memory)
    model = choose_model(request)
    if task == "shapes":
        return attempt(entry, budget, listener, placement, lambda run: _outlined(run, entry, request))
    if task in ("preprocess", "predict"):
        assert model is not None, "parts of segmenting have a network"
        share = partial(_shared, entry=entry, request=request, model=model, predict=task == "predict")
        return attempt(entry, budget, listener, placement, share)
    return process_image(entry, request, model, budget, listener, placement)


def _own(spec: RunSpec, task: Task | Part) -> Request:
    """Return what of the request is this task's."""
    request = spec.request
    last = "measure-image" if request.measure else "segment-image"
    pictures = task == "visualize" or (spec.options.stages == "fused" and task == last)
    return replace(
        request,
        segment=task in ("segment-image", "preprocess", "predict"),
        measure=task in ("measure-image", "shapes"),
        outputs=replace(request.outputs, visualize=request.outputs.visualize and pictures),
        dry_run=False,
    )


def _shared(run: ImageRun, entry: ImageEntry, request: Request, model: Model, *, predict: bool) -> ImageOutcome:
    """Do a part of the segmentation and leave it where the next one finds it."""
    _refuse_problem(entry)
    plan = plan_shares(run, entry, request, model)
    if not plan.missing_blocks:
        return ImageOutcome(image=entry.name, status="kept")
    if predict:
        predict_share(run, entry, request, model, plan.missing_groups)
    else:
        prepare_share(run, entry, request, model)
    return ImageOutcome(image=entry.name, status="done")


def _outlined(run: ImageRun, entry: ImageEntry, request: Request) -> ImageOutcome:
    _refuse_problem(entry)
    files = outline_image(run, entry, request)
    return ImageOutcome(image=entry.name, status="done", outputs=tuple(map(str, files)))


def _refuse_problem(entry: ImageEntry) -> None:
    if entry.problem is not None:
        raise ImageError(entry.problem)
