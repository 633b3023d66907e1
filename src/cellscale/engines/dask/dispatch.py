"""Giving out the tasks of many images, a window at a time, so that a scheduler never holds more than workers need."""

from collections import deque
from collections.abc import Iterable, Sequence

from distributed.scheduler import KilledWorker

from cellscale.engines.dask.connection import WorkerPool
from cellscale.engines.dask.image_steps import ImageWork, Step

__all__ = ["work_through"]


def work_through(crew: WorkerPool, images: Sequence[ImageWork]) -> None:
    """Work on images until each has its outcome.

    A worker that dies takes with it all tasks that it had, so work on several images stops where one of them kills
    workers. Once all others are done, these are worked on one by one: the one that kills workers then is the one.

    Raises
    ------
    RequestError
        A worker cannot do its part, or the scheduler does not come back.
    """
    _side_by_side(crew, images)
    for image in images:
        if image.killed is not None:
            _side_by_side(crew, [image])
        if image.killed is not None:
            image.fail(_reason(image.killed))


def _side_by_side(crew: WorkerPool, images: Iterable[ImageWork]) -> None:
    waiting = deque(images)
    ready: deque[Step] = deque()
    while waiting or ready or not crew.is_idle:
        while crew.has_room and (ready or waiting):
            if not ready:
                ready.extend(waiting.popleft().begin())
            else:
                crew.submit(ready.popleft())
        step, result = crew.next()
        following = step.image.after(step, result)
        if step.image.killed is not None:
            crew.drop(step.image)
        # Steps that a failure made needless are not given out; work that has begun goes before images that have not.
        ready = deque(known for known in ready if known.image.needs(known))
        ready.extend(following)


def _reason(error: KilledWorker) -> str:
    return (
        f"{error.allowed_failures + 1} Dask workers in a row died while they worked on it, most likely for lack of "
        f"memory (the last one at {error.last_worker.address}); their logs say more. Give workers more memory or "
        "fewer threads"
    )
