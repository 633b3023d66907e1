"""The cluster that a run uses: the one whose scheduler is named, or one of this machine's processes for the run."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

import dask
from distributed import Client, LocalCluster, Security

from cellscale.engines.dask.bounded_calls import answer
from cellscale.engines.dask.failure import Failure
from cellscale.engines.dask.worker_memory import least_memory
from cellscale.engines.dask.worker_tasks import Job, check
from cellscale.engines.engine_request import DaskOptions
from cellscale.errors import RequestError
from cellscale.pipeline.budget import SHARE, available_memory, usable_cores
from cellscale.pipeline.request import Resources

__all__ = ["OWN_CLUSTER", "connection", "dashboard", "refuse_contradictions", "require_fit"]

CONNECT_SECONDS = 20.0
"""Time in which a scheduler must answer."""
FIT_SECONDS = 900.0
"""Time in which all workers must answer, who may have to download the network first."""
OWN_CLUSTER: dict[str, Any] = {
    # Dask would otherwise give up a process that dies a second time soon after, and with the last of them a run would
    # wait for ever.
    "distributed.deploy.lost-worker-timeout": "1 day",
    # Looking at itself costs Dask some 4 % of every core.
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "500ms",
    "distributed.admin.system-monitor.interval": "5s",
}
"""What Dask is told of a cluster of this machine's processes."""
CLOSE_SECONDS = 60.0
"""Time in which the processes of a run's own cluster must have ended in good order."""


def refuse_contradictions(options: DaskOptions, resources: Resources) -> None:
    """Raise `RequestError` if options are given that the cluster could not follow."""
    asked = {
        "--dask_workers": options.workers,
        "--workers": resources.workers,
        "--max_memory": resources.max_memory,
    }
    for option, value in asked.items():
        if value is not None and options.scheduler:
            raise RequestError(
                f"{option} has no meaning with --dask_scheduler, whose workers have threads and memory limits of "
                "their own; leave it out, and start the workers with --nthreads and --memory-limit"
            )
    if resources.workers is not None and (options.workers or 0) > resources.workers:
        raise RequestError(
            f"{options.workers} Dask workers need a thread each, but --workers allows {resources.workers}; give "
            "fewer with --dask_workers or more with --workers"
        )


@contextmanager
def connection(options: DaskOptions, resources: Resources) -> Iterator[Callable[[], Client]]:
    """Give what connects to the run's cluster, and end the cluster afterwards if it is the run's own.

    Raises
    ------
    RequestError
        The scheduler does not answer, or this machine has too little memory for the workers.
    """
    if options.scheduler:
        address = options.scheduler
        yield lambda: _client(address)
        return
    with _local_cluster(options, resources) as cluster:
        yield lambda: Client(cluster)


def require_fit(client: Client, job: Job) -> None:
    """Make sure that all workers that are there now can do their part; others are checked at their first task.

    Raises
    ------
    RequestError
        One cannot.
    """
    # A function of the standard library, which a worker without cellscale can call as well.
    for address, found in _of_all(client, version, "cellscale").items():
        if found != job.version:
            problem = "has none" if isinstance(found, Exception) else f"has {found}"
            raise RequestError(
                f"the Dask worker {address} {problem}: expected cellscale {job.version}, as on this machine. Install "
                "the same version on all workers"
            )
    for address, problem in _of_all(client, check, job).items():
        if problem is not None:
            reason = problem.reason if isinstance(problem, Failure) else str(problem)
            raise RequestError(f"the Dask worker {address} cannot take part: {reason}")


def _of_all(client: Client, function: Callable[..., Any], *arguments: Any) -> dict[str, Any]:
    """Return what a function returns on each worker, or the exception that it raises there."""
    try:
        found: dict[str, Any] = answer(
            client, lambda: client.run(function, *arguments, on_error="return"), FIT_SECONDS
        )
    except TimeoutError as error:
        raise RequestError(
            f"not all Dask workers have answered within {FIT_SECONDS / 60:.0f} minutes; restart those that hang, and "
            "run the same command again"
        ) from error
    return found


def dashboard(client: Client, options: DaskOptions) -> str | None:
    """Return the address of the page that shows the cluster at work; None where there is none."""
    # A cluster of this machine shows one if Bokeh is installed here; of others, the scheduler's machine decides.
    has_page = options.scheduler is not None or find_spec("bokeh") is not None
    return client.dashboard_link if has_page else None


def _client(address: str) -> Client:
    try:
        return Client(address, timeout=CONNECT_SECONDS, name="cellscale")
    except (OSError, TimeoutError, ValueError) as error:
        raise RequestError(
            f"there is no Dask scheduler at {address}: {error}. Check --dask_scheduler, for instance "
            "tcp://host:8786, and that the scheduler runs"
        ) from error


@contextmanager
def _local_cluster(options: DaskOptions, resources: Resources) -> Iterator[LocalCluster]:
    memory = resources.max_memory or int(available_memory() * SHARE)
    threads = resources.workers or usable_cores()
    count = options.workers or max(min(threads, memory // least_memory(1)), 1)
    each = max(threads // count, 1)
    if memory // count < least_memory(each):
        raise RequestError(
            f"{count} Dask workers of {each} threads need {count * least_memory(each) / 1e9:.1f} GB, found "
            f"{memory / 1e9:.1f} GB; use fewer with --dask_workers or --workers, or allow more with --max_memory"
        )
    with dask.config.set(OWN_CLUSTER):  # as long as there is the cluster: some of it is read when a process is lost
        cluster = LocalCluster(
            n_workers=count,
            threads_per_worker=each,
            memory_limit=memory // count,
            host="127.0.0.1",
            # Other users of this machine could otherwise have the workers run their code as this user.
            security=Security.temporary(),
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.CRITICAL,
        )
        try:
            yield cluster
        finally:
            with suppress(TimeoutError):  # what is left then ends with this process
                cluster.close(timeout=CLOSE_SECONDS)
