"""The stages of the segmentation from file to file, as deepcell-imaging's scripts do them; all of it in parts."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from cellscale.errors import ImageError
from cellscale.images.masks import write_mask
from cellscale.images.npz import ARRAY, NpzArray, NpzImage, array_names, open_npz, write_npz
from cellscale.images.pixel_size import choose_pixel_size
from cellscale.label.maps import MapReader
from cellscale.label.parameters import NUCLEUS, WHOLE_CELL, Parameters
from cellscale.label.seeds import Classifier
from cellscale.ordered import in_order
from cellscale.pipeline.image_run import ImageRun
from cellscale.pipeline.resume.state import RunState
from cellscale.pipeline.segmenting.block_labeller import BlockLabeller, Labeller
from cellscale.pipeline.segmenting.block_store import BlockStore, CompartmentLabels, SettledLabels, Store
from cellscale.pipeline.segmenting.inputs import network_input
from cellscale.pipeline.segmenting.methods import (
    MAPS_OF_SEEDS,
    AnyNetwork,
    Kind,
    ScaledImage,
    SeedBlockStore,
    SeedLabeller,
    SquareGroups,
    map_reader,
    method_of,
    method_of_kind,
    read_squares,
    settled,
)
from cellscale.pipeline.segmenting.tile_store import TileGroups, TileStore
from cellscale.predict.heads import COMPARTMENTS, Compartment
from cellscale.predict.input_format import MESMER_INPUT, InputFormat
from cellscale.predict.instanseg import NUMBER_OF_MAPS, SeedNetwork
from cellscale.preprocess.rescale import may_be_rescaled
from cellscale.regions import Region, RegionReader, blocks
from cellscale.storage.uri import Location

__all__ = ["IMAGE", "postprocess_file", "predict_file", "preprocess_file"]

IMAGE = "image"
"""Name of the array that a stage hands on."""

CHANNELS, SCALES, SEEDS, CLASSIFIER = "channels", "scales", "seeds_", "classifier"
"""Names of further arrays: an input that is made otherwise than Mesmer's, maps of seeds, and what judges pixels."""

_BAND = 2**21
"""Pixels that are written at once, in bands over the whole width."""
_PARAMETERS: dict[Compartment, Parameters] = {"whole-cell": WHOLE_CELL, "nuclear": NUCLEUS}


def preprocess_file(
    run: ImageRun,
    image: Location,
    output: Location,
    *,
    array: str = ARRAY,
    image_mpp: float | None = None,
    kind: Kind = "maxima",
    input_format: InputFormat = MESMER_INPUT,
) -> None:
    """Write the network's input, ``(1, rows, columns, channels)`` float32 at the network's pixel size.

    It is the array ``image`` where it is made as Mesmer's. Else it is ``channels``, and ``scales`` beside it has what
    each channel was moved and divided by.

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
    kind, input_format
        How the network's maps become labels, and what it is to be given.
    """
    with _scratch() as (folder, state), closing(open_npz(image, array=array, scratch=folder)) as pixels:
        run.learn_image(pixels.info)
        run.budget.require_room(pixels.info)
        size = choose_pixel_size(pixels.info, image_mpp or input_format.mpp)
        source = network_input(pixels, pixel_size=size, apart=kind == "seeds", input_format=input_format)
        prepared = method_of_kind(kind, input_format).prepare(run, state, source)
        beside = []
        if isinstance(prepared, ScaledImage):
            scales = np.array(prepared.scales, np.float64)[np.newaxis]
            beside = [NpzArray(SCALES, scales.shape, scales.dtype, [scales])]
        name, count = CHANNELS if beside else IMAGE, len(source.channels)
        dtype = np.dtype(np.float32)
        _write_image(run, output, prepared.shape, count, dtype, prepared.read, name=name, beside=beside)


