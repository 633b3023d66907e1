"""The one way in which cellscale compiles numeric kernels."""

import secrets
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

from cellscale.kernel_cache import guard, work_on_a_copy

__all__ = ["kernel", "warm_up"]

F = TypeVar("F", bound=Callable[..., object])

_PROCESS = secrets.token_hex(8)
"""In the names of the files that this process writes."""

work_on_a_copy()


def kernel(function: F) -> F:
    """Compile ``function`` to machine code on first use; the result is kept on disk for later processes if it may be.

    Kernels release the GIL, so that blocks run side by side in threads, and keep IEEE arithmetic (no fast-math),
    so that a result never depends on which block or machine computed it.

    Parameters
    ----------
    function
        A function in numba's nopython subset.

    Returns
    -------
    The compiled function, typed as the original.
    """
    if numba.config.DISABLE_JIT:
        return function
    try:
        kept = _compiled(function, cache=True)
    except (RuntimeError, OSError):  # no folder for what is compiled can be written: it is compiled each time
        kept = None
    return cast(F, kept if kept is not None and guard(kept, _PROCESS) else _compiled(function, cache=False))


def _compiled(function: Callable[..., object], *, cache: bool) -> Any:
    return numba.njit(cache=cache, nogil=True, error_model="numpy")(function)


def warm_up() -> None:
    """Set numba up, which takes half a second at the first call of any kernel; from a thread, nobody waits for it."""
    _nothing()


@kernel
def _nothing() -> None:
    pass
