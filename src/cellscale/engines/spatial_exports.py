"""``--export spatialdata``: a SpatialData folder for each image, made at the end of a run.

Needs the extra ``cellscale[spatialdata]``.
"""

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
from cellscale.storage.uri import Location, join, local_path
from cellscale.workspace.layout import WorkspacePaths, report_name

__all__ = ["export_spatialdata", "require_spatial_exports"]

_SUFFIX = ".sdata.zarr"


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

    An image whose folder cannot be written is a warning, and the others follow.

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
                _export(request.paths, name)
            except CellscaleError as error:
                listener(Notice(name, "warning", f"no SpatialData: {error}"))
            advance()


def _export(paths: WorkspacePaths, name: str) -> None:
    with ExitStack() as opened:
        table = opened_table(join(paths.reports, report_name(name, ".parquet")), name, opened)
        write_spatialdata(join(paths.reports, report_name(name, _SUFFIX)), paths, [table])


def _is_up_to_date(paths: WorkspacePaths, name: str) -> bool:
    table, folder = (local_path(join(paths.reports, report_name(name, suffix))) for suffix in (".parquet", _SUFFIX))
    if table is None or folder is None or not folder.is_dir():
        return False
    return not table.is_file() or folder.stat().st_mtime_ns >= table.stat().st_mtime_ns
