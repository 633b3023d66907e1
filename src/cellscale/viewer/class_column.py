"""The classes that a table gave to an image's cells, in the order of its table of cells."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cellscale.errors import ImageError
from cellscale.parquet_bytes import read_parquet_bytes
from cellscale.storage.uri import Location, base_name, read_bytes
from cellscale.viewer.table import CellTable

__all__ = ["CLASS", "ClassColumn", "read_classes"]

CLASS = "Class"
"""What the classes are called among the measurements."""


@dataclass(frozen=True, slots=True)
class ClassColumn:
    """Classes of objects."""

    names: tuple[str, ...]
    colours: tuple[str, ...]
    """``#rrggbb`` of each class."""
    codes: NDArray[np.float32]
    """Place of each object's class among the names, NaN for none."""
    by_id: dict[str, str]
    """Class by the object's id."""


def read_classes(location: Location, table: CellTable) -> ClassColumn:
    """Read the classes of a table's objects.

    Raises
    ------
    ImageError
        It is no table of classes, or a damaged one.
    StorageError
        It cannot be read.
    """
    try:
        found = read_parquet_bytes(read_bytes(location), ["Object ID", CLASS, "Colour"])
    except (pa.ArrowException, KeyError) as error:
        raise ImageError(f"{base_name(location)}: no table of classes, or a damaged one ({error})") from error
    ids, classes, colours = (column.to_pylist() for column in found.columns)
    shown = dict(sorted(zip(classes, colours, strict=True)))
    places = {name: place for place, name in enumerate(shown)}
    by_id = dict(zip(ids, classes, strict=True))
    codes = [places[by_id[one]] if one in by_id else np.nan for one in table.ids()]
    return ClassColumn(tuple(shown), tuple(shown.values()), np.array(codes, np.float32), by_id)
