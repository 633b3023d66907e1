"""The connection to a Dask cluster: tasks go out, results come back, whatever happens to workers and scheduler.

No wait here is without a bound: whatever is to come over the network may be lost on the way.
"""

from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from time import monotonic, sleep
from typing import Any
from uuid import uuid4

from distributed import Client, Future
from distributed.scheduler import KilledWorker

from cellscale.engines.dask.bounded_calls import LOST, answer
from cellscale.engines.dask.failure import described, guarded
from cellscale.engines.dask.image_steps import ImageWork, Step
from cellscale.engines.dask.worker_tasks import Job
from cellscale.errors import RequestError

__all__ = ["WorkerPool"]

AHEAD = 2
"""Tasks given out for each thread, so that none waits for the next."""
LOOK_SECONDS = 2.0
"""Time between looks at how many workers there are."""
LONELY_SECONDS = 30.0
"""Time without any worker after which a person is told."""
PATIENCE_SECONDS = 900.0
"""Time in which a scheduler that went away must be back."""
RESULT_SECONDS = 30.0
"""Time in which the result of a finished task must arrive, or else the task is done again."""
QUIET_SECONDS = 60.0
"""Time without news of any task after which the scheduler is asked what became of them."""
CLOSE_SECONDS = 30.0
"""Time in which a connection must have ended in good order."""
_OVER = (None, "memory", "erred")
"""States of tasks in the scheduler of which there must have been news."""


class WorkerPool:
    """The workers of a cluster, whoever they are at the moment.

    Parameters
    ----------
    connect
        Makes a new connection to the same scheduler.
    job
        What all tasks have in common.
    tell
        Is called with what a person should know.
    """

    def __init__(self, connect: Callable[[], Client], job: Job, tell: Callable[[str], None]) -> None:
        self.client = connect()
        self._connect = connect
        self._job = job
        self._tell = tell
        self._given: dict[str, tuple[Future, Step]] = {}
        self._ended: SimpleQueue[Future] = SimpleQueue()
        self._overdue: set[str] = set()
        self._threads = 0
        now = monotonic()
        self._looked = now - LOOK_SECONDS
        self._seen = self._answered = self._news = now

    @property
    def has_room(self) -> bool:
        """Whether workers would soon have nothing to do."""
        self._look()
        return len(self._given) < AHEAD * max(self._threads, 1)

    @property
    def is_idle(self) -> bool:
        """Whether no task is given out."""
        return not self._given

    def submit(self, step: Step) -> None:
        """Give out a task; images given out earlier go first."""
        future = self._submitted(step)
        self._given[future.key] = (future, step)
        future.add_done_callback(self._ended.put)

    def next(self) -> tuple[Step, Any]:
        """Wait for a task to end; return it with its result, or why it has none: a `Failure` or `KilledWorker`.

        Raises
        ------
        RequestError
            The scheduler does not come back.
        """
        while True:
            future, step = self._next_ended()
            try:
                return step, _result(future)
            except LOST:
                self.submit(step)

    def drop(self, image: ImageWork) -> None:
        """Take back all tasks of an image."""
        self._take_back([key for key, (_, step) in self._given.items() if step.image is image])

    def close(self) -> None:
        """Take back all tasks and end the connection."""
        self._take_back(list(self._given))
        _end(self.client)

    def _submitted(self, step: Step) -> Future:
        while True:
            client = self._connected()
            try:
                return client.submit(
                    guarded,
                    step.function,
                    self._job,
                    step.image.entry,
                    *step.arguments,
                    key=f"cellscale-{step.function.__name__}-{uuid4().hex}",
                    priority=-step.image.position,
                    pure=False,
                )
            except Exception:  # of no particular kind, where the connection ended at this moment
                if client.status == "running":
                    raise

    def _next_ended(self) -> tuple[Future, Step]:
        while True:
            self._look()
            with suppress(Empty, KeyError):  # no news, or of a task that was taken back
                ended = self._given.pop(self._ended.get(timeout=LOOK_SECONDS).key)
                self._news = monotonic()
                return ended
            if monotonic() - self._news > QUIET_SECONDS:
                self._news = monotonic()
                self._ask()

    def _ask(self) -> None:
        """Find out whether news was lost: then the connection is begun anew and all its tasks are given out again."""
        client, keys = self._connected(), list(self._given)
        try:
            states = answer(client, lambda: client.scheduler.get_task_status(keys=keys))
        except LOST:
            return
        overdue = {key for key, state in states.items() if state in _OVER}
        # What has just ended may be news that is on its way; what had ended when it was asked before is not.
        lost = self._overdue & overdue & self._given.keys()
        self._overdue = overdue
        if lost:
            self._begin_anew()

    def _begin_anew(self) -> None:
        steps = [step for _, step in self._given.values()]
        self._take_back(list(self._given))
        _end(self.client)
        for step in steps:
            self.submit(step)

    def _take_back(self, keys: list[str]) -> None:
        futures = [self._given.pop(key)[0] for key in keys]
        if self.client.status == "running":
            with suppress(*LOST):
                answer(self.client, lambda: self.client.cancel(futures, force=True))

    def _look(self) -> None:
        """Find out, now and then, how many threads the workers have.

        Raises
        ------
        RequestError
            The scheduler has not answered for long.
        """
        if monotonic() - self._looked < LOOK_SECONDS or self.client.status != "running":
            return
        try:
            self._threads = sum(answer(self.client, self.client.nthreads).values())
        except LOST as error:
            self._looked = monotonic()
            if self._looked - self._answered > PATIENCE_SECONDS:
                raise _gone() from error
            if isinstance(error, TimeoutError):
                self._tell("the Dask scheduler does not answer; the run goes on as soon as it does")
            return
        self._looked = self._answered = monotonic()
        if self._threads:
            self._seen = self._looked
        elif self._looked - self._seen > LONELY_SECONDS:
            self._seen = float("inf")
            self._tell("no Dask worker is connected to the scheduler; the run goes on as soon as one is")

    def _connected(self) -> Client:
        """Return the client, once it is connected to the scheduler."""
        if self.client.status == "running":
            return self.client
        self._tell("the connection to the Dask scheduler is lost; the run goes on as soon as it is back")
        given_up = monotonic() + PATIENCE_SECONDS
        while monotonic() < given_up:
            if self.client.status == "running":
                return self.client
            if self.client.status in ("closing", "closed"):
                with suppress(RequestError, *LOST):
                    self.client = self._connect()
                    self._answered = monotonic()
            sleep(0.2)
        raise _gone()


def _gone() -> RequestError:
    return RequestError(
        f"the Dask scheduler has been away for {PATIENCE_SECONDS / 60:.0f} minutes; start it and run the same "
        "command again, which goes on where this run stopped"
    )


def _result(future: Future) -> Any:
    """Return a future's result or why its task has none; raises what says that the result went away."""
    # No task of ours raises anything: Dask could not begin it, or gave it up.
    if future.status == "error":
        error = answer(future.client, future.exception, RESULT_SECONDS)
    else:
        try:
            return answer(future.client, future.result, RESULT_SECONDS)
        except LOST:
            raise
        except Exception as found:  # the result was lost with its worker, and the task has failed when done again
            error = found
    return error if isinstance(error, KilledWorker) else described(error)


def _end(client: Client) -> None:
    """End a connection, in good order if that is possible."""
    with suppress(*LOST):
        client.close(timeout=CLOSE_SECONDS)