def predict_file(
    run: ImageRun, image: Location, output: Location, network: AnyNetwork, input_format: InputFormat = MESMER_INPUT
) -> None:
    """Write the network's maps, ``(1, rows, columns, 1)`` float32 each.

    Maxima and interior of whole cells, then of nuclei, are arrays ``arr_0``, ``arr_1``, ... The ten maps of a network
    like InstanSeg are ``seeds_0`` to ``seeds_9``, beside the weights of its ``classifier``.

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
    input_format
        What it is to be given.

    Raises
    ------
    ImageError
        The input was made for a network that is given another.
    """
    name = IMAGE if input_format.normalisation is None else CHANNELS
    _require_made_for(image, name, network.name)
    seeds = isinstance(network, SeedNetwork)
    with (
        _scratch() as (folder, state),
        closing(open_npz(image, array=name, samples=None if seeds else 2, scratch=folder)) as pixels,
    ):
        shape = pixels.info.shape
        run.learn(network=network.name, batch_size=network.batch_size)
        method = method_of(network, input_format)
        groups = method.groups(shape)
        tiles = TileStore(state, groups, groups.at_hand)
        channels = tuple(range(len(pixels.info.channels)))
        with run.stage("network", len(groups), reading=run.reading, writing=tiles.writing) as advance:
            method.predict(
                tiles,
                network,
                run.reading.around(partial(pixels.read, channels)),
                workers=run.budget.workers,
                after_each=lambda busy: advance(busy=busy),
            )
        readers = _readers_of_maps(tiles, network)
        with run.stage("maps", len(readers)) as advance:

            def arrays() -> Iterator[NpzArray]:
                for name, read in readers.items():
                    yield NpzArray(name, (1, *shape, 1), np.dtype(np.float32), _bands(run, shape, read))
                    advance()
                if isinstance(network, SeedNetwork):
                    weights = network.classifier[np.newaxis, :, np.newaxis]
                    yield NpzArray(CLASSIFIER, weights.shape, weights.dtype, [weights])

            write_npz(output, arrays())


def _require_made_for(image: Location, name: str, network: str) -> None:
    """Check that a network's input was made for it; an array alone may have any name."""
    found = array_names(image)
    others = {IMAGE, CHANNELS} - {name}
    if name not in found and found & others:
        raise ImageError(
            f"{image} is the input of a network that is given another than {network}; give the same --model, or "
            "--model_path, to preprocess"
        )


