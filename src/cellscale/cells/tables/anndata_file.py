"""Write measurements as an AnnData file (``.h5ad``); needs the extra ``cellscale[anndata]``."""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from types import ModuleType, TracebackType
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from cellscale.cells.measurement import Measurement
from cellscale.cells.object_batches import CellBatch, ObjectKind
from cellscale.cells.shape_features import extents
from cellscale.cells.tables.tsv import table_centroids
from cellscale.cells.text.columns import COMPARTMENTS, STATISTICS, Dialect
from cellscale.errors import RequestError

__all__ = ["AnnDataWriter", "require", "require_anndata"]

ARRAY = {"encoding-type": "array", "encoding-version": "0.2.0"}
ROOT = {"encoding-type": "anndata", "encoding-version": "0.1.0"}


def require(name: str) -> ModuleType:
    """Import a module of the extra.

    Raises
    ------
    RequestError
        If its package is not installed, or is too old to have the module.
    """
    try:
        return import_module(name)
    except ImportError as error:
        package = (error.name or name).partition(".")[0]
        try:
            found = f"{package} {version(package)} is installed, which cannot be used ({error})"
        except PackageNotFoundError:
            found = f"{package} is not installed"
        raise RequestError(
            f"an AnnData file was asked for, but {found}: pip install --upgrade 'cellscale[anndata]'"
        ) from error


def require_anndata() -> None:
    """Import all that writing needs.

    Raises
    ------
    RequestError
        If a package is not installed or too old.
    """
    for name in ("anndata", "anndata.io", "h5py", "pandas"):
        require(name)


class AnnDataWriter:
    """Writes the measurements of one image, batch after batch; a context manager.

    ``X`` has the mean intensities of whole cells, objects by channels; there is a layer for each other compartment
    and statistic, like ``nucleus_median`` or ``cell_std`` (``median``, ``std`` for detections). ``obs`` has labels,
    centroids and areas, indexed by object id, and ``obsm["spatial"]`` the centroids once more, where spatial tools
    look for them. Lengths are in the unit that ``uns["unit"]`` names.

    Parameters
    ----------
    stream
        Where the file goes; open for reading too. It is not closed.
    measurement
        Whose batches will be written.

    Notes
    -----
    The large matrices are written in pieces, in the layout of AnnData's on-disk format 0.1.0.
    """

    def __init__(self, stream: BinaryIO, measurement: Measurement) -> None:
        self._write_elem = require("anndata.io").write_elem
        self._pandas = require("pandas")
        self._file = require("h5py").File(stream, "w")
        self._measurement = measurement
        self._layers = _layer_names(measurement.kind)
        self._obs = [self._observed(measurement.batch(0, 0))]

    def __enter__(self) -> "AnnDataWriter":
        """Lay out the matrices."""
        self._file.attrs.update(ROOT)
        self._write_elem(self._file, "layers", {})
        shape = (len(self._measurement), len(self._measurement.channel_names))
        for place in self._layers:
            matrix = self._file.create_dataset(place, shape, np.float32, compression="gzip" if all(shape) else None)
            matrix.attrs.update(ARRAY)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Write what is known of objects and channels, and finish the file."""
        try:
            if error is None:
                self._finish()
        finally:
            self._file.close()

    def write(self, batch: CellBatch) -> None:
        """Write the objects of a batch."""
        self.put(self.encode(batch))

    def encode(self, batch: CellBatch) -> CellBatch:
        """Return a batch as it is: its file takes one thread at a time."""
        return batch

    def put(self, batch: CellBatch) -> None:
        """Write what :meth:`encode` returned, batch after batch."""
        stop = batch.start + len(batch)
        channels = len(self._measurement.channel_names)
        intensities = batch.values[:, : channels * len(self._layers)].reshape(len(batch), channels, -1)
        for index, place in enumerate(self._layers):
            if intensities.size:
                self._file[place][batch.start : stop] = intensities[:, :, index]
        self._obs.append(self._observed(batch))

    def _observed(self, batch: CellBatch) -> dict[str, NDArray[Any]]:
        """Return the columns of ``obs``."""
        width, height = self._measurement.scale
        centroids = table_centroids(batch.outlines, Dialect.V0_7) * (width, height)
        nucleus_areas = np.full(len(batch), np.nan)
        with_nucleus = batch.nucleus_rows >= 0
        nucleus_areas[with_nucleus] = extents(batch.nuclei)[:, 0] * width * height
        names = np.array(["", *self._measurement.region_names])
        region = {} if batch.regions is None else {"region": names[batch.regions + 1]}
        return {
            "object_id": batch.ids.astype("U36"),
            "cell_label": batch.cell_labels,
            "nucleus_label": batch.nucleus_labels,
            "centroid_x": centroids[:, 0],
            "centroid_y": centroids[:, 1],
            "area": extents(batch.outlines)[:, 0] * width * height,
            "nucleus_area": nucleus_areas,
            **region,
        }

    def _finish(self) -> None:
        """Write everything but the large matrices."""
        names = self._measurement.channel_names
        obs = self._pandas.concat(map(self._pandas.DataFrame, self._obs)).set_index("object_id")
        written = {
            "obs": obs,
            "var": self._pandas.DataFrame({"channel": list(names)}, index=list(names)),
            "obsm": {"spatial": obs[["centroid_x", "centroid_y"]].to_numpy()},
            "uns": {"unit": self._measurement.unit, "image": self._measurement.image_name},
        }
        for key, value in (*written.items(), *((key, {}) for key in ("varm", "obsp", "varp"))):
            self._write_elem(self._file, key, value)


def _layer_names(kind: ObjectKind) -> list[str]:
    """Return where each compartment and statistic of a channel goes, in the order of measuring."""
    statistics = [name.lower().removesuffix(".dev.") for name in STATISTICS]
    if kind is ObjectKind.DETECTION:
        return ["X" if name == "mean" else f"layers/{name}" for name in statistics]
    names = [f"{compartment.lower()}_{statistic}" for compartment in COMPARTMENTS for statistic in statistics]
    return ["X" if name == "cell_mean" else f"layers/{name}" for name in names]
