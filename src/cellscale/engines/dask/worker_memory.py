"""How much memory one task may take of a Dask worker."""

from cellscale.errors import RequestError
from cellscale.pipeline.budget import FIXED, PER_WORKER, SHARE, Budget, available_memory, usable_cores

__all__ = ["KEPT", "least_memory", "share_of"]

KEPT = 0.75
"""Share of a worker's memory that its tasks take together: Dask pauses a worker at 0.8 and kills it at 0.95."""


def share_of(limit: int | None, tasks: int, threads: int) -> Budget:
    """Return what one of a worker's tasks may take.

    Parameters
    ----------
    limit
        Bytes that the worker may take; None where Dask sets no limit, and what is available is shared among cores.
    tasks
        Tasks that the worker does at the same time.
    threads
        Threads that the task would like to have.

    Raises
    ------
    RequestError
        The worker has too little memory for so many tasks.
    """
    memory = limit * KEPT if limit else available_memory() * SHARE * min(tasks / usable_cores(), 1)
    # Tasks share the interpreter, the kernels and the network.
    share = FIXED + int(memory - FIXED) // tasks
    if share < FIXED + PER_WORKER:
        raise RequestError(
            f"it may take {(limit or memory) / 1e9:.1f} GB with {tasks} threads, at least "
            f"{least_memory(tasks) / 1e9:.1f} GB are needed; give it more memory (--memory-limit) or fewer threads"
        )
    return Budget.choose(workers=threads, max_memory=share)


def least_memory(tasks: int) -> int:
    """Return the bytes that a worker must be allowed to do so many tasks at a time."""
    return int((FIXED + PER_WORKER * tasks) / KEPT) + 1
