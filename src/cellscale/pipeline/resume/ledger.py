"""Which outputs of an image were made from what, so that a second run knows what is left to do."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias

from cellscale.storage.atomic import write_text
from cellscale.storage.uri import base_name, find, join, make_folder, read_if_there

__all__ = ["Decision", "Ledger", "Task"]

Task: TypeAlias = Literal["segmentation", "relabelling", "measurement", "look", "pictures"]
Decision: TypeAlias = Literal["make", "remake", "keep", "foreign"]


class Ledger:
    """The record of one image, a JSON file beside the state of runs.

    Parameters
    ----------
    jobs
        Folder of the dataset's runs.
    image
        The image's name.

    Raises
    ------
    StorageError
        The record is there and cannot be read.
    """

    def __init__(self, jobs: Path | str, image: str) -> None:
        self._folder = join(jobs, "records")
        self._location = join(self._folder, f"{image}.json")
        self.tasks = self._read()

    def decide(self, task: Task, fingerprint: str, outputs: Sequence[Path | str]) -> Decision:
        """Tell what a run has to do for a task.

        Parameters
        ----------
        task
            Which task.
        fingerprint
            Of all that its outputs depend on.
        outputs
            The files that it makes.

        Returns
        -------
        ``make``: outputs are missing or unfinished; ``keep``: they are there, made from the same; ``remake``: they
        are ours, made from something else; ``foreign``: someone else made or changed some of them.
        """
        entry = self.tasks.get(task, {})
        markers = {base_name(output): _marker(output) for output in outputs}
        found = {name: marker for name, marker in markers.items() if marker is not None}
        if not found:
            return "make"
        if not entry.get("complete", True) and set(found) <= set(entry["outputs"]):
            return "make"
        ours = entry.get("outputs", {})
        if any(ours.get(name) != marker for name, marker in found.items()):
            return "foreign"
        if entry.get("fingerprint") != fingerprint:
            return "remake"
        return "keep" if len(found) == len(markers) else "make"

    def made(self, task: Task, output: Path | str) -> bool:
        """Tell whether a file is what a task made last, not changed since."""
        marker = self.tasks.get(task, {}).get("outputs", {}).get(base_name(output))
        return bool(marker) and marker == _marker(output)

    def names(self, task: Task) -> tuple[str, ...]:
        """Return the names of all outputs that a task is known to have made."""
        return tuple(self.tasks.get(task, {}).get("outputs", ()))

    def begin(self, task: Task, fingerprint: str, outputs: Sequence[Path | str]) -> None:
        """Note that a task's outputs are being made, so that those of a killed run are known for ours."""
        names = dict.fromkeys((base_name(output) for output in outputs), "")
        # What the task made for other options stays known: the mask of the other compartment, say.
        known = self.tasks.get(task, {}).get("outputs", {})
        self.tasks[task] = {"complete": False, "fingerprint": fingerprint, "outputs": {**known, **names}}
        self._write()

    def finish(
        self, task: Task, outputs: Sequence[Path | str], facts: Mapping[str, Any], run: str | None = None
    ) -> None:
        """Note that a task's outputs are whole, with whatever is worth knowing of how they were made, and the run."""
        markers = {base_name(output): _marker(output) for output in outputs}
        known = self.tasks[task]["outputs"]
        named = {} if run is None else {"run": run}
        self.tasks[task] = {**self.tasks[task], "complete": True, "outputs": {**known, **markers}, **facts, **named}
        self._write()

    def finished_in(self, task: Task, run: str | None) -> bool:
        """Tell whether a run that has a name has finished a task, on whatever machine."""
        return run is not None and self.facts(task).get("run") == run

    def facts(self, task: Task) -> dict[str, Any]:
        """Return what was noted when a task was finished; empty where it was not."""
        entry = self.tasks.get(task, {})
        return entry if entry.get("complete") else {}

    def _read(self) -> dict[str, dict[str, Any]]:
        """Return what is on record; a damaged record is none, and outputs then count as someone else's.

        One that cannot be read now is an error: the next `begin` would replace it, and all outputs would be foreign.
        """
        content = read_if_there(self._location)
        if content is None:
            return {}
        try:
            tasks = json.loads(content)
        except (ValueError, RecursionError):
            return {}
        if not isinstance(tasks, dict):
            return {}
        return {name: entry for name, entry in tasks.items() if _is_entry(entry)}

    def _write(self) -> None:
        make_folder(self._folder)
        write_text(self._location, json.dumps(self.tasks, indent=1, ensure_ascii=False) + "\n")


def _is_entry(entry: object) -> bool:
    """Tell whether something on record can be an entry of ours."""
    return (
        isinstance(entry, dict)
        and isinstance(entry.get("outputs"), dict)
        and all(marker is None or isinstance(marker, str) for marker in entry["outputs"].values())
        and isinstance(entry.get("complete", True), bool)
    )


def _marker(location: Path | str) -> str | None:
    """Return what changes whenever an output does; None where there is none."""
    entry = find(location)
    return None if entry is None else f"{entry.size} {entry.marker}"
