"""An AnnData file whose matrices are written in pieces, in the layout of AnnData's on-disk format 0.1.0."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from types import ModuleType, TracebackType
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from cellscale.errors import RequestError

__all__ = ["AnnDataMatrices", "require", "require_anndata"]

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


class AnnDataMatrices:
    """An AnnData file to which objects are added piece by piece; a context manager.

    Parameters
    ----------
    stream
        Where the file goes; open for reading too. It is not closed.
    places
        Where the matrices go: ``X`` and ``layers/NAME``.
    shape
        Objects and channels. What is not written of a matrix is NaN.
    """

    def __init__(self, stream: BinaryIO, places: Sequence[str], shape: tuple[int, int]) -> None:
        self._write_elem = require("anndata.io").write_elem
        self._pandas = require("pandas")
        self._file = require("h5py").File(stream, "w")
        self._places = places
        self._shape = shape
        self._obs: list[Mapping[str, NDArray[Any]]] = []

    @property
    def is_open(self) -> bool:
        """Whether the file can be written to."""
        return bool(self._file.id.valid)

    def __enter__(self) -> "AnnDataMatrices":
        """Lay out the matrices."""
        self._file.attrs.update(ROOT)
        self._write_elem(self._file, "layers", {})
        compression = "gzip" if all(self._shape) else None
        for place in self._places:
            matrix = self._file.create_dataset(
                place, self._shape, np.float32, fillvalue=np.float32(np.nan), compression=compression
            )
            matrix.attrs.update(ARRAY)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the file."""
        self.close()

    def close(self) -> None:
        """Close the file, which is whole if it was finished."""
        self._file.close()

    def put(self, place: str, start: int, channels: slice | list[int], values: NDArray[np.float32]) -> None:
        """Write some channels of consecutive objects into a matrix.

        Parameters
        ----------
        place
            Of the matrix.
        start
            The first object.
        channels
            Which, in ascending order.
        values
            Float32, ``(objects, channels)``.
        """
        if values.size:
            self._file[place][start : start + len(values), channels] = values

    def observe(self, columns: Mapping[str, NDArray[Any]]) -> None:
        """Add rows to ``obs``: ``object_id`` and any number of columns, the same each time."""
        self._obs.append(columns)

    def finish(self, channels: Sequence[str], categories: Sequence[str], uns: Mapping[str, Any]) -> None:
        """Write everything but the large matrices.

        Parameters
        ----------
        channels
            Names of the channels.
        categories
            Columns of ``obs`` with few different texts.
        uns
            As `cellscale.cells.tables.anndata_names.unstructured` gives it.
        """
        obs = self._pandas.concat(map(self._pandas.DataFrame, self._obs)).set_index("object_id")
        obs = obs.astype(dict.fromkeys(categories, "category"))
        written = {
            "obs": obs,
            "var": self._pandas.DataFrame({"channel": list(channels)}, index=list(channels)),
            "obsm": {"spatial": obs[["centroid_x", "centroid_y"]].to_numpy()},
            "uns": dict(uns),
        }
        for key, value in (*written.items(), *((key, {}) for key in ("varm", "obsp", "varp"))):
            self._write_elem(self._file, key, value)
