"""The connection to a Dask cluster: tasks go out, results come back, whatever happens to workers and scheduler."""

import asyncio
from collections.abc import Callable
from concurrent.futures import CancelledError
from contextlib import suppress
from queue import Empty, SimpleQueue
from time import monotonic, sleep
from typing import Any
from uuid import uuid4

from distributed import Client, Future

from cellscale.engines.dask.tasks import Job
from cellscale.engines.dask.work import ImageWork, Step
from cellscale.errors import RequestError

__all__ = ["Crew"]

AHEAD = 2
"""Tasks given out for each thread, so that none waits for the next."""
LOOK_SECONDS = 2.0
"""Time between looks at how many workers there are."""
LONELY_SECONDS = 30.0
"""Time without any worker after which a person is told."""
PATIENCE_SECONDS = 900.0
"""Time in which a scheduler that went away must be back."""
_LOST = (CancelledError, asyncio.CancelledError, OSError, TimeoutError, asyncio.TimeoutError)
"""The result, or the connection, went away with a worker or with the scheduler."""


class Crew:
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
        self._threads = 0
        self._looked = monotonic() - LOOK_SECONDS
        self._seen = monotonic()

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
        future = self._connected().submit(
            step.function,
            self._job,
            step.image.entry,
            *step.arguments,
            key=f"cellscale-{step.function.__name__}-{uuid4().hex}",
            priority=-step.image.position,
            pure=False,
        )
        self._given[future.key] = (future, step)
        future.add_done_callback(self._ended.put)

    def next(self) -> tuple[Step, Any]:
        """Wait for a task to end; return it with its result or the exception that it ended with."""
        while True:
            future, step = self._next_ended()
            try:
                return step, _result(future)
            except _LOST:
                self.submit(step)

    def drop(self, image: ImageWork) -> None:
        """Take back all tasks of an image."""
        self._take_back([key for key, (_, step) in self._given.items() if step.image is image])

    def close(self) -> None:
        """Take back all tasks and end the connection."""
        self._take_back(list(self._given))
        self.client.close()

    def _next_ended(self) -> tuple[Future, Step]:
        while True:
            self._look()
            with suppress(Empty, KeyError):  # no news, or of a task that was taken back
                return self._given.pop(self._ended.get(timeout=LOOK_SECONDS).key)

    def _take_back(self, keys: list[str]) -> None:
        futures = [self._given.pop(key)[0] for key in keys]
        if self.client.status == "running":
            with suppress(*_LOST):
                self.client.cancel(futures, force=True)

    def _look(self) -> None:
        """Find out, now and then, how many threads the workers have."""
        if monotonic() - self._looked < LOOK_SECONDS or self.client.status != "running":
            return
        with suppress(*_LOST):
            self._threads = sum(self.client.nthreads().values())
        self._looked = monotonic()
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
            if self.client.status == "closed":
                with suppress(RequestError, *_LOST):
                    self.client = self._connect()
            sleep(0.2)
        raise RequestError(
            f"the Dask scheduler has been away for {PATIENCE_SECONDS / 60:.0f} minutes; start it and run the same "
            "command again, which goes on where this run stopped"
        )


def _result(future: Future) -> Any:
    """Return a future's result or the exception of its task; raises what says that the result went away."""
    if future.status == "error":
        return future.exception()
    return future.result()