def _readers_of_maps(tiles: TileStore, network: AnyNetwork) -> dict[str, RegionReader]:
    """Return what reads each of a network's maps, by the name of its array."""
    if isinstance(network, SeedNetwork):
        read = partial(read_squares, tiles.load, cast(SquareGroups, tiles.groups).grid)
        return {f"{SEEDS}{index}": partial(read, maps=slice(index, index + 1)) for index in range(NUMBER_OF_MAPS)}
    grid = cast(TileGroups, tiles.groups).grid
    return {
        f"arr_{index}": _half(map_reader(tiles.read, grid, index // 2), index % 2)
        for index in range(len(network.heads))
    }


def postprocess_file(
    run: ImageRun,
    maps: Location,
    output: Location,
    *,
    shape: tuple[int, int],
    compartments: Sequence[Compartment],
    masks: Mapping[Compartment, Location],
    parameters: Mapping[Compartment, Parameters] | None = None,
) -> dict[Compartment, int]:
    """Write labels, ``(1, rows, columns, compartments)`` int32 at the image's own size, as array ``image``.

    Parameters
    ----------
    run
        Who listens, and how much of the machine may be used.
    maps
        What `predict_file` wrote; it says whether objects grow from maxima or from seeds.
    output
        NPZ file to be written.
    shape
        Rows and columns of the image that was preprocessed.
    compartments
        What to label.
    masks
        Compartments whose labels are to be written as TIFF as well, and where.
    parameters
        How objects grow from maxima; None for Mesmer's values.

    Returns
    -------
    Objects found, by compartment.

    Raises
    ------
    ImageError
        Maps of an image of that shape would have other rows and columns.
    """
    with _scratch() as (folder, state), ExitStack() as opened:

        def read_array(name: str) -> NpzImage:
            found = opened.enter_context(closing(open_npz(maps, array=name, samples=1, scratch=folder)))
            if name != CLASSIFIER:
                _require_fit(maps, found.info.shape, shape)
            return found

        labels: dict[Compartment, SettledLabels]
        if CLASSIFIER in array_names(maps):
            labels = _labels_of_seeds(run, state, read_array, shape, compartments)
        else:
            labels = _labels_of_maxima(run, state, read_array, shape, compartments, parameters or _PARAMETERS)
        _write_image(run, output, shape, len(labels), np.dtype(np.int32), _stacked(list(labels.values())))
        for compartment, place in masks.items():
            write_mask(place, _bands(run, shape, labels[compartment].read), shape, None, workers=run.budget.workers)
        return {compartment: found.count for compartment, found in labels.items()}


def _labels_of_maxima(
    run: ImageRun,
    state: RunState,
    read_array: Callable[[str], NpzImage],
    shape: tuple[int, int],
    compartments: Sequence[Compartment],
    parameters: Mapping[Compartment, Parameters],
) -> dict[Compartment, SettledLabels]:
    labels: dict[Compartment, SettledLabels] = {}
    for compartment in compartments:
        first = 2 * COMPARTMENTS.index(compartment)
        pair = [read_array(f"arr_{index}") for index in (first, first + 1)]
        store = BlockStore(state, compartment, pair[0].info.shape)

        def read(region: Region, pair: list[NpzImage] = pair) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
            return pair[0].read((0,), region)[0], pair[1].read((0,), region)[0]

        _label(run, BlockLabeller(store, read, parameters[compartment], run.budget), store)
        labels[compartment] = CompartmentLabels.settle(store, parameters[compartment], shape)
    return labels


def _labels_of_seeds(
    run: ImageRun,
    state: RunState,
    read_array: Callable[[str], NpzImage],
    shape: tuple[int, int],
    compartments: Sequence[Compartment],
) -> dict[Compartment, SettledLabels]:
    weights = read_array(CLASSIFIER)
    classifier = Classifier.of(weights.read((0,), weights.info.region)[0, 0].astype(np.float32))
    stores = {}
    for compartment in compartments:
        planes = [read_array(f"{SEEDS}{index}") for index in range(NUMBER_OF_MAPS)[MAPS_OF_SEEDS[compartment]]]

        def read(region: Region, planes: list[NpzImage] = planes) -> NDArray[np.float32]:
            return np.concatenate([plane.read((0,), region) for plane in planes])

        stores[compartment] = SeedBlockStore(state, compartment, planes[0].info.shape)
        _label(run, SeedLabeller(stores[compartment], read, classifier), stores[compartment])
    return settled(stores, shape)


def _require_fit(maps: Location, found: tuple[int, int], shape: tuple[int, int]) -> None:
    """Check that maps can be of an image."""
    if not may_be_rescaled(shape, found):
        raise ImageError(
            f"{maps} has maps of {found[0]} x {found[1]} pixels (rows x columns); those of an image of {shape[0]} x "
            f"{shape[1]} have the same proportions, whatever its pixel size. Give the rows and columns of the image "
            "that was preprocessed (--input_rows, --input_cols)"
        )


def _label(run: ImageRun, labeller: Labeller, store: Store) -> None:
    """Label all blocks."""
    count = len(store.cores)
    with run.stage("labels", count) as advance:
        for labelled in in_order(labeller.label, range(count), run.budget.workers):
            advance(int(labelled))
        for _ in labeller.label_postponed():
            advance()


def _half(read: MapReader, half: int) -> RegionReader:
    return lambda region: read(region)[half]


def _stacked(labels: Sequence[SettledLabels]) -> RegionReader:
    return lambda region: np.stack([one.read(region) for one in labels])


def _write_image(
    run: ImageRun,
    output: Location,
    shape: tuple[int, int],
    samples: int,
    dtype: np.dtype[Any],
    read: RegionReader,
    *,
    name: str = IMAGE,
    beside: Sequence[NpzArray] = (),
) -> None:
    """Write ``(1, rows, columns, samples)`` from a reader of ``(samples, rows, columns)``, and what is beside it."""
    bands = (np.moveaxis(band, 0, 2) for band in _bands(run, shape, read))
    with run.stage("masks" if dtype.kind == "i" else "input", 1) as advance:
        write_npz(output, [NpzArray(name, (1, *shape, samples), dtype, bands), *beside])
        advance()


def _bands(run: ImageRun, shape: tuple[int, int], read: RegionReader) -> Iterator[NDArray[Any]]:
    rows = max(_BAND // shape[1], 1)
    return in_order(read, blocks(shape, (rows, shape[1])), run.budget.workers)


@contextmanager
def _scratch() -> Iterator[tuple[Path, RunState]]:
    """Give a folder for what does not fit in memory, and a state in it."""
    with TemporaryDirectory(prefix="cellscale-stage-") as folder:
        yield Path(folder), RunState(Path(folder) / "state")
