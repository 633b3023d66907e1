"""One run at a time on all that it writes: the state of runs, the masks, the tables and the project."""

import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from tempfile import TemporaryFile

from cellscale.storage.locks import folder_lock, run_lock, shared_folder_lock, shared_run_lock
from cellscale.storage.storage_errors import explained
from cellscale.storage.uri import Location, join, local_path, make_folder
from cellscale.workspace.claim import Claim
from cellscale.workspace.layout import WorkspacePaths

__all__ = ["dataset_lock", "writing_locks"]


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
    with writing_locks(paths, tables=tables):
        claim = Claim(paths.jobs, run or secrets.token_hex(8))
        leave_trace = claim.announce()
        try:
            yield claim
        finally:
            claim.resign(leave_trace=leave_trace)


@contextmanager
def writing_locks(paths: WorkspacePaths, *, tables: bool, shared: bool = False) -> Iterator[None]:
    """Hold the locks of `dataset_lock` alone, for work that belongs to a run which has claimed the dataset before.

    Parameters
    ----------
    paths, tables
        As of `dataset_lock`, and so are the errors.
    shared
        Whether others that share the locks may be at work as well, as tasks of one run on different images are.
    """
    written = [paths.segmasks, *([paths.reports, paths.project] if tables else [])]
    lock_run, lock_folder = (shared_run_lock, shared_folder_lock) if shared else (run_lock, folder_lock)
    with ExitStack() as held:
        make_folder(paths.jobs)
        held.enter_context(lock_run(join(paths.jobs, "lock")))
        taken: set[object] = set()
        for folder in written:
            if folder is None:
                continue
            make_folder(folder)
            _require_writable(folder)
            place = _place(folder)
            if place not in taken:
                held.enter_context(lock_folder(folder))
                taken.add(place)
        yield


def _require_writable(folder: Location) -> None:
    """Check that files can be made in a folder, before anything is computed for it; of a store the lock tells."""
    path = local_path(folder)
    if path is not None:
        with explained("write to", path), TemporaryFile(dir=path):
            pass


def _place(folder: Location) -> object:
    """Return what is the same for two ways to the same folder."""
    if isinstance(folder, str):
        return folder.rstrip("/")
    facts = folder.stat()
    return facts.st_dev, facts.st_ino
