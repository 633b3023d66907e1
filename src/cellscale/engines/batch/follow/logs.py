"""What the tasks of a run wrote, from Cloud Logging."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from google.cloud.logging_v2.types import ListLogEntriesRequest, LogEntry
from google.logging.type.log_severity_pb2 import LogSeverity

from cellscale.engines.batch.client import explained, logging_client
from cellscale.engines.batch.submission import JobRecord, Submission, find_job

__all__ = ["LogLine", "read_logs"]


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of a task's log."""

    time: str
    """UTC, ISO 8601."""
    severity: str
    job: str
    text: str


def read_logs(submission: Submission, *, index: int | None = None, severity: str = "DEFAULT") -> Iterator[LogLine]:
    """Yield what the tasks of a run wrote, job by job in the order of time.

    Parameters
    ----------
    submission
        The run.
    index
        Only the tasks of the image at this position; None for all.
    severity
        Only lines of at least this severity.

    Raises
    ------
    CloudError
        The logs cannot be read.
    """
    for record in submission.jobs:
        job = find_job(record.name)
        if job is not None:
            yield from _entries(record, _filter(record, job.uid, index, severity))


def _filter(record: JobRecord, uid: str, index: int | None, severity: str) -> str:
    project = record.name.split("/")[1]
    parts = [
        f'logName="projects/{project}/logs/batch_task_logs"',
        f'labels.job_uid="{uid}"',
        f"severity>={severity}",
    ]
    if index is not None:
        parts.append(f'labels.task_id:"{uid}-group0-{index}/"')
    return " AND ".join(parts)


def _entries(record: JobRecord, wanted: str) -> Iterator[LogLine]:
    request = ListLogEntriesRequest(
        resource_names=[f"projects/{record.name.split('/')[1]}"],
        filter=wanted,
        order_by="timestamp asc",
        page_size=1000,
    )
    with explained("read the logs"):
        for entry in logging_client().list_log_entries(request):
            yield LogLine(entry.timestamp.isoformat(), LogSeverity.Name(entry.severity), record.step, _text(entry))


def _text(entry: LogEntry) -> str:
    if "json_payload" not in entry:
        return str(entry.text_payload)
    facts = dict(entry.json_payload)
    return str(facts["message"]) if "message" in facts else json.dumps(facts, ensure_ascii=False, default=str)
