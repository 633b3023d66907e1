"""The Python interface: find the cells of an image or array, and measure them. The command line runs the same."""

import io
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Literal, TypeAlias, TypedDict, TypeVar, Unpack, overload

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cellscale.api.given import (
    Source,
    chosen_compartments,
    mask_reader,
    opened_source,
    path_text,
    refuse_other_values,
    refuse_preprocessing,
    several_names,
)
from cellscale.cells.matching import Matching
from cellscale.cells.measure import measure as measure_cells
from cellscale.cells.tables import ParquetWriter
from cellscale.cells.text import Dialect
from cellscale.engines.preflight import checked_model
from cellscale.errors import RequestError
from cellscale.images.channels import combined_reader
from cellscale.images.combine_words import Combine
from cellscale.images.pixel_size import choose_pixel_size, given_pixel_size
from cellscale.images.sampled import sampled_pixels
from cellscale.label.growth import Growth, as_growth
from cellscale.label.parameters import Parameters, usual_parameters
from cellscale.parquet_bytes import read_parquet_bytes
from cellscale.pipeline.budget import Budget
from cellscale.pipeline.events import Listener, ignore
from cellscale.pipeline.image_run import ImageRun
from cellscale.pipeline.request import NetworkChoice
from cellscale.pipeline.resume import RunState
from cellscale.pipeline.segmenting import (
    CertificateSummary,
    grown_cells,
    network_input,
    segment_channels,
)
from cellscale.predict.devices import Precision
from cellscale.predict.heads import Compartment
from cellscale.preprocess.preprocessing import MESMER, Preprocessing, RescaleChannels
from cellscale.weights.catalogue import named_network

__all__ = ["Labels", "Segmentation", "measure", "segment"]


Labels: TypeAlias = NDArray[np.int32]
"""Numbers 1 to n of objects at every pixel, ``(rows, columns)``, 0 for background."""

_WholeCell: TypeAlias = Literal["whole-cell"] | tuple[Literal["whole-cell"]]
_Nuclear: TypeAlias = Literal["nuclear"] | tuple[Literal["nuclear"]]
_Both: TypeAlias = tuple[Literal["whole-cell"], Literal["nuclear"]] | tuple[Literal["nuclear"], Literal["whole-cell"]]

