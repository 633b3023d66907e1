"""What an image gives to the network: its channels, their pixel size, and how they were chosen."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import astuple, dataclass, replace
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellscale.errors import ImageError
from cellscale.images.channels import USUAL_NAMES_VERSION, combined_dtype, combined_reader, select_channels
from cellscale.images.combine_words import Combine
from cellscale.images.info import Image, ImageInfo
from cellscale.images.open import open_image
from cellscale.images.pixel_size import ChosenPixelSize, choose_pixel_size
from cellscale.pipeline.image_run import ImageRun
from cellscale.pipeline.model import Model
from cellscale.pipeline.request import ChannelChoice, Request
from cellscale.predict.input_format import INSTANSEG_INPUT, MESMER_INPUT, InputFormat, is_own_format
from cellscale.preprocess.preprocessing import MESMER, MODEL_MPP, Preprocessing, RescaleChannels
from cellscale.regions import Region, RegionReader
from cellscale.storage.uri import base_name
from cellscale.workspace.discovery import ImageEntry
from cellscale.workspace.entry_image import open_entry_image

__all__ = ["MODEL_MPP", "NetworkInput", "input_of", "network_input", "open_input", "require_plausible"]

PLAUSIBLE_MPP = (0.01, 20.0)
"""µm/px at which cells can be found: beyond, a unit is wrong, and rescaling would leave nothing or never end."""

_NARROW: Mapping[str, np.dtype[Any]] = {
    "int64": np.dtype(np.int32),
    "uint64": np.dtype(np.uint32),
    "float16": np.dtype(np.float32),
}


@dataclass(frozen=True, slots=True)
class NetworkInput:
    """The channels that an image is segmented from, at the image's own pixel size."""

    info: ImageInfo
    """The file that the channels are read from."""
    channels: tuple[RegionReader, ...]
    """Readers of 2-D arrays: nucleus and membrane, or one of each channel."""
    dtypes: tuple[np.dtype[Any], ...]
    pixel_size: ChosenPixelSize
    notes: tuple[str, ...]
    """What was chosen and why."""
    choice: tuple[str, ...]
    """The same as facts, for fingerprints."""
    usual_names: int | None = None
    """Version of the list of usual names that channels were looked for in; None where all were given."""
    preprocessing: Preprocessing = MESMER
    """How the channels become the network's input."""
    combine: Combine = "sum"
    """How several channels become one."""
    rescale: RescaleChannels = "none"
    """How each of several channels is rescaled before, by facts of the whole image."""
    separate: tuple[tuple[RegionReader, ...], ...] = ()
    """For each of ``channels`` readers of those that are to be rescaled and combined; empty where the one there is
    right, and without any where all are."""
    input_format: InputFormat = MESMER_INPUT
    """What the network is to be given."""
    judged: Callable[[Region, tuple[int, int]], NDArray[np.bool_]] | None = None
    """Tells which pixels of a region brightness is judged by, of the image at so many rows and columns; None: all."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.info.shape

    @property
    def factor(self) -> float:
        """Pixels of the network a pixel of the image, along each axis."""
        return self.pixel_size.mpp / self.input_format.mpp


def network_input(
    image: Image,
    *,
    nuclear: Sequence[str] = (),
    membrane: Sequence[str] = (),
    combine: Combine = "sum",
    rescale: RescaleChannels = "none",
    preprocessing: Preprocessing = MESMER,
    pixel_size: ChosenPixelSize,
    apart: bool = False,
    input_format: InputFormat | None = None,
) -> NetworkInput:
    """Choose the channels of an open image.

    Parameters
    ----------
    image
        The image, or an NPZ file's nucleus and membrane.
    nuclear, membrane
        Names or ``#n`` positions of channels; empty: by their usual names.
    combine
        How several channels become one.
    rescale
        How each of several channels is rescaled before.
    preprocessing
        How the channels become the network's input.
    pixel_size
        µm/px to process the image at.
    apart
        Hand on each channel by itself, for a network that takes any number; else one of nuclei, one of membranes.
    input_format
        What the network is to be given; None: as Mesmer is, or InstanSeg where channels come apart.

    Raises
    ------
    ImageError
        A channel cannot be found, or the pixel size cannot be right.
    """
    info = image.info
    given = input_format or (INSTANSEG_INPUT if apart else MESMER_INPUT)
    require_plausible(pixel_size, info.name)
    selection = select_channels(info, nuclear, membrane)
    groups: tuple[tuple[int, ...], ...] = (selection.nuclear, selection.membrane)
    if apart:
        groups = tuple((index,) for index in dict.fromkeys(chain(*groups)))
    readers = tuple(_narrowed(combined_reader(image, indices, combine), info.name) for indices in groups)
    # Channels that the network takes by themselves are not combined.
    separate = () if apart else tuple(_separate(image, indices, rescale) for indices in groups)
    combined = combine if max(len(selection.nuclear), len(selection.membrane)) > 1 else "sum"  # of one it is the same
    is_rescaled = any(separate)
    return NetworkInput(
        info=info,
        channels=readers,
        dtypes=tuple(_narrow(combined_dtype(info.dtype, len(indices), combine)) for indices in groups),
        pixel_size=pixel_size,
        notes=(
            f"nucleus: {selection.nuclear_text}; membrane: {selection.membrane_text}; "
            f"{pixel_size.mpp:g} µm/px ({pixel_size.source})"
            + (f"; each channel rescaled ({rescale}) before the {combine}" if is_rescaled else ""),
        ),
        usual_names=USUAL_NAMES_VERSION if selection.by_usual_names else None,
        choice=(
            str(selection.nuclear),
            str(selection.membrane),
            "apart" if apart else combined,
            repr(pixel_size.mpp),
            *([f"rescale {rescale}"] if is_rescaled else []),
            *([f"preprocessing {astuple(preprocessing)}"] if preprocessing != MESMER else []),
            *([repr(given)] if is_own_format(given) else []),
        ),
        input_format=given,
        preprocessing=preprocessing,
        combine=combine,
        rescale=rescale,
        separate=separate,
    )


def _separate(image: Image, indices: Sequence[int], rescale: RescaleChannels) -> tuple[RegionReader, ...]:
    """Return readers of the channels that are to be rescaled; of one alone the preprocessing undoes it."""
    if rescale == "none" or len(indices) < 2:
        return ()
    return tuple(_narrowed(combined_reader(image, (index,)), image.info.name) for index in indices)


def _narrowed(read: RegionReader, name: str) -> RegionReader:
    """Return a reader whose numbers preprocessing can count: 64-bit integers as 32-bit ones, float16 as float32."""

    def read_narrow(region: Region) -> NDArray[Any]:
        pixels = read(region)
        dtype = _narrow(pixels.dtype)
        if dtype == pixels.dtype:
            return pixels
        narrowed = pixels.astype(dtype)
        if pixels.dtype.kind != "f" and (narrowed != pixels).any():
            raise ImageError(
                f"{name}: pixel values reach {pixels.max()}, expected at most {np.iinfo(dtype.name).max}; "
                "save the image as float32, or combine fewer channels"
            )
        return narrowed

    return read_narrow


def _narrow(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the dtype of what `_narrowed` reads of pixels of a dtype."""
    return _NARROW.get(dtype.name, dtype)


