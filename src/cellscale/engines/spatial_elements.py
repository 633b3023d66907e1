"""A dataset as SpatialData: images, masks and outlines of all measured images, and one table of their cells.

Needs the extra ``cellscale[spatialdata]``.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellscale.cells.tables import ImageTable, element_name, write_gathered_anndata
from cellscale.errors import RequestError
from cellscale.images.info import Image
from cellscale.images.masks import Mask, open_mask
from cellscale.pipeline.images_on_record import ImagesOnRecord
from cellscale.predict.heads import COMPARTMENTS, Compartment
from cellscale.regions import Region
from cellscale.storage.uri import Location, find, join, local_path, read_bytes
from cellscale.workspace.entry_image import open_entry_image
from cellscale.workspace.layout import WorkspacePaths, shapes_name
from cellscale.workspace.record import Ledger, mask_of_record

__all__ = ["require_spatialdata", "write_spatialdata"]

_CHUNK = 2048
_SMALLEST = 1024
"""A pyramid ends with the first level that fits into this."""
_WHAT: dict[Compartment, str] = {"whole-cell": "cells", "nuclear": "nuclei"}


def require_spatialdata() -> None:
    """Check that the extra is installed.

    Raises
    ------
    RequestError
        It is not, or a package of it cannot be used.
    """
    try:
        import spatialdata  # noqa: F401
    except ImportError as error:
        raise RequestError(
            f"SpatialData was asked for, but {error.name or 'spatialdata'} cannot be imported ({error}): "
            "pip install --upgrade 'cellscale[spatialdata]'"
        ) from error


class _Lazy:
    """Pixels that are read when Dask asks for them.

    Parameters
    ----------
    shape
        Rows and columns, and before them channels where there are any.
    dtype
        Of the pixels.
    read
        Returns a region of a channel.
    """

    def __init__(
        self, shape: tuple[int, ...], dtype: np.dtype[Any], read: Callable[[int, Region], NDArray[Any]]
    ) -> None:
        self.shape, self.dtype, self.ndim = shape, dtype, len(shape)
        self._read = read

    def __getitem__(self, places: tuple[slice, ...]) -> NDArray[Any]:
        rows, columns = places[-2:]
        region = Region(rows.start, columns.start, rows.stop, columns.stop)
        if self.ndim == 2:
            return self._read(0, region)
        channels = places[0]
        return np.stack([self._read(channel, region) for channel in range(channels.start, channels.stop)])


def write_spatialdata(location: Location, paths: WorkspacePaths, tables: Sequence[ImageTable]) -> None:
    """Write a SpatialData folder of all images; it appears when it is whole, and replaces an earlier one.

    Elements are called after their image: ``<image>_image``, ``<image>_cells`` and ``<image>_nuclei`` (labels),
    ``<image>_cells_shapes`` and ``<image>_nuclei_shapes``; the table is ``table``. Each image has a coordinate system
    of its name, in the unit of its table.

    Parameters
    ----------
    location
        Path of the folder.
    paths
        Folders of the dataset.
    tables
        Those of the images.

    Raises
    ------
    RequestError
        The place is in an object store, or the extra is not installed.
    ImageError, MaskError
        An image or mask cannot be read.
    """
    import spatialdata

    place = local_path(location)
    if place is None:
        raise RequestError(f"{location}: SpatialData is written to a folder of this machine; give a local dataset")
    with ExitStack() as opened:
        work = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix=".cellscale-", dir=place.parent)))
        elements: dict[str, Any] = {}
        images = ImagesOnRecord(paths)
        for table in tables:
            elements.update(_elements(paths, images, table, opened))
        elements["table"] = _table(work / "cells.h5ad", tables)
        made = work / place.name
        spatialdata.SpatialData.init_from_elements(elements).write(made)
        if os.path.lexists(place):
            shutil.move(place, work / "earlier")
        made.rename(place)


def _elements(
    paths: WorkspacePaths, images: ImagesOnRecord, table: ImageTable, opened: ExitStack
) -> Iterator[tuple[str, Any]]:
    """Yield the image, the masks and the outlines of one image by their names."""
    from spatialdata.models import Image2DModel, Labels2DModel, ShapesModel
    from spatialdata.transformations import Scale

    ledger = Ledger(paths.jobs, table.sample)
    found = {compartment: mask_of_record(paths.segmasks, ledger, compartment) for compartment in COMPARTMENTS}
    masks = {
        compartment: opened.enter_context(closing(open_mask(entry.location)))
        for compartment, entry in found.items()
        if entry is not None
    }
    entry = images.find(ledger, "measurement", "segmentation")
    image = None
    if entry is not None and entry.image is not None:
        image = opened.enter_context(closing(open_entry_image(entry)))
    # Masks have the size of a pixel that was asked for, which need not be the image file's.
    sizes = [source.info.pixel_size for source in (*masks.values(), image) if source is not None]
    size = next((size for size in sizes if size is not None), None) if table.unit == "µm" else None
    scale = Scale([1.0, 1.0] if size is None else [size.x, size.y], axes=("x", "y"))
    placed = {"transformations": {table.sample: scale}}
    if image is not None:
        info = image.info
        pixels = _Lazy((len(info.channels), *info.shape), info.dtype, partial(_pixels, image))
        names = [channel.name for channel in info.channels]
        parsed = Image2DModel.parse(
            _dask(pixels), dims=("c", "y", "x"), c_coords=names, scale_factors=_factors(info.shape), **placed
        )
        yield element_name(table.sample, "image"), parsed
    for compartment, mask in masks.items():
        name = element_name(table.sample, _WHAT[compartment])
        labels = _Lazy(mask.shape, np.dtype(np.int32), partial(_labels, mask))
        parsed = Labels2DModel.parse(_dask(labels), dims=("y", "x"), scale_factors=_factors(mask.shape), **placed)
        yield name, parsed
        outlines = _outlines(join(paths.segmasks, shapes_name(table.sample, compartment)))
        if outlines is not None:
            yield f"{name}_shapes", ShapesModel.parse(outlines, **placed)


def _pixels(image: Image, channel: int, region: Region) -> NDArray[Any]:
    pixels: NDArray[Any] = image.read((channel,), region)[0]
    return pixels


def _labels(mask: Mask, channel: int, region: Region) -> NDArray[np.int32]:
    del channel  # a mask has none
    return mask.read(region)


def _dask(lazy: _Lazy) -> Any:
    import dask.array

    chunks = (*(1 for _ in lazy.shape[:-2]), _CHUNK, _CHUNK)
    return dask.array.from_array(lazy, chunks=chunks, asarray=False, meta=np.empty((0,) * lazy.ndim, lazy.dtype))


def _factors(shape: tuple[int, ...]) -> list[int] | None:
    longest, factors = max(shape), []
    while longest > _SMALLEST:
        longest = -(-longest // 2)
        factors.append(2)
    return factors or None


def _outlines(location: Location) -> Any:
    """Return outlines by label, as a GeoDataFrame; None where there are none."""
    import geopandas
    import shapely

    if find(location) is None:
        return None
    features = [json.loads(line) for line in read_bytes(location).splitlines()]
    if not features:
        return None
    shapes = shapely.from_geojson([json.dumps(feature["geometry"]) for feature in features])
    return geopandas.GeoDataFrame(geometry=shapes, index=[feature["properties"]["label"] for feature in features])


def _table(path: Path, tables: Sequence[ImageTable]) -> Any:
    import anndata
    from spatialdata.models import TableModel

    with path.open("w+b") as file:
        write_gathered_anndata(file, tables)
    cells = anndata.read_h5ad(path)
    path.unlink()
    attributes = cells.uns.pop("spatialdata_attrs")
    return TableModel.parse(
        cells,
        region=cells.obs["region"].unique().tolist(),
        region_key=attributes["region_key"],
        instance_key=attributes["instance_key"],
    )
