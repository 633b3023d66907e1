"""NPZ files written band by band, of arrays that need not fit in memory."""

import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from cellscale.storage.atomic import atomic_write
from cellscale.storage.uri import Location

__all__ = ["NpzArray", "write_npz"]


@dataclass(frozen=True, slots=True)
class NpzArray:
    """One array of a file."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    bands: Iterable[NDArray[Any]]
    """The values in C order, in parts."""


def write_npz(location: Location, arrays: Iterable[NpzArray]) -> None:
    """Write arrays, not compressed, so that parts of them can be read; the file appears whole or not at all.

    Parameters
    ----------
    location
        Path or URI; its folder must exist.
    arrays
        Each is written when its turn comes.

    Raises
    ------
    StorageError
        It cannot be written.
    ValueError
        The bands of an array are more or fewer than its shape says.
    """
    with atomic_write(location) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for array in arrays:
            # A fixed date, so that the same arrays give the same bytes.
            member = zipfile.ZipInfo(f"{array.name}.npy", (1980, 1, 1, 0, 0, 0))
            with archive.open(member, "w", force_zip64=True) as stream:
                facts = {"descr": npy.dtype_to_descr(array.dtype), "fortran_order": False, "shape": array.shape}
                npy.write_array_header_1_0(stream, facts)
                written = 0
                for band in array.bands:
                    content = np.ascontiguousarray(band, array.dtype)
                    stream.write(content.data.cast("B"))
                    written += content.size
            if written != int(np.prod(array.shape, dtype=np.int64)):
                raise ValueError(f"{written} numbers written of an array of shape {array.shape}")
