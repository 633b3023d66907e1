"""One image from its channels to labels: prepare, predict and label, tile by tile and side by side."""

from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import thread_time
from typing import Any, Self

from cellscale.label.parameters import Parameters
from cellscale.pipeline.area import AreaCores, Part, spread
from cellscale.pipeline.image_run import ImageRun
from cellscale.pipeline.resume.state import RunState
from cellscale.pipeline.segmenting.block_labeller import Labeller
from cellscale.pipeline.segmenting.block_store import BLOCK, SettledLabels, Store
from cellscale.pipeline.segmenting.inputs import NetworkInput
from cellscale.pipeline.segmenting.methods import AnyNetwork, Method, grown_cells, method_of, selected_cells
from cellscale.pipeline.segmenting.preparation import Prepared
from cellscale.pipeline.segmenting.tile_store import Groups, TileStore
from cellscale.predict.heads import Compartment

__all__ = ["label_part", "segment_channels"]

BLOCKS_A_BREATH = 32
"""Blocks after which free memory is given back, or the peak would depend on how many there are."""


def segment_channels(
    run: ImageRun,
    state: RunState,
    source: NetworkInput,
    network: AnyNetwork,
    parameters: Mapping[Compartment, Parameters],
    intermediates: Path | None = None,
    part: Part | None = None,
) -> dict[Compartment, SettledLabels]:
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
        Predicts the maps of each of the compartments, in the order of ``parameters``.
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
    method = method_of(network, source.input_format)
    around = run.reading.around
    source = replace(
        source,
        channels=tuple(map(around, source.channels)),
        separate=tuple(tuple(map(around, readers)) for readers in source.separate),
    )
    if part is not None and part.judged_alone:
        source = replace(source, judged=partial(part.area.pixels, image=source.shape))
    prepared = method.prepare(run, state, source)
    run.learn(network_height=prepared.shape[0], network_width=prepared.shape[1])
    if part is not None:
        # Tile by tile, as every one that is not needed counts.
        groups = method.groups(prepared.shape, each_alone=True)

        def label(stores: Mapping[Compartment, Store]) -> None:
            tiles = _tile_store(state, groups, stores)
            _label(run, method, tiles, prepared, network, parameters, stores)
            state.drop("tiles")
            run.give_back()

        return label_part(run, state, source.shape, prepared.shape, method, parameters, part, label, groups)
    stores = method.stores(state, tuple(parameters), prepared.shape)
    if any(store.missing() for store in stores.values()) or (intermediates and not intermediates.exists()):
        # Intermediates are made of all tiles.
        keep_all = intermediates is not None
        tiles = _tile_store(state, method.groups(prepared.shape), stores, keep_all=keep_all)
        _label(run, method, tiles, prepared, network, parameters, stores)
        if intermediates:
            method.save_intermediates(run, intermediates, prepared, tiles, network)
        state.drop("tiles")
        run.give_back()
    return _settled(run, method, stores, parameters, source.shape)


def label_part(
    run: ImageRun,
    state: RunState,
    shape: tuple[int, int],
    network_shape: tuple[int, int],
    method: Method,
    parameters: Mapping[Compartment, Parameters],
    part: Part,
    label: Callable[[Mapping[Compartment, Any]], None],
    groups: Groups | None = None,
) -> dict[Compartment, SettledLabels]:
    """Find the cells and nuclei of a part of an image: of ever more around it, until that is enough.

    Parameters
    ----------
    run, state, parameters
        As for `segment_channels`.
    shape, network_shape
        Rows and columns of the image, and of what the network sees of it.
    method
        How labels are made.
    part
        What is wanted.
    label
        Labels what is missing in the stores that it is given.
    groups
        Tiles that are predicted for it; None where they are there.
    """
    plan = AreaCores(part.area, shape, network_shape, part.growth)
    margins = [plan.first_margin] * len(plan.cores(BLOCK))
    grows: Collection[int] = range(len(margins))
    while grows:
        cores = plan.cores(BLOCK, margins)
        if groups is not None:
            cores = spread(cores, network_shape, BLOCK, groups.near)
        stores = method.part_stores(state, tuple(parameters), network_shape, cores)
        if any(store.missing() for store in stores.values()):
            label(stores)
        # Only there, as all else is known already.
        grows = plan.around(method.lacking(stores, plan, parameters), BLOCK)
        for index in grows:
            margins[index] *= 2
    labels = _settled(run, method, stores, parameters, shape)
    if part.growth or part.of_nuclei:
        labels = grown_cells(labels, part.growth, of_nuclei=part.of_nuclei)
    with run.stage("regions", len(labels)) as advance:
        selected = selected_cells(labels, plan, cores, together=part.of_nuclei or method.paired)
        advance(len(labels))
    return dict(selected)


def _label(
    run: ImageRun,
    method: Method,
    tiles: TileStore,
    prepared: Prepared,
    network: AnyNetwork,
    parameters: Mapping[Compartment, Parameters],
    stores: Mapping[Compartment, Store],
) -> None:
    """Label what is missing in the stores."""
    tiles.predict = partial(method.predict_one, tiles, network, prepared.read)
    labellers = method.labellers(stores, tiles.groups, tiles.load, lambda: network, parameters, run.budget)
    _predict_and_label(run, tiles, partial(method.predict, tiles, network, prepared.read), stores, labellers)


def _settled(
    run: ImageRun,
    method: Method,
    stores: Mapping[Compartment, Store],
    parameters: Mapping[Compartment, Parameters],
    shape: tuple[int, int],
) -> dict[Compartment, SettledLabels]:
    """Return the labels of stores that have all of their blocks."""
    with run.stage("numbering", len(stores)) as advance:
        labels = dict(method.settle(stores, parameters, shape))
        advance(len(stores))
    return labels


def _tile_store(
    state: RunState,
    groups: Groups,
    stores: Mapping[Compartment, Store],
    *,
    keep_all: bool = False,
) -> TileStore:
    """Return the image's tiles, of which those are kept that blocks which are not labelled yet will need."""
    users = None if keep_all else (groups.near(store.cores[i]) for store in stores.values() for i in store.missing())
    return TileStore(state, groups, groups.at_hand, users)


def _predict_and_label(
    run: ImageRun,
    tiles: TileStore,
    predict: Callable[..., None],
    stores: Mapping[Compartment, Store],
    labellers: Mapping[Compartment, Labeller],
) -> None:
    """Predict all tiles while the blocks whose tiles are there are labelled."""
    total = sum(store.count for store in stores.values())
    counted = stores.get("whole-cell") or next(iter(stores.values()))
    # By block, not by compartment: both read the same tiles.
    work = sorted((index, compartment) for compartment, store in stores.items() for index in store.missing())

    def label(index: int, compartment: Compartment) -> None:
        start = thread_time()
        if not labellers[compartment].label(index):
            tiles.keep_all()  # a postponed block will look far beyond what was said to be near
            return
        tiles.finish(tiles.groups.near(stores[compartment].cores[index]))
        if index % BLOCKS_A_BREATH == 0:
            run.give_back()
        labelled(busy=thread_time() - start, cells=counted.found)

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

            predict(workers=run.budget.workers, after_each=after_each, ahead=tiles.groups.held)
        for future in futures:
            future.result()
        for labeller in labellers.values():
            start = thread_time()
            for _ in labeller.label_postponed():
                labelled(busy=thread_time() - start, cells=counted.found)
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
