"""Which outputs of an image were made from what, so that a second run knows what is left to do."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from cellscale.errors import StorageError
from cellscale.storage.content import WHOLE, Content, glanced, seen
from cellscale.storage.uri import Location, base_name, join, make_folder
from cellscale.workspace.record.file_record import (
    OutputRecord,
    input_from_json,
    input_to_json,
    is_blank,
    output_from_json,
    output_to_json,
)
from cellscale.workspace.record.record_file import Task, is_entry, read_record, write_record

__all__ = ["Ledger", "Mark", "Task", "Verdict"]

Mark: TypeAlias = str | Mapping[str, str]
"""Fingerprint of all that a task's outputs depend on, or that of each by its name."""

_INPUTS = "inputs"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a run has to do for a task: each output on its own."""

    kept: tuple[Location, ...] = ()
    """There, ours, and made from what would be made from now."""
    missing: tuple[Location, ...] = ()
    """Not there, or left by a run that did not end."""
    stale: tuple[Location, ...] = ()
    """Ours, and made from something else."""
    persons: tuple[Location, ...] = ()
    """There, and no record explains their content: a person's, or another program's."""
    misfits: tuple[Location, ...] = ()
    """Those of ``persons`` that were changed after they were made from something else than would be taken now."""

    @property
    def to_make(self) -> tuple[Location, ...]:
        """What is to be written."""
        return (*self.missing, *self.stale)

    @property
    def is_done(self) -> bool:
        """Nothing is left to be written."""
        return not self.to_make


_Parsed: TypeAlias = dict[str, tuple[dict[str, Any], int, dict[str, OutputRecord]]]
"""Records of outputs by task, with what they were read from: its identity and length tell that it is the same."""


@dataclass
class Ledger:
    """The record of one image, a JSON file beside the state of runs.

    Parameters
    ----------
    jobs
        Folder of the dataset's runs.
    image
        The image's name.
    fence
        Raises where another run has taken the dataset over; called before the record is written.

    Raises
    ------
    StorageError
        The record is there and cannot be read.
    """

    jobs: Location
    image: str
    fence: Callable[[], None] = field(default=lambda: None, repr=False, compare=False)
    tasks: dict[str, dict[str, Any]] = field(init=False)
    inputs: dict[str, Content] = field(init=False)
    """What the image's files, and files that others made, held when they were last looked at."""
    is_damaged: bool = field(init=False)
    """Whether the record was found damaged: what it knows for ours is made again."""
    _learned: bool = field(init=False, default=False)
    _parsed: _Parsed = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        found = read_record(self.location)
        self.is_damaged = found.is_damaged
        self.inputs = input_from_json(found.facts.get(_INPUTS))
        self.tasks = {name: dict(entry) for name, entry in found.facts.items() if name != _INPUTS and is_entry(entry)}

    @property
    def location(self) -> Location:
        """Where the record is."""
        return join(self.jobs, "records", f"{self.image}.json")

    @property
    def has_whole_inputs(self) -> bool:
        """Whether all bytes of the image's files are on record, not a sample alone."""
        return any(name.endswith(WHOLE) for name in self.inputs)

    def judge(
        self, task: Task, fingerprint: Mark, outputs: Sequence[Location], *, earlier: str | None = None
    ) -> Verdict:
        """Tell what a run has to do for a task.

        Parameters
        ----------
        task
            Which task.
        fingerprint
            Of all that its outputs depend on.
        outputs
            The files that it makes.
        earlier
            The fingerprint of the same in records of version 0.2.

        Raises
        ------
        StorageError
            An output cannot be read.
        """
        known = self._outputs(task)
        unfinished = set(self.tasks.get(task, {}).get("unfinished", ()))
        found: dict[str, list[Location]] = {name: [] for name in Verdict.__dataclass_fields__}
        for output in outputs:
            name = base_name(output)
            record = known.get(name)
            now = self.look(task, output)
            mark = _mark_of(fingerprint, name)
            fits = record is not None and record.made_from in (mark, earlier)
            # A killed run may have written some, and noted nothing of any; what is empty is nobody's work.
            if now is None or name in unfinished or (record is not None and is_blank(output, now, record)):
                found["missing"].append(output)
            elif record is not None and record.explains(now):
                found["kept" if fits else "stale"].append(output)
                if fits and (record.content != now or record.made_from != mark):
                    self._learn(task, name, OutputRecord(now, mark))
            else:
                found["persons"].append(output)
                if record is not None and not fits:
                    found["misfits"].append(output)
        return Verdict(**{name: tuple(places) for name, places in found.items()})

    def made(self, task: Task, output: Location) -> bool:
        """Tell whether a file is what a task made last, not changed since."""
        record = self._outputs(task).get(base_name(output))
        now = self.look(task, output)
        return record is not None and now is not None and record.explains(now)

    def look(self, task: Task, output: Location, *, hashed: bool = False) -> Content | None:
        """Return what an output holds; None where there is none.

        Parameters
        ----------
        task
            Which makes it.
        output
            Its place.
        hashed
            Whether its hash is needed in any case, and not only where its record may explain it.

        Notes
        -----
        Nothing is read of a file whose size and times are those of its record, or of the last look.
        """
        name = base_name(output)
        record = self._outputs(task).get(name)
        known = None if record is None or not record.content.hash else record.content
        if record is None and not hashed:
            return glanced(output)
        last = self.inputs.get(name)
        now = seen(output, known, like_known=not hashed, last=last)
        if now is not None and now.hash and now not in (known, last) and (known is None or now.hash != known.hash):
            self.learn_inputs({name: now})
        return now

    def record(self, task: Task, output: Location) -> OutputRecord | None:
        """Return what is on record of an output."""
        return self._outputs(task).get(base_name(output))

    def records(self, task: Task) -> Mapping[str, OutputRecord]:
        """Return what is on record of all outputs of a task, by their names."""
        return self._outputs(task)

    def is_newest(self, task: Task, output: Location) -> bool:
        """Tell whether an output was made from what the task's last run made its outputs from."""
        record, newest = self.record(task, output), self.tasks.get(task, {}).get("fingerprint")
        return record is not None and record.made_from == _mark_of(newest or "", base_name(output))

    def names(self, task: Task) -> tuple[str, ...]:
        """Return the names of all outputs that a task is known to have made."""
        return tuple(self.tasks.get(task, {}).get("outputs", ()))

    def unfinished(self, task: Task) -> tuple[str, ...]:
        """Return the names of the outputs that a run which did not end was making."""
        return tuple(self.tasks.get(task, {}).get("unfinished", ()))

    def begin(
        self,
        task: Task,
        fingerprint: Mark,
        outputs: Sequence[Location],
        request: Mapping[str, Any] | None = None,
    ) -> None:
        """Note that outputs are being made, and what was asked, so that those of a killed run are known for ours."""
        # What the task made for other options stays known: the mask of the other compartment, say.
        known = self.tasks.get(task, {}).get("outputs", {})
        self.tasks[task] = {
            "complete": False,
            "fingerprint": fingerprint if isinstance(fingerprint, str) else dict(fingerprint),
            # Those of a run that was stopped before stay known as well: nothing else tells that they are ours.
            "unfinished": list(dict.fromkeys([*self.unfinished(task), *map(base_name, outputs)])),
            "outputs": known,
            **({} if request is None else {"request": dict(request)}),
        }
        self.write()

    def finish(
        self, task: Task, outputs: Sequence[Location], facts: Mapping[str, Any], run: str | None = None
    ) -> None:
        """Note that outputs of a task are whole, with whatever is worth knowing of how they were made, and the run.

        Raises
        ------
        StorageError
            An output cannot be read, or is not there.
        """
        entry = {name: value for name, value in self.tasks[task].items() if name != "unfinished"}
        made = {}
        for output in outputs:
            content = seen(output, None)
            if content is None:
                raise StorageError(f"{output} was removed while it was in use; is another run at work?")
            name = base_name(output)
            made[name] = output_to_json(OutputRecord(content, _mark_of(entry["fingerprint"], name)))
        named = {} if run is None else {"run": run}
        self.tasks[task] = {
            **entry, "complete": True, "outputs": {**entry["outputs"], **made}, **facts, **named,
        }  # fmt: skip
        self.write()

    def renew(self, task: Task, output: Location) -> None:
        """Note what an output of ours holds after we added to it; nothing where it is not on record.

        Raises
        ------
        StorageError
            It cannot be read, or the record cannot be written.
        """
        record, content = self.record(task, output), seen(output, None)
        if record is not None and content is not None:
            self._learn(task, base_name(output), OutputRecord(content, record.made_from))
            self.write()

    def forget(self, task: Task, names: Sequence[str]) -> None:
        """Drop outputs from the record; to be written by the next `begin`, `finish` or `keep`."""
        outputs = self.tasks.get(task, {}).get("outputs", {})
        for name in names:
            self._learned |= outputs.pop(name, None) is not None

    def finished_in(self, task: Task, run: str | None) -> bool:
        """Tell whether a run that has a name has finished a task, on whatever machine."""
        return run is not None and self.facts(task).get("run") == run

    def facts(self, task: Task) -> dict[str, Any]:
        """Return what was noted when a task was finished; empty where it was not."""
        entry = self.tasks.get(task, {})
        return entry if entry.get("complete") else {}

    def learn_inputs(self, inputs: Mapping[str, Content]) -> None:
        """Note what the image's files hold; to be written by the next `begin`, `finish` or `keep`."""
        for name, content in inputs.items():
            if self.inputs.get(name) != content:
                self.inputs[name] = content
                self._learned = True

    def keep(self) -> None:
        """Write what was learned of files that have another time and the same content; a folder may be read-only."""
        if self._learned and self.tasks:
            try:
                self.write()
            except StorageError:
                return

    def write(self) -> None:
        """Write the record.

        Raises
        ------
        RunInProgressError
            Another run has taken the dataset over.
        StorageError
            It cannot be written.
        """
        self.fence()
        make_folder(join(self.jobs, "records"))
        facts: dict[str, Any] = dict(self.tasks)
        if self.inputs:
            facts = {_INPUTS: input_to_json(self.inputs), **facts}
        write_record(self.location, facts)
        self._learned = False

    def _outputs(self, task: Task) -> dict[str, OutputRecord]:
        entry = self.tasks.get(task, {})
        outputs = entry.get("outputs", {})
        before, count, known = self._parsed.get(task, ({}, -1, {}))
        if before is not outputs or count != len(outputs):
            mark = entry.get("fingerprint", "")
            known = {name: output_from_json(facts, _mark_of(mark, name)) for name, facts in outputs.items()}
            self._parsed[task] = outputs, len(outputs), known
        return known

    def _learn(self, task: Task, name: str, record: OutputRecord) -> None:
        self.tasks[task]["outputs"][name] = output_to_json(record)
        self._parsed.pop(task, None)
        self._learned = True


def _mark_of(fingerprint: Mark, name: str) -> str:
    """Return the fingerprint of an output; one that is made no more has none."""
    return fingerprint if isinstance(fingerprint, str) else fingerprint.get(name, "")
