"""Several machines on one dataset: what tasks of a run may do side by side, and what not."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from cellscale.engines.tasks.spec import RunSpec
from cellscale.errors import RunInProgressError, TaskInProgressError
from cellscale.storage.locks import run_lock
from cellscale.storage.uri import join, local_path, make_folder
from cellscale.workspace.locking import writing_locks

__all__ = ["end_lock", "image_lock"]

_LOCKS = "locks"


@contextmanager
def image_lock(spec: RunSpec, index: int) -> Iterator[None]:
    """Work on one image: no run of another kind on the dataset, and no other task on the image, until the block ends.

    In an object store nothing is held: tasks there are those of a job on Batch, which starts each of them once.

    Raises
    ------
    TaskInProgressError
        Another is at work on the dataset or on the image.
    StorageError
        A lock cannot be had.
    """
    paths = spec.request.paths
    if local_path(paths.jobs) is None:
        yield
        return
    image = spec.entry(index).name
    with ExitStack() as held:
        try:
            held.enter_context(writing_locks(paths, tables=spec.request.measure, shared=True))
        except RunInProgressError as error:
            raise TaskInProgressError(str(error)) from error
        folder = join(paths.jobs, _LOCKS)
        make_folder(folder)
        try:
            held.enter_context(run_lock(join(folder, f"{image}.lock")))
        except RunInProgressError as error:
            message = f"{image}: another process is at work on this image; wait for it, or stop it"
            raise TaskInProgressError(message) from error
        yield


@contextmanager
def end_lock(spec: RunSpec) -> Iterator[None]:
    """Hold the dataset for oneself, at the end of a run; in an object store, whose jobs wait for each other, nothing.

    Raises
    ------
    TaskInProgressError
        A task or another run is at work.
    StorageError
        A lock cannot be had.
    """
    paths = spec.request.paths
    if local_path(paths.jobs) is None:
        yield
        return
    with ExitStack() as held:
        try:
            held.enter_context(writing_locks(paths, tables=True))
        except RunInProgressError as error:
            raise TaskInProgressError(f"the run {spec.run} cannot be finished yet: {error}") from error
        yield
