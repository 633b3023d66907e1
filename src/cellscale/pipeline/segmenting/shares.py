"""Shares of the work on one image, for machines that work on it side by side.

Each share leaves finished units in the image's run state, where `cellscale.pipeline.image.process_image` finds them.
A share may be done anywhere, twice, in any order, or not at all: the outputs are the same, only later.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import thread_time

from cellscale.errors import StorageError
from cellscale.pipeline.image_run import ImageRun
from cellscale.pipeline.model import Model
from cellscale.pipeline.request import Request
from cellscale.pipeline.resume import RunState, identity_of, require_one_source, require_right, to_be_overwritten
from cellscale.pipeline.segmenting.inputs import input_of
from cellscale.pipeline.segmenting.intermediates import intermediates_to_make
from cellscale.pipeline.segmenting.kept_labels import with_same_labels
from cellscale.pipeline.segmenting.mask_marks import MaskMarks, earlier_mask_mark, mask_marks, run_state
from cellscale.pipeline.segmenting.methods import Method, method_of_kind
from cellscale.pipeline.segmenting.preparation import Prepared, network_shape
from cellscale.pipeline.segmenting.segment_image import mask_outputs, masks_to_make
from cellscale.pipeline.segmenting.tile_store import GROUPS_AT_HAND, Group, GroupArrays, TileStore, unit
from cellscale.predict.heads import Compartment
from cellscale.workspace.discovery import ImageEntry
from cellscale.workspace.layout import WorkspacePaths
from cellscale.workspace.record import Ledger

__all__ = ["SharePlan", "label_share", "plan_shares", "predict_share", "prepare_share"]


@dataclass(frozen=True, slots=True)
class SharePlan:
    """What of an image's segmentation can be shared out, and what of it earlier runs have done."""

    groups: int = 0
    """Groups of tiles to be predicted, finished ones included."""
    blocks: int = 0
    """Blocks to be labelled, finished ones included."""
    missing_groups: tuple[Group, ...] = ()
    missing_blocks: tuple[int, ...] = ()
    """Blocks that are not labelled yet, in every compartment."""


def plan_shares(run: ImageRun, entry: ImageEntry, request: Request, model: Model) -> SharePlan:
    """Find out what is left to do; no pixel is read.

    Raises
    ------
    ImageError
        The image cannot be segmented.
    StorageError
        Something cannot be read.
    """
    if request.area.is_part:
        return SharePlan()  # what is needed of a part is known when its first blocks are labelled
    require_one_source(entry, request.paths, request.outputs)
    ledger = Ledger(request.paths.jobs, entry.name, run.fence)
    with input_of(run, entry, request, model) as source:
        identity = identity_of(run, entry, request.images, ledger)
        marks = mask_marks(identity, entry, request, source, model)
        earlier = earlier_mask_mark(entry, request, source, model)
        shape = network_shape(source)
    files = mask_outputs(request, entry.name)
    outputs = [output for group in files.values() for output in group]
    judged = ledger.judge("segmentation", marks.of_files(ledger), outputs, earlier=earlier)
    verdict = to_be_overwritten(judged, request.outputs)
    maps = intermediates_to_make(run, request, ledger, marks)
    to_make = masks_to_make(files, verdict)
    if not maps and (verdict.is_done or with_same_labels(request.paths.segmasks, ledger, marks, to_make)):
        return SharePlan()
    with _state(entry, request.paths, model, marks) as state:
        return _plan(method_of_kind(model.kind, model.input_format), request.predicted, state, shape)


def _plan(
    method: Method, compartments: tuple[Compartment, ...], state: RunState, shape: tuple[int, int]
) -> SharePlan:
    groups = method.groups(shape)
    stores = method.stores(state, compartments, shape)
    cores = next(iter(stores.values())).cores
    blocks = sorted({index for store in stores.values() for index in store.missing()})
    return SharePlan(
        groups=len(groups),
        blocks=len(cores),
        missing_groups=tuple(TileStore(state, groups, 1, [groups.near(cores[index]) for index in blocks]).missing),
        missing_blocks=tuple(blocks),
    )


