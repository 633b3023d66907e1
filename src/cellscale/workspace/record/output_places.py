"""Where the outputs lie that a record names; only their names are on record, so that a dataset may be moved."""

from cellscale.storage.uri import Location, join, listing
from cellscale.workspace.layout import WorkspacePaths, report_name
from cellscale.workspace.record.ledger import Ledger, Task

__all__ = ["place_of", "recorded_images"]

_RECORDS = "records"


def place_of(paths: WorkspacePaths, ledger: Ledger, task: Task, name: str) -> Location | None:
    """Return where an output of a record lies; None where the dataset has no folder for it.

    Parameters
    ----------
    paths
        Folders of the dataset.
    ledger
        The image's record.
    task
        Which made it.
    name
        Of the output.
    """
    if task == "project":
        number = ledger.facts("project").get("entry")
        return None if paths.project is None else join(paths.project, "data", str(number), name)
    if task == "intermediates":
        return join(paths.jobs, "intermediates", name)
    if task == "look":
        return join(paths.jobs, "report", name)
    in_reports = task in {"pictures", "classes"} or name.startswith(report_name(ledger.image, "."))
    return join(paths.reports if in_reports else paths.segmasks, name)


def recorded_images(jobs: Location) -> list[str]:
    """Return the names of the images that have a record.

    Raises
    ------
    StorageError
        The records cannot be listed.
    """
    names = [entry.name for entry in listing(join(jobs, _RECORDS))]
    return [name.removesuffix(".json") for name in names if name.endswith(".json") and not name.startswith(".")]
