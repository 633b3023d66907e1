"""The settings of a run, kept with it as a file that asks for the same again."""

from contextlib import suppress

from cellscale.pipeline.request import Request
from cellscale.storage.atomic import write_text
from cellscale.storage.uri import delete, find, join, local_path, make_folder

__all__ = ["RUN_SETTINGS", "drop_settings", "keep_settings"]

RUN_SETTINGS = "settings.toml"
"""Name of the file, in the folder of the run below the dataset's jobs."""


def keep_settings(request: Request, run: str) -> None:
    """Write ``jobs/<run>/settings.toml``; nothing for a dry run, or a request that has no settings.

    Parameters
    ----------
    request
        What is asked.
    run
        Name of the run.

    Raises
    ------
    StorageError
        It cannot be written.
    """
    if request.dry_run or not request.settings:
        return
    folder = join(request.paths.jobs, run)
    make_folder(folder)
    write_text(join(folder, RUN_SETTINGS), request.settings)


def drop_settings(request: Request, run: str) -> None:
    """Remove the settings of a run that made nothing: a second run changes nothing in a dataset.

    Raises
    ------
    StorageError
        They cannot be removed.
    """
    place = join(request.paths.jobs, run, RUN_SETTINGS)
    if find(place) is None:
        return
    delete(place)
    folder = local_path(join(request.paths.jobs, run))
    if folder is not None:
        with suppress(OSError):  # there is more in it
            folder.rmdir()
