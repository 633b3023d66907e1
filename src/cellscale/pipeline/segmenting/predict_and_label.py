"""One image from its two channels to labels: prepare, predict and label, tile by tile and side by side."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import thread_time
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cellscale.label.maps import MapReader
from cellscale.label.parameters import Parameters
from cellscale.pipeline.area import AreaCores, Part
from cellscale.pipeline.image_run import ImageRun
from cellscale.pipeline.resume.state import RunState
from cellscale.pipeline.segmenting.block_labeller import BlockLabeller
from cellscale.pipeline.segmenting.block_store import (
    BLOCK,
    BlockStore,
    CompartmentLabels,
    grown_cells,
    selected_cells,
)
from cellscale.pipeline.segmenting.inputs import NetworkInput
from cellscale.pipeline.segmenting.intermediates import save_intermediates
from cellscale.pipeline.segmenting.prediction import predict_group, predict_groups
from cellscale.pipeline.segmenting.preparation import PreparedImage, prepare
from cellscale.pipeline.segmenting.tile_store import GROUP, TileGroups, TileStore
from cellscale.pipeline.trim import give_back
from cellscale.predict.blending import blend
from cellscale.predict.heads import Compartment
from cellscale.predict.network import Network
from cellscale.predict.tiles import TileGrid
from cellscale.regions import Region

__all__ = ["GROUPS_AT_HAND", "map_reader", "segment_channels"]

GROUPS_AT_HAND = 12
"""Groups of tiles kept in memory: 16 MB each, those that one row of blocks shares with the next worker's."""


PART_SURROUNDINGS = 48
"""Pixels around what is labelled of a part of an image whose tiles are predicted with it: its halo and smoothing."""

BLOCKS_A_BREATH = 32
"""Blocks after which free memory is given back, or the peak would depend on how many there are."""


def segment_channels(
    run: ImageRun,
    state: RunState,
    source: NetworkInput,
    network: Network,
    parameters: Mapping[Compartment, Parameters],
    intermediates: Path | None = None,
    part: Part | None = None,
) -> dict[Compartment, CompartmentLabels]:
    """Find the cells and nuclei of one image, or of a part of it.

    Everything of the image's size lives in ``state``; what an earlier run left there is not done again.

    Parameters
    ----------
    run
        Who listens, and how much of the machine may be used; neither changes the result.
    state
        Finished units of this image, of the same parameters and network.
    source
        The image's channels.
    network
        Predicts maximum and interior of each of the compartments, in the order of ``parameters``.
    parameters
        How the maps of each compartment that is wanted become labels.
    intermediates
        Folder in which to keep the network's input and maps as Zarr; None for not keeping them.
    part
        What is wanted of the image; None for all of it.

    Returns
    -------
    The labels of each compartment, to be read by region while ``state`` is there.
    """
    nucleus, membrane = map(run.reading.around, source.channels)
    nuclei, membranes = (tuple(map(run.reading.around, readers)) for readers in source.separate)
    source = replace(source, channels=(nucleus, membrane), separate=(nuclei, membranes))
    prepared = prepare(run, state, source)
    run.learn(network_height=prepared.shape[0], network_width=prepared.shape[1])
    if part is None:
        stores = {compartment: BlockStore(state, compartment, prepared.shape) for compartment in parameters}
        _label_all(run, state, prepared, network, parameters, stores, intermediates)
        return _settled(run, stores, parameters, source.shape)
    plan = AreaCores(part.area, source.shape, prepared.shape, part.growth)
    margin, stores = plan.first_margin, {}
    while not stores or not all(store.is_enough_for(plan) for store in stores.values()):
        cores = plan.cores(BLOCK, margin)
        stores = {
            compartment: BlockStore(state, compartment, prepared.shape, cores=cores, prefix=f"{margin}-")
            for compartment in parameters
        }
        _label_all(run, state, prepared, network, parameters, stores, None)
        margin *= 2
    labels = _settled(run, stores, parameters, source.shape)
    if part.growth:
        labels = grown_cells(labels, part.growth, of_nuclei=part.of_nuclei)
    with run.stage("regions", len(labels)) as advance:
        labels = selected_cells(labels, plan, cores, of_nuclei=part.of_nuclei)
        advance(len(labels))
    return labels


def _label_all(
    run: ImageRun,
    state: RunState,
    prepared: PreparedImage,
    network: Network,
    parameters: Mapping[Compartment, Parameters],
    stores: Mapping[Compartment, BlockStore],
    intermediates: Path | None,
) -> None:
    """Label what is missing in the stores."""
    if not any(store.missing() for store in stores.values()) and (not intermediates or intermediates.exists()):
        return
    # Intermediates are made of all tiles.
    tiles = _tile_store(state, prepared, stores, keep_all=intermediates is not None)
    tiles.predict = partial(predict_group, tiles, network, prepared.read)
    labellers = {
        compartment: BlockLabeller(
            store, map_reader(tiles.read, tiles.groups.grid, position), parameters[compartment], run.budget
        )
        for position, (compartment, store) in enumerate(stores.items())
    }
    _predict_and_label(run, tiles, prepared, network, labellers)
    if intermediates:
        save_intermediates(run, intermediates, prepared, tiles, network.heads)
    state.drop("tiles")
    give_back()


