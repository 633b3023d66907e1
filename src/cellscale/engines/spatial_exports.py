"""``--export spatialdata``: a SpatialData folder for each image, made at the end of a run.

Needs the extra ``cellscale[spatialdata]``.
"""

import json
from contextlib import ExitStack
from importlib.util import find_spec

from cellscale.engines.gather_dataset import opened_table
from cellscale.engines.spatial_elements import require_spatialdata, write_spatialdata
from cellscale.errors import CellscaleError, RequestError
from cellscale.pipeline.budget import Budget
from cellscale.pipeline.events import Listener, Notice
from cellscale.pipeline.image_run import ImageRun
from cellscale.pipeline.outcome import RunOutcome
from cellscale.pipeline.request import Request
from cellscale.storage.atomic import write_bytes
from cellscale.storage.content import content_of
from cellscale.storage.json_text import parsed_json
from cellscale.storage.uri import Location, exists, join, local_path, make_folder, read_if_there
from cellscale.workspace.layout import WorkspacePaths, report_name

__all__ = ["export_spatialdata", "require_spatial_exports"]

_SUFFIX = ".sdata.zarr"
_RECORDS = "spatialdata"
"""Folder of ``jobs`` that has a hash of each folder as it was written."""


def require_spatial_exports(reports: Location | None) -> None:
    """Check, before anything is computed, that SpatialData can be written; nothing is loaded for it.

    Raises
    ------
    RequestError
        The extra is not installed, or tables go to an object store.
    """
    if reports is not None and local_path(reports) is None:
        raise RequestError(
            f"--export spatialdata writes folders of this machine, and tables go to {reports}; leave it out, and run "
            "cellscale gather --format spatialdata on a local copy"
        )
    if find_spec("spatialdata") is None:
        require_spatialdata()


def export_spatialdata(request: Request, outcome: RunOutcome, listener: Listener) -> None:
    """Write the SpatialData folder of each image that has none, or one that is older than its table.

    One that somebody else made, or added to, stays and is named, unless ``--overwrite=foreign`` was asked for. An
    image whose folder cannot be written is a warning, and the others follow.

    Parameters
    ----------
    request
        What was asked.
    outcome
        What became of the images.
    listener
        Is told of progress and warnings.
    """
    names = [image.image for image in outcome.images if image.status in ("done", "kept")]
    waiting = [name for name in names if not _is_up_to_date(request.paths, name)]
    if not waiting:
        return
    run = ImageRun("", listener, Budget.choose(request.resources.workers, request.resources.max_memory))
    with run.stage("spatialdata", len(waiting)) as advance:
        for name in waiting:
            try:
                _export(request.paths, name, replaces_others=request.outputs.overwrite_foreign)
            except CellscaleError as error:
                listener(Notice(name, "warning", f"no SpatialData: {error}"))
            advance()


def _export(paths: WorkspacePaths, name: str, *, replaces_others: bool) -> None:
    folder = join(paths.reports, report_name(name, _SUFFIX))
    record = join(paths.jobs, _RECORDS, f"{name}.json")
    if exists(folder) and not replaces_others and content_of(folder) != _recorded(record):
        raise RequestError(
            f"{folder} is older than the table, and is not as a run left it, so it stays; move it away, or replace "
            "it with --overwrite=foreign"
        )
    with ExitStack() as opened:
        table = opened_table(join(paths.reports, report_name(name, ".parquet")), name, opened)
        write_spatialdata(folder, paths, [table])
    make_folder(join(paths.jobs, _RECORDS))
    write_bytes(record, json.dumps({"content": content_of(folder)}).encode())


def _recorded(record: Location) -> object:
    """Return the hash of a folder as it was written; None where there is no record of it."""
    content = read_if_there(record)
    try:
        return None if content is None else parsed_json(content).get("content")
    except (ValueError, AttributeError, CellscaleError):
        return None


def _is_up_to_date(paths: WorkspacePaths, name: str) -> bool:
    table, folder = (local_path(join(paths.reports, report_name(name, suffix))) for suffix in (".parquet", _SUFFIX))
    if table is None or folder is None or not folder.is_dir():
        return False
    return not table.is_file() or folder.stat().st_mtime_ns >= table.stat().st_mtime_ns
