"""A simulated image as an OME-TIFF: tiled, deflated, with a pyramid."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from cellscale.simulate.files.pyramid import TILE, level_shapes, tile_places, tiles
from cellscale.simulate.files.tile_spool import Spool, deflated
from cellscale.simulate.tissue_model import PIXEL_SIZE, TissueModel
from cellscale.storage.atomic import atomic_write

__all__ = ["write_image"]

_CLASSIC_LIMIT = 3 << 30
"""Raw bytes, pyramid included, up to which the classic TIFF format with its 32-bit offsets is safe."""


def write_image(
    path: Path, model: TissueModel, *, workers: int = 1, advance: Callable[[int], None] = lambda _: None
) -> None:
    """Write a model's picture.

    Tiles are made in the order of the pyramid's branches and wait, deflated, in a nameless scratch file beside the
    output for the order of the TIFF, so memory stays bounded.

    Parameters
    ----------
    path
        The file to make; it appears whole or not at all.
    model
        What to picture.
    workers
        Number of threads.
    advance
        Told the number of pixels of full resolution that were made.

    Raises
    ------
    StorageError
        If the file cannot be written.
    """
    shapes = level_shapes(model.shape)
    with Spool(path.parent) as spool, atomic_write(path) as file:
        for place, pixels in tiles(model.shape, model.block, workers=workers):
            spool.put(place, [deflated(_whole_tile(plane)) for plane in pixels])
            if place.level == 0:
                advance(pixels[0].size)
        raw_bytes = 4 / 3 * len(model.markers) * model.shape[0] * model.shape[1] * model.dtype.itemsize
        with tifffile.TiffWriter(file, bigtiff=raw_bytes > _CLASSIC_LIMIT, byteorder="<", ome=True) as writer:
            for level, shape in enumerate(shapes):
                writer.write(
                    _tiles_of(spool, level, shape, len(model.markers)),
                    shape=(len(model.markers), *shape),
                    dtype=model.dtype,
                    subifds=len(shapes) - 1 if level == 0 else None,
                    **_level_facts(level),
                    metadata=_ome_facts(model) if level == 0 else None,
                )


def _whole_tile(plane: NDArray[Any]) -> NDArray[Any]:
    tile = np.zeros((TILE, TILE), plane.dtype)
    tile[: plane.shape[0], : plane.shape[1]] = plane
    return tile


def _tiles_of(spool: Spool, level: int, shape: tuple[int, int], channels: int) -> Iterator[bytes]:
    places = list(tile_places(shape, level))
    return (spool.get(place, channel) for channel in range(channels) for place in places)


def _level_facts(level: int) -> dict[str, Any]:
    resolution = 1e4 / (PIXEL_SIZE * 2**level)
    return {
        "tile": (TILE, TILE),
        "photometric": "minisblack",
        "compression": "adobe_deflate",
        "resolution": (resolution, resolution),
        "resolutionunit": "CENTIMETER",
        "software": False,
        "subfiletype": 1 if level else 0,
    }


def _ome_facts(model: TissueModel) -> dict[str, Any]:
    """Return what goes into the OME-XML; nothing of it changes from one run to the next."""
    return {
        "axes": "CYX",
        "Creator": "cellscale",
        "UUID": str(model.identity),
        "Name": "Simulated tissue",
        "PhysicalSizeX": PIXEL_SIZE,
        "PhysicalSizeXUnit": "µm",
        "PhysicalSizeY": PIXEL_SIZE,
        "PhysicalSizeYUnit": "µm",
        "Channel": {
            "Name": list(model.channel_names),
            "Color": [_ome_color(*marker.color) for marker in model.markers],
        },
    }


def _ome_color(red: int, green: int, blue: int) -> int:
    """Return an opaque colour as OME writes it: red, green, blue and alpha in one signed 32-bit number."""
    number = red << 24 | green << 16 | blue << 8 | 255
    return number - (1 << 32) if number >= 1 << 31 else number