def require_plausible(size: ChosenPixelSize, name: str) -> None:
    """Raise `ImageError` where cells could not be found at a pixel size."""
    low, high = PLAUSIBLE_MPP
    if not low <= size.mpp <= high:
        raise ImageError(
            f"{name}: pixels of {size.mpp:g} µm found ({size.source}); {low:g} to {high:g} µm expected, cells being "
            "about 10 µm wide. Give the right size with --image_mpp."
        )


@contextmanager
def open_input(
    entry: ImageEntry,
    channels: ChannelChoice,
    preprocessing: Preprocessing,
    cache_bytes: int,
    *,
    apart: bool = False,
    input_format: InputFormat | None = None,
) -> Iterator[NetworkInput]:
    """Open what an image is to be segmented from: its NPZ file where there is one, else the image itself.

    ``apart`` and ``input_format`` are as for `network_input`.

    Raises
    ------
    ImageError
        A file is damaged, or the NPZ file has another size than its image.
    """
    with ExitStack() as stack:
        image = None
        if entry.image is not None:
            image = stack.enter_context(closing(open_entry_image(entry, cache_bytes=cache_bytes)))
        arrays = None
        if entry.npz is not None:
            arrays = stack.enter_context(closing(open_image(entry.npz, cache_bytes=cache_bytes)))
        yield _chosen(image, arrays, channels, preprocessing, apart=apart, input_format=input_format)


def input_of(
    run: ImageRun, entry: ImageEntry, request: Request, model: Model
) -> AbstractContextManager[NetworkInput]:
    """Open what a run's network is given of an image; errors as of `open_input`."""
    return open_input(
        entry,
        request.channels,
        request.preprocessing,
        run.budget.cache_bytes,
        apart=model.kind == "seeds",
        input_format=model.input_format,
    )


def _chosen(
    image: Image | None,
    arrays: Image | None,
    channels: ChannelChoice,
    preprocessing: Preprocessing,
    *,
    apart: bool,
    input_format: InputFormat | None,
) -> NetworkInput:
    """Return what an image, or the NPZ file in its place, gives to the network."""
    described = image or arrays
    assert described is not None, "an entry has an image or an NPZ file"
    size = choose_pixel_size(described.info, channels.mpp)
    if arrays is None:
        return network_input(
            described,
            nuclear=channels.nuclear,
            membrane=channels.membrane,
            combine=channels.combine,
            rescale=channels.rescale,
            preprocessing=preprocessing,
            pixel_size=size,
            apart=apart,
            input_format=input_format,
        )
    if arrays.info.shape != described.info.shape:
        raise ImageError(
            f"{arrays.info.uri} has {arrays.info.height} x {arrays.info.width} pixels (rows x columns), its image "
            f"{described.info.height} x {described.info.width}; expected the same. Remove or remake the NPZ file."
        )
    # An NPZ file's two channels are what the user chose when making it.
    found = network_input(
        arrays,
        nuclear=("#1",),
        membrane=("#2",),
        preprocessing=preprocessing,
        pixel_size=size,
        apart=apart,
        input_format=input_format,
    )
    return replace(
        found, notes=(f"pixels from {base_name(str(arrays.info.uri))}; {size.mpp:g} µm/px ({size.source})",)
    )