def prepare_share(run: ImageRun, entry: ImageEntry, request: Request, model: Model) -> None:
    """Learn the whole-image facts that preprocessing needs."""
    with _opened(run, entry, request, model):
        pass


def predict_share(run: ImageRun, entry: ImageEntry, request: Request, model: Model, groups: Sequence[Group]) -> None:
    """Predict some groups of tiles; those that are there already are left."""
    with _opened(run, entry, request, model) as (prepared, state):
        _predict(run, prepared, state, model, groups)


def label_share(run: ImageRun, entry: ImageEntry, request: Request, model: Model, blocks: Sequence[int]) -> None:
    """Label some blocks, whose tiles another machine should have predicted; those that are missing are predicted.

    A block that needs wider surroundings than this machine's memory allows is left to the machine that finishes the
    image.
    """
    with _opened(run, entry, request, model) as (prepared, state):
        method = method_of_kind(model.kind, model.input_format)
        stores = method.stores(state, request.predicted, prepared.shape)
        parameters = {name: request.segmenting.parameters(name) for name in stores}
        load = _loader(state, lambda group: _predict(run, prepared, state, model, [group]))
        groups = method.groups(prepared.shape)
        labellers = method.labellers(stores, groups, load, model.load, parameters, run.budget)
        work = [(index, name) for index in blocks for name, store in stores.items() if not store.has(index)]
        total = len(blocks) * len(stores)
        with run.stage("labels", total, total - len(work)) as advance:
            for index, compartment in work:
                start = thread_time()
                labellers[compartment].label_alone(index)  # else it is left to who finishes the image
                advance(busy=thread_time() - start)


@contextmanager
def _opened(run: ImageRun, entry: ImageEntry, request: Request, model: Model) -> Iterator[tuple[Prepared, RunState]]:
    """Open the image, prepared for the network, and its run state."""
    identity = identity_of(run, entry, request.images, Ledger(request.paths.jobs, entry.name))
    with input_of(run, entry, request, model) as source:
        run.budget.require_room(source.info)
        marks = mask_marks(identity, entry, request, source, model)
        with _state(entry, request.paths, model, marks) as state:
            state.before_commit = partial(require_right, run, entry, identity)
            yield method_of_kind(model.kind, model.input_format).prepare(run, state, source), state
            state.flush()  # what others cannot see is not done


@contextmanager
def _state(entry: ImageEntry, paths: WorkspacePaths, model: Model, marks: MaskMarks) -> Iterator[RunState]:
    """Open the run state; copies of what is in an object store do not stay on this machine."""
    with (
        TemporaryDirectory(prefix="cellscale-") as folder,
        run_state(paths, entry.name, marks, model.arithmetic, shared=True, scratch=Path(folder)) as state,
    ):
        yield state


def _predict(run: ImageRun, prepared: Prepared, state: RunState, model: Model, groups: Sequence[Group]) -> None:
    method = method_of_kind(model.kind, model.input_format)
    store = TileStore(state, method.groups(prepared.shape).only(groups), 1)
    with run.stage("network", len(groups), len(groups) - len(store.missing)) as advance:
        method.predict(
            store,
            model.load(),
            prepared.read,
            workers=run.budget.workers,
            after_each=lambda busy: advance(busy=busy),
        )


def _loader(state: RunState, predict: Callable[[Group], None]) -> Callable[[Group], GroupArrays]:
    """Return what gives a group's maps; a group that is missing is predicted when it is asked for."""

    @lru_cache(GROUPS_AT_HAND)
    def load(group: Group) -> GroupArrays:
        arrays = state.load(unit(group))
        if arrays is None:
            predict(group)
            arrays = state.load(unit(group))
        if arrays is None:
            raise StorageError(
                f"{state.folder}: unit {unit(group)} was removed while it was in use; is another run at work? "
                "Run the same command again"
            )
        return arrays

    return load
