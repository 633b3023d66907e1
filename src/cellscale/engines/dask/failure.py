"""Whatever goes wrong in a task, as a small plain value.

Dask sends an exception with its traceback and its causes. One that was raised a thousand calls deep is more than it
can send, one of a class that cannot be pickled says nothing of itself any more, and either may leave a run waiting.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cellscale.errors import RequestError
from cellscale.faults import failure_text

__all__ = ["Failure", "described", "guarded"]

LONGEST = 4000
"""Characters of a reason."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a task did not come to its end."""

    reason: str
    refused: bool = False
    """Whether it is no matter of the image: the worker, or the request, is wrong for all images."""


def guarded(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function and return its result, or a `Failure`."""
    try:
        return function(*arguments)
    except (SystemExit, KeyboardInterrupt):  # the worker is to end
        raise
    except BaseException as error:  # extensions raise some that are no `Exception`
        return described(error)


def described(error: BaseException) -> Failure:
    """Return what an exception says."""
    reason = failure_text(error)
    return Failure(reason if len(reason) <= LONGEST else f"{reason[:LONGEST]}…", isinstance(error, RequestError))
