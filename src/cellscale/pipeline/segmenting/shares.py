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

import numpy as np
from numpy.typing import NDArray

from cellscale.errors import StorageError
from cellscale.pipeline.image_run import ImageRun
from cellscale.pipeline.model import Model
from cellscale.pipeline.request import Request
from cellscale.pipeline.resume import RunState, identity_of, require_one_source, require_right, to_be_overwritten
from cellscale.pipeline.segmenting.block_labeller import BlockLabeller
from cellscale.pipeline.segmenting.block_store import BlockStore
from cellscale.pipeline.segmenting.inputs import open_input
from cellscale.pipeline.segmenting.intermediates import intermediates_to_make
from cellscale.pipeline.segmenting.kept_labels import with_same_labels
from cellscale.pipeline.segmenting.mask_marks import MaskMarks, earlier_mask_mark, mask_marks, run_state
from cellscale.pipeline.segmenting.predict_and_label import GROUPS_AT_HAND, map_reader
from cellscale.pipeline.segmenting.prediction import predict_groups
from cellscale.pipeline.segmenting.preparation import PreparedImage, network_shape, prepare
from cellscale.pipeline.segmenting.segment_image import mask_outputs, masks_to_make
from cellscale.pipeline.segmenting.tile_store import Group, GroupArrays, TileGroups, TileStore, maps_of, unit
from cellscale.predict.heads import Compartment
from cellscale.predict.tiles import TileGrid
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
    with open_input(entry, request.channels, request.preprocessing, run.budget.cache_bytes) as source:
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
        return _plan(request.predicted, state, shape)


def _plan(compartments: tuple[Compartment, ...], state: RunState, shape: tuple[int, int]) -> SharePlan:
    groups = TileGroups(TileGrid.of(shape))
    stores = _stores(compartments, state, shape)
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
        stores = _stores(request.predicted, state, prepared.shape)
        tiles = _Tiles(state, prepared.shape, lambda group: _predict(run, prepared, state, model, [group]))
        labellers = {
            name: BlockLabeller(
                store,
                map_reader(tiles.read, tiles.groups.grid, position),
                request.segmenting.parameters(name),
                run.budget,
            )
            for position, (name, store) in enumerate(stores.items())
        }
        work = [(index, name) for index in blocks for name, store in stores.items() if not store.has(index)]
        total = len(blocks) * len(stores)
        with run.stage("labels", total, total - len(work)) as advance:
            for index, compartment in work:
                start = thread_time()
                labellers[compartment].label_alone(index)  # else it is left to who finishes the image
                advance(busy=thread_time() - start)


@contextmanager
def _opened(
    run: ImageRun, entry: ImageEntry, request: Request, model: Model
) -> Iterator[tuple[PreparedImage, RunState]]:
    """Open the image, prepared for the network, and its run state."""
    identity = identity_of(run, entry, request.images, Ledger(request.paths.jobs, entry.name))
    with open_input(entry, request.channels, request.preprocessing, run.budget.cache_bytes) as source:
        run.budget.require_room(source.info)
        marks = mask_marks(identity, entry, request, source, model)
        with _state(entry, request.paths, model, marks) as state:
            state.before_commit = partial(require_right, run, entry, identity)
            yield prepare(run, state, source), state
            state.flush()  # what others cannot see is not done


@contextmanager
def _state(entry: ImageEntry, paths: WorkspacePaths, model: Model, marks: MaskMarks) -> Iterator[RunState]:
    """Open the run state; copies of what is in an object store do not stay on this machine."""
    with (
        TemporaryDirectory(prefix="cellscale-") as folder,
        run_state(paths, entry.name, marks, model.arithmetic, shared=True, scratch=Path(folder)) as state,
    ):
        yield state


def _stores(
    compartments: tuple[Compartment, ...], state: RunState, shape: tuple[int, int]
) -> dict[Compartment, BlockStore]:
    return {compartment: BlockStore(state, compartment, shape) for compartment in compartments}


def _predict(run: ImageRun, prepared: PreparedImage, state: RunState, model: Model, groups: Sequence[Group]) -> None:
    store = TileStore(state, _SomeGroups(TileGrid.of(prepared.shape), chosen=tuple(groups)), 1)
    with run.stage("network", len(groups), len(groups) - len(store.missing)) as advance:
        predict_groups(
            store,
            model.load(),
            prepared.read,
            workers=run.budget.workers,
            after_each=lambda busy: advance(busy=busy),
        )


@dataclass(frozen=True, slots=True)
class _SomeGroups(TileGroups):
    """A share of an image's groups of tiles."""

    chosen: tuple[Group, ...] = ()

    def __iter__(self) -> Iterator[Group]:
        return iter(self.chosen)

    def __len__(self) -> int:
        return len(self.chosen)


class _Tiles:
    """An image's predicted tiles; what is missing is predicted when it is asked for."""

    def __init__(self, state: RunState, shape: tuple[int, int], predict: Callable[[Group], None]) -> None:
        self.groups = TileGroups(TileGrid.of(shape))
        self._state = state
        self._predict = predict
        self._group = lru_cache(GROUPS_AT_HAND)(self._load)

    def read(self, row: int, column: int) -> NDArray[np.float32]:
        """Return one tile's maps, ``(256, 256, k)``."""
        return maps_of(self.groups, self._group, row, column)

    def _load(self, group: Group) -> GroupArrays:
        arrays = self._state.load(unit(group))
        if arrays is None:
            self._predict(group)
            arrays = self._state.load(unit(group))
        if arrays is None:
            raise StorageError(
                f"{self._state.folder}: unit {unit(group)} was removed while it was in use; is another run at work? "
                "Run the same command again"
            )
        return arrays
