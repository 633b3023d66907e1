"""What became of each task, a small file each, so that a run's true outcome is known from its folder."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

from cellscale import __version__
from cellscale.errors import RequestError, StorageError
from cellscale.pipeline.outcome import ImageOutcome
from cellscale.pipeline.request import from_json, to_json
from cellscale.storage.atomic import write_bytes
from cellscale.storage.json_text import parsed_json
from cellscale.storage.uri import Location, join, listing, make_folder, read_bytes

__all__ = [
    "PARTS",
    "Part",
    "Task",
    "TaskResult",
    "find_result",
    "finished_tasks",
    "read_result",
    "read_results",
    "write_result",
]

Task: TypeAlias = Literal["segment-image", "measure-image"]
"""What a task does with its image."""

Part: TypeAlias = Literal["preprocess", "predict", "shapes", "visualize"]
"""A stage that is done by itself before or after a task; the other stages are tasks."""

PARTS: tuple[Part, ...] = get_args(Part)

_FETCHES = 16
"""Results that are read side by side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskResult:
    """What became of one task."""

    task: Task | Part

    index: int
    """Position of the image in the run's list."""

    outcome: ImageOutcome
    """What became of the image; ``failed`` here is not to be tried again."""

    attempt: int = 0
    """How often the task was started before, as far as that is known."""

    started: str = ""
    """Time in UTC, ISO 8601."""

    finished: str = ""
    """Time in UTC, ISO 8601."""

    host: str = ""
    """Name of the machine that did it."""

    place: dict[str, Any] | None = None
    """The image's place in the QuPath project, where it is to get one at the end of the run."""

    version: str = __version__
    """Version of cellscale that did it."""


def write_result(folder: Location, result: TaskResult) -> None:
    """Write a result to ``results/<task>/<index>.json`` below a run's folder."""
    place = join(folder, "results", result.task)
    make_folder(place)
    content = json.dumps(to_json(result), ensure_ascii=False, indent=1)
    write_bytes(join(place, f"{result.index}.json"), content.encode())


def finished_tasks(folder: Location, task: Task | Part) -> set[int]:
    """Return the indices of tasks that have a result, done or failed; one listing."""
    try:
        entries = listing(join(folder, "results", task))
    except StorageError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return set()
        raise
    stems = (entry.name.removesuffix(".json") for entry in entries if entry.name.endswith(".json"))
    return {int(stem) for stem in stems if stem.isdecimal()}


def find_result(folder: Location, task: Task | Part, index: int) -> TaskResult | None:
    """Read one result; None where there is none.

    Raises
    ------
    StorageError
        It cannot be known.
    RequestError
        It is damaged, or another version's.
    """
    try:
        return read_result(folder, task, index)
    except StorageError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return None
        raise


def read_result(folder: Location, task: Task | Part, index: int) -> TaskResult:
    """Read one result.

    Raises
    ------
    StorageError
        It is not there or cannot be read.
    RequestError
        It is damaged, or another version's.
    """
    location = join(folder, "results", task, f"{index}.json")
    try:
        facts = parsed_json(read_bytes(location))
    except ValueError as error:
        raise RequestError(f"{location} is no result of a task: {error}") from error
    return from_json(TaskResult, facts, what=str(location))


def read_results(folder: Location, task: Task | Part, indices: set[int] | None = None) -> Iterator[TaskResult]:
    """Yield the results of a task in the order of their indices, read side by side.

    Parameters
    ----------
    folder
        Folder of the run.
    task
        Which task.
    indices
        Only these, all of which must be there; None for all that are.
    """
    wanted = sorted(finished_tasks(folder, task) if indices is None else indices)
    with ThreadPoolExecutor(_FETCHES, thread_name_prefix="cellscale-results") as pool:
        yield from pool.map(lambda index: read_result(folder, task, index), wanted)
