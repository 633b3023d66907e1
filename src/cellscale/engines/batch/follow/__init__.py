"""Runs on Google Cloud Batch watched, seen through and taken up again."""

from cellscale.engines.batch.follow.failed_images import retry_run
from cellscale.engines.batch.follow.job_chain import cancel_run, conduct_run
from cellscale.engines.batch.follow.logs import read_logs
from cellscale.engines.batch.follow.true_outcome import run_outcome
from cellscale.engines.batch.follow.watch import follow_run, job_states

__all__ = [
    "cancel_run",
    "conduct_run",
    "follow_run",
    "job_states",
    "read_logs",
    "retry_run",
    "run_outcome",
]
