"""The cells of many images as one AnnData file; needs the extra ``cellscale[anndata]``."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cellscale.cells.object_batches import ObjectKind
from cellscale.cells.tables.anndata_matrices import AnnDataMatrices
from cellscale.cells.tables.anndata_names import DRAWN_REGION, element_name, layer_names, obs_name, unstructured
from cellscale.cells.tables.gathered_tables import ImageTable
from cellscale.cells.tables.tsv import REGION
from cellscale.cells.text.columns import Columns

__all__ = ["write_gathered_anndata"]

_CATEGORIES = ("image", "region", "unit")
_LABELS = ("Cell label", "Nucleus label")


@dataclass(frozen=True, slots=True)
class _Part:
    """One image's table, and what its columns are."""

    table: ImageTable
    layers: list[str]
    channels: tuple[str, ...]
    intensities: Columns
    """Their sources are those of the order of measuring: channel, then layer."""
    shapes: tuple[str, ...]
    region: str
    labels: str
    """Column of the labels in the region's mask."""


def write_gathered_anndata(stream: BinaryIO, tables: Sequence[ImageTable]) -> None:
    """Write one AnnData file of the cells of several images, laid out as that of one (`AnnDataWriter`).

    Channels are those of all images; where an image has no such channel, its cells have NaN.

    Parameters
    ----------
    stream
        Where the file goes; open for reading too. It is not closed.
    tables
        Those of the images, in the order of the cells.

    Raises
    ------
    ImageError
        A table has measurements that are not cellscale's.
    RequestError
        The extra is not installed.
    """
    parts = [_part(table) for table in tables]
    channels = list(dict.fromkeys(name for part in parts for name in part.channels))
    layers = list(dict.fromkeys(name for part in parts for name in part.layers))
    shapes = list(dict.fromkeys(name for part in parts for name in part.shapes))
    regions = [part.region for part in parts if len(part.table)]
    drawn = (DRAWN_REGION,) if any(REGION in table.schema.names for table in tables) else ()
    with AnnDataMatrices(stream, layers, (sum(map(len, tables)), len(channels))) as file:
        start = 0
        for part in parts:
            places = [channels.index(name) for name in part.channels]
            file.observe(_observed(part, _nothing(part.table.schema)))
            for batch in part.table.batches():
                _put(file, start, part, places, batch)
                file.observe(_observed(part, batch))
                start += len(batch)
        units = {table.sample: table.unit for table in tables}
        file.finish(channels, (*_CATEGORIES, *drawn), unstructured(units, shapes, regions))


def _nothing(schema: pa.Schema) -> pa.RecordBatch:
    """Return no rows, whose columns are there all the same."""
    return pa.RecordBatch.from_arrays([pa.array([], field.type) for field in schema], schema=schema)


def _part(table: ImageTable) -> _Part:
    kind, channels, columns = table.understood()
    layers = layer_names(kind)
    is_intensity = columns.sources < len(channels) * len(layers)
    chosen = np.flatnonzero(is_intensity)
    of_nuclei = kind is ObjectKind.DETECTION and _has_no_cells(table)
    return _Part(
        table=table,
        layers=layers,
        channels=channels,
        intensities=Columns(tuple(columns.names[index] for index in chosen), columns.sources[chosen]),
        shapes=tuple(columns.names[index] for index in np.flatnonzero(~is_intensity)),
        region=element_name(table.sample, "nuclei" if of_nuclei else "cells"),
        labels="Nucleus label" if of_nuclei else "Cell label",
    )


def _has_no_cells(table: ImageTable) -> bool:
    """Tell whether the objects have labels of a nucleus mask alone."""
    return all(batch.column("Cell label").null_count == len(batch) for batch in table.batches())


def _put(file: AnnDataMatrices, start: int, part: _Part, places: list[int], batch: pa.RecordBatch) -> None:
    """Write the intensities of a batch."""
    order = np.argsort(places)
    names = dict(zip(part.intensities.sources.tolist(), part.intensities.names, strict=True))
    for layer, place in enumerate(part.layers):
        columns = [_numbers(batch, names[int(channel) * len(part.layers) + layer]) for channel in order]
        if columns:
            file.put(place, start, sorted(places), np.stack(columns, axis=1))


def _observed(part: _Part, batch: pa.RecordBatch) -> dict[str, NDArray[Any]]:
    """Return the columns of ``obs``."""
    count = len(batch)
    labels = {name: batch.column(name).fill_null(0).to_numpy().astype(np.int64) for name in _LABELS}
    centroids = [batch.column(name).to_numpy() for name in part.table.centroids]
    return {
        "object_id": np.array(batch.column("Object ID").to_pylist(), dtype="U36"),
        "image": np.full(count, part.table.sample, dtype=object),
        "region": np.full(count, part.region, dtype=object),
        "unit": np.full(count, part.table.unit, dtype=object),
        "label": labels[part.labels],
        "cell_label": labels["Cell label"],
        "nucleus_label": labels["Nucleus label"],
        "centroid_x": centroids[0],
        "centroid_y": centroids[1],
        **{obs_name(name): _numbers(batch, name) for name in part.shapes},
        **({DRAWN_REGION: _texts(batch, REGION)} if REGION in batch.schema.names else {}),
    }


def _texts(batch: pa.RecordBatch, name: str) -> NDArray[Any]:
    return np.array(batch.column(name).to_pylist(), dtype=object)


def _numbers(batch: pa.RecordBatch, name: str) -> NDArray[np.float32]:
    return np.asarray(batch.column(name).to_numpy(zero_copy_only=False), np.float32)