_Cells_co = TypeVar("_Cells_co", covariant=True)
_Nuclei_co = TypeVar("_Nuclei_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Segmentation(Generic[_Cells_co, _Nuclei_co]):
    """The cells of one image; type checkers know of each mask whether it is there: ``Segmentation[Labels, None]``."""

    whole_cell: _Cells_co
    """Labels 1 to n of cells, ``(rows, columns)``, 0 for background; None where it was not asked for."""
    nucleus: _Nuclei_co
    """Labels 1 to n of nuclei, numbered on their own; None where it was not asked for."""
    certificates: dict[Compartment, CertificateSummary]
    """How many blocks proved their labels to be those of the whole image at once."""


class _Options(TypedDict, total=False):
    """What may be asked for besides compartments, for type checkers."""

    channel_names: Sequence[str] | None
    nuclear_channel: str | Sequence[str]
    membrane_channel: str | Sequence[str]
    combine: Combine
    rescale_channels: RescaleChannels
    image_mpp: float | None
    preprocessing: Preprocessing
    whole_cell: Parameters | None
    nuclear: Parameters | None
    model: str | os.PathLike[str] | None
    model_path: str | os.PathLike[str] | None
    model_hash: str | None
    device: str
    precision: Precision
    workers: int | None
    max_memory: int | None
    listener: Listener


@overload
def segment(
    source: Source,
    *,
    compartments: _Both = ...,
    expand_cells: Growth | str | None = ...,
    **options: Unpack[_Options],
) -> Segmentation[Labels, Labels]: ...
@overload
def segment(
    source: Source,
    *,
    compartments: _WholeCell,
    expand_cells: Growth | str | None = ...,
    **options: Unpack[_Options],
) -> Segmentation[Labels, None]: ...
@overload
def segment(
    source: Source, *, compartments: _Nuclear, expand_cells: None = ..., **options: Unpack[_Options]
) -> Segmentation[None, Labels]: ...
@overload
def segment(
    source: Source, *, compartments: _Nuclear, expand_cells: Growth | str, **options: Unpack[_Options]
) -> Segmentation[Labels, Labels]: ...
@overload
def segment(
    source: Source,
    *,
    compartments: Compartment | Sequence[Compartment],
    expand_cells: Growth | str | None = ...,
    **options: Unpack[_Options],
) -> Segmentation[Labels | None, Labels | None]: ...
def segment(
    source: Source,
    *,
    channel_names: Sequence[str] | None = None,
    nuclear_channel: str | Sequence[str] = (),
    membrane_channel: str | Sequence[str] = (),
    combine: Combine = "sum",
    rescale_channels: RescaleChannels = "none",
    image_mpp: float | None = None,
    preprocessing: Preprocessing = MESMER,
    compartments: Compartment | Sequence[Compartment] = ("whole-cell", "nuclear"),
    whole_cell: Parameters | None = None,
    nuclear: Parameters | None = None,
    expand_cells: Growth | str | None = None,
    model: str | os.PathLike[str] | None = None,
    model_path: str | os.PathLike[str] | None = None,
    model_hash: str | None = None,
    device: str = "auto",
    precision: Precision = "float32",
    workers: int | None = None,
    max_memory: int | None = None,
    listener: Listener = ignore,
) -> Segmentation[Any, Any]:
    """Find the cells and nuclei of one image.

    Parameters
    ----------
    source
        The image.
    channel_names
        Names of the channels, for an array or instead of the file's.
    nuclear_channel, membrane_channel
        Name or ``#n`` position (from 1) of a channel, or several; empty: by their usual names.
    combine
        How several channels become one: ``sum``, ``max`` or ``mean``.
    rescale_channels
        How each of several channels is rescaled before, by facts of the whole image: ``none``, ``percentile``,
        ``minmax`` or ``zscore``.
    image_mpp
        µm/px; None: the file's, else 0.5.
    preprocessing
        How channels become the network's input.
    compartments
        What to find: ``whole-cell``, ``nuclear``, or both.
    whole_cell, nuclear
        How the network's maps become labels; None: as its authors recommend.
    expand_cells
        How far whole cells grow into the background around them, such as ``3um`` or ``5px``. Where nuclei alone are
        to be found, whole cells are the nuclei, grown.
    model
        Which network: ``mesmer`` if left out, ``instanseg``, ``torch-mesmer``, or the path or URI of a file.
    model_path, model_hash
        The network's file, if not the installed weights, and the hash that it must have.
    device, precision
        What computes the network, as for ``--device`` and ``--precision``.
    workers, max_memory
        Share of the machine: blocks side by side, and bytes. Results do not depend on them.
    listener
        Is told of progress (see :mod:`cellscale.pipeline.events`).

    Returns
    -------
    Segmentation
        The labels, at the image's own size.

    Raises
    ------
    ModelError
        The weights are missing, or are not those of the network that is named.
    RequestError
        A parameter is wrong, or is none of the network's.
    ImageError
        The image cannot be read, or a channel cannot be found.
    """
    refuse_other_values(
        combine=combine,
        rescale_channels=rescale_channels,
        precision=precision,
        workers=workers,
        max_memory=max_memory,
        preprocessing=preprocessing,
        whole_cell=whole_cell,
        nuclear=nuclear,
        model=model,
        model_path=model_path,
        model_hash=model_hash,
        device=device,
        listener=listener,
    )
    chosen = chosen_compartments(compartments)
    nucleus, membrane = several_names(nuclear_channel), several_names(membrane_channel)
    growing = None if expand_cells is None else as_growth(expand_cells)
    name, path = named_network(path_text(model), path_text(model_path))
    usual = usual_parameters(name)
    wanted: dict[Compartment, Parameters] = {"whole-cell": whole_cell or usual[0], "nuclear": nuclear or usual[1]}
    parameters = {compartment: wanted[compartment] for compartment in wanted if compartment in chosen}
    choice = NetworkChoice(name=name, path=path, checksum=model_hash, device=device, precision=precision)
    found_model = checked_model(choice, tuple(parameters), threads=workers or 0)
    if found_model.kind == "seeds":
        _refuse_of_maxima(whole_cell, nuclear, preprocessing, rescale_channels)
    else:
        refuse_preprocessing(found_model.input_format, preprocessing)
    network = found_model.load()
    with opened_source(source, channel_names) as image, tempfile.TemporaryDirectory(prefix="cellscale-") as folder:
        channels = network_input(
            image,
            nuclear=nucleus,
            membrane=membrane,
            combine=combine,
            rescale=rescale_channels,
            preprocessing=preprocessing,
            pixel_size=choose_pixel_size(image.info, image_mpp),
            apart=found_model.kind == "seeds",
            input_format=found_model.input_format,
        )
        run = ImageRun(image.info.name, listener, Budget.choose(workers, max_memory))
        run.budget.require_room(image.info)
        growth = None if growing is None else growing.pixels(channels.pixel_size.mpp)
        labels = segment_channels(run, RunState(Path(folder)), channels, network, parameters)
        if growth is not None:
            labels = grown_cells(labels, growth, of_nuclei="whole-cell" not in parameters)
        arrays = {compartment: found.read(image.info.region) for compartment, found in labels.items()}
        certificates = {compartment: found.certificate for compartment, found in labels.items()}
    return Segmentation(arrays.get("whole-cell"), arrays.get("nuclear"), certificates)


def _refuse_of_maxima(
    whole_cell: Parameters | None, nuclear: Parameters | None, preprocessing: Preprocessing, rescale: RescaleChannels
) -> None:
    """Raise `RequestError` where arguments for networks like Mesmer are given to one like InstanSeg."""
    given = {
        "whole_cell": whole_cell is not None,
        "nuclear": nuclear is not None,
        "preprocessing": preprocessing != MESMER,
        "rescale_channels": rescale != "none",
    }
    names = [name for name, is_given in given.items() if is_given]
    if names:
        raise RequestError(f"{', '.join(names)}: these arguments are for networks like Mesmer; leave them out")


def measure(
    source: Source,
    whole_cell: NDArray[Any] | None = None,
    nucleus: NDArray[Any] | None = None,
    *,
    channel_names: Sequence[str] | None = None,
    image_mpp: float | None = None,
    matching: Matching | Literal["one-to-one", "qupath-initializer"] = Matching.ONE_TO_ONE,
    qupath_version: Literal["0.7", "0.5"] = "0.7",
    workers: int | None = None,
) -> pa.Table:
    """Measure the cells of one image as QuPath does.

    Parameters
    ----------
    source
        The image.
    whole_cell, nucleus
        Label masks of the image's size; at least one.
    channel_names
        Names of the channels, for an array or instead of the file's.
    image_mpp
        µm/px; None: the file's, and without one measurements are in pixels.
    matching
        How nuclei find their cells: ``one-to-one`` or ``qupath-initializer``.
    qupath_version
        Whose names of measurements: ``0.7`` or ``0.5``.
    workers
        Threads; None for one a core.

    Returns
    -------
    pyarrow.Table
        A row for each cell: ``Image``, ``Object ID`` and ``Object type`` (string), ``Cell label`` and ``Nucleus
        label`` (uint32, null where there is none), centroid (float64), and measurements (float32, null where there is
        none): intensities in four compartments, shape. ``.to_pandas()`` makes it a data frame.

    Raises
    ------
    MaskError
        There is no mask, or one does not fit the image.
    RequestError
        A parameter is wrong.
    """
    refuse_other_values(matching=getattr(matching, "value", matching), qupath_version=qupath_version, workers=workers)
    with opened_source(source, channel_names) as image:
        info = image.info
        size = info.pixel_size if image_mpp is None else given_pixel_size(image_mpp)
        with measure_cells(
            cells=mask_reader(whole_cell, info.shape, "whole-cell"),
            nuclei=mask_reader(nucleus, info.shape, "nucleus"),
            channels=[combined_reader(image, (channel.index,)) for channel in info.channels],
            channel_names=[channel.name for channel in info.channels],
            shape=info.shape,
            image_name=info.name,
            image_pixels=sampled_pixels(image),
            pixel_size=size,
            matching=Matching(matching),
            workers=workers,
            memory=Budget.choose(workers).memory,
        ) as measurement:
            stream = io.BytesIO()
            dialect = Dialect(qupath_version)
            with ParquetWriter(stream, measurement, image_name=info.name, dialect=dialect) as writer:
                for batch in measurement.batches():
                    writer.write(batch)
    return read_parquet_bytes(stream.getbuffer())
