"""The list of a run's tasks, written by who submits the run and read by every task."""

import json
from dataclasses import dataclass, field
from typing import Any

from cellscale import __version__
from cellscale.engines.engine_request import BatchOptions
from cellscale.errors import RequestError, StorageError
from cellscale.pipeline.request import Request, from_json, request_from_json, request_to_json, to_json
from cellscale.storage.atomic import write_bytes
from cellscale.storage.json_text import parsed_json
from cellscale.storage.uri import Location, join, make_folder, read_bytes
from cellscale.workspace.claim import Claim
from cellscale.workspace.discovery import ImageEntry

__all__ = ["SPEC_NAME", "RunSpec", "read_spec", "run_folder", "write_spec"]

SPEC_NAME = "tasks.json"
"""Name of the list in its run's folder."""
KEYS = {"version", "run", "request", "options", "benchmark_table", "entries"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSpec:
    """All that the tasks of a run need to know."""

    run: str
    """Name of the run, and of its folder below the dataset's jobs."""

    request: Request
    """What to do. Paths and the model are those that the machines of the tasks can reach."""

    options: BatchOptions = field(default_factory=BatchOptions)
    """How the work is spread over machines."""

    entries: tuple[ImageEntry, ...]
    """The images; a task's index is an image's position."""

    benchmark_table: str | None = None
    """BigQuery table that the end of the run appends benchmark records to; None for none."""

    @property
    def engine(self) -> str:
        """Name of the engine whose machines work through the list; ``tasks`` where that is the user's own."""
        return "tasks" if self.options.env_config_uri is None else "batch"

    def entry(self, index: int) -> ImageEntry:
        """Return the image of a task.

        Raises
        ------
        RequestError
            There is no task of that index.
        """
        if not 0 <= index < len(self.entries):
            raise RequestError(f"there is no task {index}; run {self.run} has tasks 0 to {len(self.entries) - 1}")
        return self.entries[index]


def run_folder(spec: RunSpec) -> Location:
    """Return the folder of a run's list, results and state, ``jobs/<run>``."""
    return join(spec.request.paths.jobs, spec.run)


def write_spec(spec: RunSpec) -> Location:
    """Write a run's list of tasks to ``jobs/<run>/tasks.json`` and return its location.

    From then on tasks of earlier runs write nothing to the dataset.

    Raises
    ------
    RequestError
        The request has a number that is not finite.
    StorageError
        It cannot be written.
    """
    facts = {
        "version": __version__,
        "run": spec.run,
        "request": request_to_json(spec.request),
        "options": to_json(spec.options),
        "benchmark_table": spec.benchmark_table,
        "entries": [to_json(entry, omit_defaults=True) for entry in spec.entries],
    }
    folder = run_folder(spec)
    make_folder(folder)
    location = join(folder, SPEC_NAME)
    write_bytes(location, json.dumps(facts, ensure_ascii=False, separators=(",", ":")).encode())
    Claim(spec.request.paths.jobs, spec.run).announce()
    return location


def read_spec(location: Location) -> RunSpec:
    """Read a run's list of tasks.

    Raises
    ------
    RequestError
        It is not there, or it is no such list.
    """
    try:
        facts = parsed_json(read_bytes(location))
    except StorageError as error:
        raise RequestError(f"the list of tasks cannot be read: {error}") from error
    except ValueError as error:
        raise RequestError(f"{location} is no list of tasks: {error}") from error
    return _spec(facts, str(location))


def _spec(facts: Any, location: str) -> RunSpec:
    if not isinstance(facts, dict) or facts.keys() != KEYS:
        written = facts.get("version") if isinstance(facts, dict) else None
        advice = f". It was written by cellscale {written}: use that for this run" if isinstance(written, str) else ""
        raise RequestError(f"{location} is no list of tasks: expected the keys {', '.join(sorted(KEYS))}{advice}")
    if not isinstance(facts["run"], str) or not isinstance(facts["entries"], list):
        raise RequestError(f"{location} is no list of tasks: run must be text and entries a list")
    if not isinstance(facts["benchmark_table"], str | None):
        raise RequestError(f"{location} is no list of tasks: benchmark_table must be text or null")
    return RunSpec(
        run=facts["run"],
        benchmark_table=facts["benchmark_table"],
        request=request_from_json(facts["request"]),
        options=from_json(BatchOptions, facts["options"], what=f"{location}: options"),
        entries=tuple(
            from_json(ImageEntry, entry, what=f"{location}: entry {index}")
            for index, entry in enumerate(facts["entries"])
        ),
    )
