"""Classes of cells put into an AnnData file that is there; needs the extra ``cellscale[anndata]``."""

from collections.abc import Mapping
from typing import BinaryIO

import numpy as np

from cellscale.cells.tables.anndata_matrices import require
from cellscale.errors import ImageError

__all__ = ["CLASS", "write_classes"]

CLASS = "class"
"""Column of ``obs``; ``uns["class_colors"]`` has the colours, where scanpy looks for them."""


def write_classes(stream: BinaryIO, classes: Mapping[str, str], colours: Mapping[str, str]) -> None:
    """Put classes into an AnnData file as a categorical column of ``obs``; all else in it stays.

    Parameters
    ----------
    stream
        The file, open for reading and writing.
    classes
        Class by the name of the object, which is its id; the others have none.
    colours
        ``#rrggbb`` by class.

    Raises
    ------
    ImageError
        It is no AnnData file with a table of objects.
    RequestError
        The extra is not installed.
    """
    pandas, anndata_io = require("pandas"), require("anndata.io")
    try:
        with require("h5py").File(stream, "r+") as file:
            obs = file["obs"]
            names = anndata_io.read_elem(obs[obs.attrs["_index"]])
            found = [classes.get(str(name)) for name in names]
            categories = sorted({one for one in found if one is not None})
            order = [str(name) for name in obs.attrs["column-order"] if str(name) != CLASS]
            anndata_io.write_elem(obs, CLASS, pandas.Categorical(found, categories=categories))
            obs.attrs["column-order"] = [*order, CLASS]
            shown = np.array([colours[name] for name in categories], object)
            anndata_io.write_elem(file.require_group("uns"), f"{CLASS}_colors", shown)
    except (KeyError, OSError, ValueError, TypeError) as error:
        raise ImageError(f"no classes can be put into the AnnData file: {error}") from error
