"""Which task this process is, as the scheduler that started it says in its environment."""

import os
from collections.abc import Mapping

from cellscale.errors import RequestError

__all__ = ["ARRAYS", "array_index"]

ARRAYS = {
    "BATCH_TASK_INDEX": 0,
    "SLURM_ARRAY_TASK_ID": 0,
    "PBS_ARRAY_INDEX": 0,
    "LSB_JOBINDEX": 1,
    "SGE_TASK_ID": 1,
}
"""Environment variables of Google Cloud Batch, Slurm, PBS, LSF and Grid Engine, and the first index each can have.

The tasks of a run are counted from 0; the last two schedulers count from 1, and their index 1 is task 0.
"""

_NONE = {"LSB_JOBINDEX": "0", "SGE_TASK_ID": "undefined"}
"""What a variable holds in a job that is no array."""


def array_index(environment: Mapping[str, str] | None = None) -> int | None:
    """Return the number of the task, from 0; None where no scheduler says it.

    Parameters
    ----------
    environment
        Variables and their values; None for those of this process.

    Raises
    ------
    RequestError
        A variable holds no number, or two of them contradict each other.
    """
    given = os.environ if environment is None else environment
    found: dict[int, str] = {}
    for name, first in ARRAYS.items():
        text = given.get(name, "")
        if text in ("", _NONE.get(name)):
            continue
        if not (text.isascii() and text.isdecimal()) or int(text) < first:
            raise RequestError(f"{name} is {text!r}; a whole number from {first} on expected. Give --task N instead.")
        found[int(text) - first] = f"{name}={text}"
    if len(found) > 1:
        raise RequestError(
            f"{' and '.join(found.values())} name different tasks; one scheduler's expected. Give --task N instead."
        )
    return next(iter(found), None)