def _settled(
    run: ImageRun,
    stores: Mapping[Compartment, BlockStore],
    parameters: Mapping[Compartment, Parameters],
    shape: tuple[int, int],
) -> dict[Compartment, CompartmentLabels]:
    """Return the labels of stores that have all of their blocks."""
    with run.stage("numbering", len(stores)) as advance:
        labels = {}
        for compartment, store in stores.items():
            labels[compartment] = CompartmentLabels.settle(store, parameters[compartment], shape)
            advance()
    return labels


def _tile_store(
    state: RunState, prepared: PreparedImage, stores: Mapping[Compartment, BlockStore], *, keep_all: bool
) -> TileStore:
    """Return the image's tiles, of which those are kept that blocks which are not labelled yet will need."""
    groups, at_hand = TileGroups(TileGrid.of(prepared.shape)), GROUPS_AT_HAND
    if any(store.is_part for store in stores.values()):
        # Tile by tile, as every one that is not needed counts; what is seldom needed is predicted when it is.
        groups, at_hand = TileGroups(groups.grid, side=1, surroundings=PART_SURROUNDINGS), at_hand * GROUP * GROUP
    users = None if keep_all else (groups.near(store.cores[i]) for store in stores.values() for i in store.missing())
    return TileStore(state, groups, at_hand, users)


def _predict_and_label(
    run: ImageRun,
    tiles: TileStore,
    prepared: PreparedImage,
    network: Network,
    labellers: Mapping[Compartment, BlockLabeller],
) -> None:
    """Predict all tiles while the blocks whose tiles are there are labelled."""
    stores = {compartment: labeller.store for compartment, labeller in labellers.items()}
    total = sum(store.count for store in stores.values())
    # By block, not by compartment: both read the same tiles.
    work = sorted((index, compartment) for compartment, store in stores.items() for index in store.missing())

    def label(index: int, compartment: Compartment) -> None:
        start = thread_time()
        if not labellers[compartment].label(index):
            tiles.keep_all()  # a postponed block will look far beyond what was said to be near
            return
        tiles.finish(tiles.groups.near(stores[compartment].cores[index]))
        if index % BLOCKS_A_BREATH == 0:
            give_back()
        labelled(busy=thread_time() - start)

    count, done = len(tiles.groups), len(tiles.groups) - len(tiles.missing)
    with (
        run.stage("labels", total, total - len(work), reading=tiles.reading) as labelled,
        _Labelling(run.budget.workers, tiles) as labelling,
    ):
        futures = labelling.submit(label, work)
        with run.stage("network", count, done, reading=run.reading, writing=tiles.writing) as predicted:

            def after_each(busy: float) -> None:
                predicted(busy=busy)
                _raise_first_error(futures)

            predict_groups(
                tiles,
                network,
                prepared.read,
                workers=run.budget.workers,
                after_each=after_each,
                ahead=tiles.groups.held,
            )
        for future in futures:
            future.result()
        for labeller in labellers.values():
            start = thread_time()
            for _ in labeller.label_postponed():
                labelled(busy=thread_time() - start)
                start = thread_time()


class _Labelling:
    """Threads that label blocks while their tiles are predicted; an error anywhere ends all who wait for tiles.

    No generator, and no thread before the ``with`` block has begun: a stop may come between any two steps, and
    threads that nobody tells would wait for ever for tiles that nobody predicts any more.
    """

    def __init__(self, workers: int, tiles: TileStore) -> None:
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="cellscale-label")
        self._tiles = tiles

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        try:
            if error is not None:
                self._tiles.fail(error)
        finally:
            self._pool.shutdown(cancel_futures=True)

    def submit(
        self, function: Callable[[int, Compartment], None], work: Iterable[tuple[int, Compartment]]
    ) -> list[Future[None]]:
        """Have ``function`` called for each item."""

        def call(item: tuple[int, Compartment]) -> None:
            try:
                function(*item)
            except BaseException as error:
                self._tiles.fail(error)  # the prediction may be waiting for this very block
                raise

        return [self._pool.submit(call, item) for item in work]


def _raise_first_error(futures: list[Future[None]]) -> None:
    for future in futures:
        if future.done() and not future.cancelled():
            future.result()


def map_reader(read: Callable[[int, int], NDArray[np.float32]], grid: TileGrid, position: int) -> MapReader:
    """Return a reader of one compartment's two maps, blended from tiles.

    Parameters
    ----------
    read
        Returns all maps of the tile at a row and a column, ``(256, 256, k)``.
    grid
        The image's tiles.
    position
        Which of the network's compartments.
    """
    maps = slice(2 * position, 2 * position + 2)

    def read_tile(row: int, column: int) -> NDArray[np.float32]:
        return read(row, column)[..., maps]

    def read_maps(region: Region) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        maxima, interior = blend(read_tile, grid, region)
        return maxima, interior

    return read_maps
