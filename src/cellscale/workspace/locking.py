"""One run at a time on all that it writes: the state of runs, the masks, the tables and the project."""

import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryFile

from cellscale.storage.locks import folder_lock, run_lock
from cellscale.storage.storage_errors import explained
from cellscale.storage.uri import join, local_path, make_folder
from cellscale.workspace.claim import Claim
from cellscale.workspace.layout import WorkspacePaths

__all__ = ["dataset_lock"]


@contextmanager
def dataset_lock(paths: WorkspacePaths, *, tables: bool, run: str | None = None) -> Iterator[Claim]:
    """Hold the locks of all folders that a run writes to until the ``with`` block ends; they are made where missing.

    Runs whose masks lie apart may share tables and a project: each folder has a lock of its own.

    Parameters
    ----------
    paths
        Folders of the dataset.
    tables
        Whether tables, reports and the project are written.
    run
        Name of the run; any if None.

    Yields
    ------
    The run's claim, for those who work for it and hold no lock.

    Raises
    ------
    RunInProgressError
        Another run writes to one of them.
    StorageError
        A folder cannot be made, or not be locked.
    """
    written = [paths.segmasks, *([paths.reports, paths.project] if tables else [])]
    with ExitStack() as held:
        make_folder(paths.jobs)
        held.enter_context(run_lock(join(paths.jobs, "lock")))
        taken: set[object] = set()
        for folder in written:
            if folder is None:
                continue
            make_folder(folder)
            _require_writable(folder)
            place = _place(folder)
            if place not in taken:
                held.enter_context(folder_lock(folder))
                taken.add(place)
        claim = Claim(paths.jobs, run or secrets.token_hex(8))
        leave_trace = claim.announce()
        try:
            yield claim
        finally:
            claim.resign(leave_trace=leave_trace)


def _require_writable(folder: Path | str) -> None:
    """Check that files can be made in a folder, before anything is computed for it; of a store the lock tells."""
    path = local_path(folder)
    if path is not None:
        with explained("write to", path), TemporaryFile(dir=path):
            pass


def _place(folder: Path | str) -> object:
    """Return what is the same for two ways to the same folder."""
    if isinstance(folder, str):
        return folder.rstrip("/")
    facts = folder.stat()
    return facts.st_dev, facts.st_ino
