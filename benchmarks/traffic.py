"""What an image asks of an object store while machines that may be taken away work on it."""

import math
from dataclasses import dataclass

from cellscale.pipeline.segmenting import BLOCK, GROUP
from cellscale.planning.run_estimate import LABEL_STATE, TILE_STATE
from cellscale.predict.tiles import OVERLAP, STRIDE
from cellscale.records.rates import ImageSize

__all__ = ["Traffic", "measuring_traffic", "segmenting_traffic"]

_CHUNK = 512**2
"""Pixels that a request for one channel brings, where the image is stored in tiles of 512 pixels a side."""
_PASSES = 2
"""Whole-image passes over both channels, for statistics and for equalisation, of pixels of at most two bytes."""
_MAP_CHANNELS = 2
_COMPARTMENTS = 2
_SMALL_OBJECTS = 12
"""Objects of an image that do not grow with it: facts, results, tables, the project's parts."""
_FULL_RESOLUTION = 0.75
"""Share of a pyramid's bytes that its first level has."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """Requests and bytes."""

    reads: int
    writes: int
    read_bytes: float
    written_bytes: float


def segmenting_traffic(size: ImageSize, output_bytes: float) -> Traffic:
    """Return what making masks asks for, every finished unit being kept in the store.

    Parameters
    ----------
    size
        The image.
    output_bytes
        Of its masks.
    """
    # Groups of tiles overlap, so that the network's pass reads some pixels twice.
    again = ((GROUP * STRIDE + OVERLAP) / (GROUP * STRIDE)) ** 2
    passes = _PASSES + again
    chunks = math.ceil(size.pixels / _CHUNK) * _MAP_CHANNELS
    units = math.ceil(size.tiles / GROUP**2)
    labelled = math.ceil(size.network_pixels / BLOCK**2) * _COMPARTMENTS
    channel_bytes = size.file_bytes * _FULL_RESOLUTION / size.channels
    return Traffic(
        reads=math.ceil(chunks * passes) + _SMALL_OBJECTS,
        # A block's labels and its facts are an object each.
        writes=units + 2 * labelled + _SMALL_OBJECTS,
        read_bytes=channel_bytes * _MAP_CHANNELS * passes,
        written_bytes=float(size.tiles * TILE_STATE + size.network_pixels * LABEL_STATE) + output_bytes,
    )


def measuring_traffic(size: ImageSize, output_bytes: float) -> Traffic:
    """Return what measuring asks for: all channels and both masks once."""
    chunks = math.ceil(size.pixels / _CHUNK)
    return Traffic(
        reads=chunks * (size.channels + _COMPARTMENTS) + _SMALL_OBJECTS,
        writes=_SMALL_OBJECTS,
        read_bytes=size.file_bytes * _FULL_RESOLUTION + output_bytes,
        written_bytes=output_bytes,
    )
