"""The tables of all images of a dataset as one."""

from collections.abc import Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Literal, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pa_parquet

from cellscale.cells.tables import ImageTable, require_anndata, write_gathered, write_gathered_anndata
from cellscale.engines.spatial_elements import require_spatialdata, write_spatialdata
from cellscale.errors import CellscaleError, ImageError, RequestError, StorageError
from cellscale.pipeline.events import Listener, Notice
from cellscale.storage.atomic import atomic_write
from cellscale.storage.regular import open_regular
from cellscale.storage.storage_errors import explained
from cellscale.storage.uri import Location, filesystem, join, local_path
from cellscale.workspace.layout import WorkspacePaths, report_name
from cellscale.workspace.record import Ledger, recorded_images

__all__ = ["FORMATS", "Gathered", "gather", "opened_table"]

Format: TypeAlias = Literal["parquet", "anndata", "spatialdata"]

FORMATS: dict[Format, str] = {
    "parquet": "all_cells.parquet",
    "anndata": "all_cells.h5ad",
    "spatialdata": "all_cells.sdata.zarr",
}
"""Name of the file, or folder, of each format, in the folder of tables."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """What became of the tables of a dataset."""

    images: int
    """Images whose cells were gathered."""
    cells: int
    """Objects of all of them."""
    failed: tuple[str, ...]
    """Names of images whose tables are missing or damaged, without whose cells the files are."""
    files: tuple[str, ...]
    """What was written."""


def gather(paths: WorkspacePaths, formats: Collection[Format], listener: Listener) -> Gathered:
    """Write the cells of all images that were measured to one file of each format, in the order of the images' names.

    Parameters
    ----------
    paths
        Folders of the dataset.
    formats
        Which files.
    listener
        Is told of images that are left out, and why.

    Raises
    ------
    RequestError
        No image of the dataset was measured, or an extra is not installed.
    StorageError
        The records cannot be listed, or a file cannot be written.
    """
    if "anndata" in formats:
        require_anndata()
    if "spatialdata" in formats:
        require_spatialdata()
    names = [name for name in _recorded(paths) if _is_measured(paths, name)]
    failed: list[str] = []
    with ExitStack() as opened:
        tables: list[ImageTable] = []
        for name in names:
            try:
                tables.append(opened_table(join(paths.reports, report_name(name, ".parquet")), name, opened))
            except CellscaleError as error:
                failed.append(name)
                listener(Notice(name, "error", f"its cells are left out: {error}"))
        if not tables:
            raise RequestError(
                f"no table of cells was found in {paths.reports}; run cellscale segment-and-measure on the dataset "
                "first"
            )
        _tell_differences(tables, listener)
        files = [_written(paths, one, tables) for one in FORMATS if one in formats]
        return Gathered(len(tables), sum(map(len, tables)), tuple(failed), tuple(files))


def _recorded(paths: WorkspacePaths) -> list[str]:
    """Return the names of the images that have a record, in order."""
    try:
        return sorted(recorded_images(paths.jobs))
    except StorageError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return []
        raise


def _is_measured(paths: WorkspacePaths, name: str) -> bool:
    return report_name(name, ".parquet") in Ledger(paths.jobs, name).names("measurement")


def opened_table(location: Location, name: str, opened: ExitStack) -> ImageTable:
    """Open an image's table until the stack ends, having read it once.

    Raises
    ------
    ImageError
        It is damaged, or no table of cellscale's.
    StorageError
        It cannot be read.
    """
    with explained("read", location):
        path = local_path(location)
        if path is not None:
            file = opened.enter_context(open_regular(path))
        else:
            fs, key = filesystem(location)
            file = opened.enter_context(fs.open(key, "rb"))
        try:
            table = ImageTable(name, pa_parquet.ParquetFile(file))
            for _ in table.batches():  # damage in the middle would be met when half of the cells are written
                pass
        except (pa.ArrowException, OSError) as error:
            raise ImageError(f"{location}: no Parquet table, or a damaged one ({error})") from error
    table.understood()
    return table


def _written(paths: WorkspacePaths, one: Format, tables: Sequence[ImageTable]) -> str:
    location = join(paths.reports, FORMATS[one])
    if one == "spatialdata":
        write_spatialdata(location, paths, tables)
    else:
        with atomic_write(location) as file:
            (write_gathered if one == "parquet" else write_gathered_anndata)(file, tables)
    return str(location)


def _tell_differences(tables: Sequence[ImageTable], listener: Listener) -> None:
    """Warn where a column has values of some images alone."""
    first = tables[0]
    for table in tables[1:]:
        if table.unit != first.unit:
            text = f"lengths are in {table.unit}, those of {first.sample} in {first.unit}"
            listener(
                Notice(
                    table.sample, "warning", f"{text}: the file's image has no pixel size, or --image_mpp was given"
                )
            )
        elif set(table.measurements) != set(first.measurements):
            listener(
                Notice(
                    table.sample, "warning", f"its measurements are not all those of {first.sample}: gaps are left"
                )
            )
