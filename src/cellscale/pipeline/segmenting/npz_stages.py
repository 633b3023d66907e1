"""The stages of the segmentation from file to file, as deepcell-imaging's scripts do them; all of it in parts."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellscale.errors import ImageError
from cellscale.images.masks import write_mask
from cellscale.images.npz import ARRAY, NpzArray, open_npz, write_npz
from cellscale.images.pixel_size import choose_pixel_size
from cellscale.label.maps import MapReader
from cellscale.label.parameters import NUCLEUS, WHOLE_CELL, Parameters
from cellscale.ordered import in_order
from cellscale.pipeline.image_run import ImageRun
from cellscale.pipeline.resume.state import RunState
from cellscale.pipeline.segmenting.block_labeller import BlockLabeller
from cellscale.pipeline.segmenting.block_store import BlockStore, CompartmentLabels
from cellscale.pipeline.segmenting.inputs import MODEL_MPP, network_input
from cellscale.pipeline.segmenting.methods import map_reader
from cellscale.pipeline.segmenting.predict_and_label import GROUPS_AT_HAND
from cellscale.pipeline.segmenting.prediction import predict_groups
from cellscale.pipeline.segmenting.preparation import prepare
from cellscale.pipeline.segmenting.tile_store import TileGroups, TileStore
from cellscale.predict.heads import COMPARTMENTS, Compartment
from cellscale.predict.network import Network
from cellscale.predict.tiles import TileGrid
from cellscale.preprocess.rescale import may_be_rescaled
from cellscale.regions import Region, RegionReader, blocks
from cellscale.storage.uri import Location

__all__ = ["IMAGE", "postprocess_file", "predict_file", "preprocess_file"]

IMAGE = "image"
"""Name of the array that a stage hands on."""

_BAND = 2**21
"""Pixels that are written at once, in bands over the whole width."""
_PARAMETERS: dict[Compartment, Parameters] = {"whole-cell": WHOLE_CELL, "nuclear": NUCLEUS}


def preprocess_file(
    run: ImageRun, image: Location, output: Location, *, array: str = ARRAY, image_mpp: float | None = None
) -> None:
    """Write the network's input, ``(1, rows, columns, 2)`` float32 at the network's pixel size, as array ``image``.

    Parameters
    ----------
    run
        Who listens, and how much of the machine may be used.
    image
        NPZ file with an array of rows x columns x (nucleus, membrane).
    output
        NPZ file to be written.
    array
        Name of the array to be read.
    image_mpp
        µm/px of the image; None for those of the network.
    """
    with _scratch() as (folder, state), closing(open_npz(image, array=array, scratch=folder)) as pixels:
        run.learn_image(pixels.info)
        run.budget.require_room(pixels.info)
        source = network_input(pixels, pixel_size=choose_pixel_size(pixels.info, image_mpp or MODEL_MPP))
        prepared = prepare(run, state, source)
        _write_image(run, output, prepared.shape, 2, np.dtype(np.float32), prepared.read)


def predict_file(run: ImageRun, image: Location, output: Location, network: Network) -> None:
    """Write the network's maps, ``(1, rows, columns, 1)`` float32 each, as arrays ``arr_0``, ``arr_1``, ...

    They are maxima and interior of whole cells, then of nuclei.

    Parameters
    ----------
    run
        Who listens, and how much of the machine may be used.
    image
        What `preprocess_file` wrote.
    output
        NPZ file to be written.
    network
        Predicts.
    """
    with _scratch() as (folder, state), closing(open_npz(image, array=IMAGE, scratch=folder)) as pixels:
        shape = pixels.info.shape
        run.learn(network=network.name, batch_size=network.batch_size)
        groups = TileGroups(TileGrid.of(shape))
        tiles = TileStore(state, groups, GROUPS_AT_HAND)
        with run.stage("network", len(groups), reading=run.reading, writing=tiles.writing) as advance:
            predict_groups(
                tiles,
                network,
                run.reading.around(partial(pixels.read, (0, 1))),
                workers=run.budget.workers,
                after_each=lambda busy: advance(busy=busy),
            )
        with run.stage("maps", len(network.heads)) as advance:

            def arrays() -> Iterator[NpzArray]:
                for index in range(len(network.heads)):
                    read = map_reader(tiles.read, groups.grid, index // 2)
                    bands = _bands(run, shape, _half(read, index % 2))
                    yield NpzArray(f"arr_{index}", (1, *shape, 1), np.dtype(np.float32), bands)
                    advance()

            write_npz(output, arrays())


def postprocess_file(
    run: ImageRun,
    maps: Location,
    output: Location,
    *,
    shape: tuple[int, int],
    compartments: Sequence[Compartment],
    masks: Mapping[Compartment, Location],
) -> dict[Compartment, int]:
    """Write labels, ``(1, rows, columns, compartments)`` int32 at the image's own size, as array ``image``.

    Parameters
    ----------
    run
        Who listens, and how much of the machine may be used.
    maps
        What `predict_file` wrote.
    output
        NPZ file to be written.
    shape
        Rows and columns of the image that was preprocessed.
    compartments
        What to label.
    masks
        Compartments whose labels are to be written as TIFF as well, and where.

    Returns
    -------
    Objects found, by compartment.

    Raises
    ------
    ImageError
        Maps of an image of that shape would have other rows and columns.
    """
    with _scratch() as (folder, state), ExitStack() as opened:
        labels = {}
        for compartment in compartments:
            first = 2 * COMPARTMENTS.index(compartment)
            pair = [
                opened.enter_context(closing(open_npz(maps, array=f"arr_{index}", samples=1, scratch=folder)))
                for index in (first, first + 1)
            ]
            _require_fit(maps, pair[0].info.shape, shape)
            store = BlockStore(state, compartment, pair[0].info.shape)

            def read(region: Region, pair: list[Any] = pair) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
                return pair[0].read((0,), region)[0], pair[1].read((0,), region)[0]

            _label(run, BlockLabeller(store, read, _PARAMETERS[compartment], run.budget))
            labels[compartment] = CompartmentLabels.settle(store, _PARAMETERS[compartment], shape)
        _write_image(run, output, shape, len(labels), np.dtype(np.int32), _stacked(list(labels.values())))
        for compartment, place in masks.items():
            write_mask(place, _bands(run, shape, labels[compartment].read), shape, None, workers=run.budget.workers)
        return {compartment: found.count for compartment, found in labels.items()}


def _require_fit(maps: Location, found: tuple[int, int], shape: tuple[int, int]) -> None:
    """Check that maps can be of an image."""
    if not may_be_rescaled(shape, found):
        raise ImageError(
            f"{maps} has maps of {found[0]} x {found[1]} pixels (rows x columns); those of an image of {shape[0]} x "
            f"{shape[1]} have the same proportions, whatever its pixel size. Give the rows and columns of the image "
            "that was preprocessed (--input_rows, --input_cols)"
        )


def _label(run: ImageRun, labeller: BlockLabeller) -> None:
    """Label all blocks."""
    count = len(labeller.store.cores)
    with run.stage("labels", count) as advance:
        for labelled in in_order(labeller.label, range(count), run.budget.workers):
            advance(int(labelled))
        for _ in labeller.label_postponed():
            advance()


def _half(read: MapReader, half: int) -> RegionReader:
    return lambda region: read(region)[half]


def _stacked(labels: Sequence[CompartmentLabels]) -> RegionReader:
    return lambda region: np.stack([one.read(region) for one in labels])


def _write_image(
    run: ImageRun, output: Location, shape: tuple[int, int], samples: int, dtype: np.dtype[Any], read: RegionReader
) -> None:
    """Write ``(1, rows, columns, samples)`` from a reader of ``(samples, rows, columns)``."""
    bands = (np.moveaxis(band, 0, 2) for band in _bands(run, shape, read))
    with run.stage("masks" if dtype.kind == "i" else "input", 1) as advance:
        write_npz(output, [NpzArray(IMAGE, (1, *shape, samples), dtype, bands)])
        advance()


def _bands(run: ImageRun, shape: tuple[int, int], read: RegionReader) -> Iterator[NDArray[Any]]:
    rows = max(_BAND // shape[1], 1)
    return in_order(read, blocks(shape, (rows, shape[1])), run.budget.workers)


@contextmanager
def _scratch() -> Iterator[tuple[Path, RunState]]:
    """Give a folder for what does not fit in memory, and a state in it."""
    with TemporaryDirectory(prefix="cellscale-stage-") as folder:
        yield Path(folder), RunState(Path(folder) / "state")
