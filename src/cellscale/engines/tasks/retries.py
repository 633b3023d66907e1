"""Tasks that are tried again."""

import os

__all__ = ["RETRIES", "TRY_AGAIN", "is_last_try"]

TRY_AGAIN = 75
"""Exit code of a task that could not be done for now: a store was away (``EX_TEMPFAIL`` of sysexits)."""

RETRIES = "CELLSCALE_RETRIES"
"""Environment variable that says how often the task is tried again, whoever tries it."""

_TRIED = "BATCH_TASK_RETRY_ATTEMPT"
"""Batch's environment variable that says how often the task was tried before."""


def is_last_try() -> bool:
    """Tell whether the task is not tried again, whatever it ends with; False where that is not known."""
    tried, retries = os.environ.get(_TRIED, ""), os.environ.get(RETRIES, "")
    return tried.isdecimal() and retries.isdecimal() and int(tried) >= int(retries)
