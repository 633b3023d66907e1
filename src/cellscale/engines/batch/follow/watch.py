"""A run watched from afar."""

import time
from dataclasses import dataclass

from google.cloud import batch_v1

from cellscale.engines.batch.follow.job_chain import pauses
from cellscale.engines.batch.follow.true_outcome import run_outcome
from cellscale.engines.batch.submission import JobRecord, Submission, find_job, is_at_work
from cellscale.pipeline.events import Advanced, Listener, Notice, StageFinished, StageStarted
from cellscale.pipeline.outcome import RunOutcome
from cellscale.records.stage_cost import StageRecord

__all__ = ["JobState", "follow_run", "job_states"]

_ENDED = ("SUCCEEDED", "FAILED", "UNEXECUTED")


@dataclass(frozen=True, slots=True)
class JobState:
    """What Batch says of a job."""

    record: JobRecord
    state: str
    """``NOT SUBMITTED`` where Batch knows no such job."""
    counts: dict[str, int]
    """Tasks by state."""
    events: tuple[str, ...]
    """What happened last, in Batch's words."""

    @property
    def ended(self) -> int:
        """Tasks that are over."""
        return sum(self.counts.get(state, 0) for state in _ENDED)

    @property
    def total(self) -> int:
        """Tasks of the job."""
        return sum(self.counts.values()) or batch_v1.Job.from_json(self.record.definition).task_groups[0].task_count


def job_states(submission: Submission) -> tuple[JobState, ...]:
    """Return what Batch says of each job of a run."""
    return tuple(_state(record, find_job(record.name)) for record in submission.jobs)


def follow_run(folder: str, submission: Submission, listener: Listener) -> RunOutcome:
    """Wait until a run is over, telling how many images are done.

    Parameters
    ----------
    folder
        Folder of the run.
    submission
        The run.
    listener
        Is told of progress: each job is a stage, each image a unit.

    Returns
    -------
    What became of the run, read from the outputs.
    """
    pause = pauses()
    watches = [_Watch(submission.run, record, listener) for record in submission.steps]
    told: set[str] = set()
    while is_at_work(submission):
        for watch in watches:
            watch.look()
        _tell_events(submission.run, find_job(submission.conductor.name), told, listener)
        pause()
    for watch in watches:
        watch.look()
        watch.finish()
    return run_outcome(folder, submission, over=True)


class _Watch:
    """Progress of one job, as the events of a stage."""

    def __init__(self, run: str, record: JobRecord, listener: Listener) -> None:
        self._run = run
        self._record = record
        self._listener = listener
        self._began: float | None = None
        self._ended = 0
        self._told: set[str] = set()

    def look(self) -> None:
        """Ask Batch once."""
        job = find_job(self._record.name)
        if job is None:
            return
        state = _state(self._record, job)
        if self._began is None:
            self._began = time.monotonic()
            self._listener(StageStarted(self._run, self._record.step, state.total))
        if state.ended > self._ended:
            self._listener(Advanced(self._run, self._record.step, state.ended - self._ended))
            self._ended = state.ended
        _tell_events(self._run, job, self._told, self._listener)

    def finish(self) -> None:
        """Say that the job is over."""
        if self._began is not None:
            seconds = time.monotonic() - self._began
            self._listener(StageFinished(self._run, StageRecord(self._record.step, seconds, 0, self._ended, 0.0)))


def _state(record: JobRecord, job: batch_v1.Job | None) -> JobState:
    if job is None:
        return JobState(record, "NOT SUBMITTED", {}, ())
    counts: dict[str, int] = {}
    for group in job.status.task_groups.values():
        for name, count in group.counts.items():
            counts[name] = counts.get(name, 0) + count
    events = tuple(event.description for event in job.status.status_events)
    return JobState(record, job.status.state.name, counts, events)


def _tell_events(run: str, job: batch_v1.Job | None, told: set[str], listener: Listener) -> None:
    """Pass on what Batch complains of: no quota, no machine of that kind, no permission."""
    for event in job.status.status_events if job is not None else ():
        text = event.description
        if text not in told and ("error" in text.lower() or "quota" in text.lower()):
            told.add(text)
            listener(Notice(run, "warning", text))
