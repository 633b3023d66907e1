"""The one way in which cellscale compiles numeric kernels."""

import secrets
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

__all__ = ["kernel", "warm_up"]

F = TypeVar("F", bound=Callable[..., object])

_PROCESS = secrets.token_hex(8)
"""In the names of the files that this process writes."""


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
    try:
        return cast(F, _compiled(function, cache=True))
    except RuntimeError:  # no folder for what is compiled can be written: it is compiled each time
        return cast(F, _compiled(function, cache=False))


def _compiled(function: Callable[..., object], *, cache: bool) -> Callable[..., object]:
    made: Any = numba.njit(cache=cache, nogil=True, error_model="numpy")(function)
    if cache and not numba.config.DISABLE_JIT:
        # numba numbers the files of a function's signatures. Processes that compile at the same time take the same
        # number for different ones, and whoever loads it later runs code for pixels of another type.
        file = made._cache._cache_file
        file._data_name_pattern = file._data_name_pattern.replace("{number", f"{_PROCESS}-{{number")
    return cast(Callable[..., object], made)


def warm_up() -> None:
    """Set numba up, which takes half a second at the first call of any kernel; from a thread, nobody waits for it."""
    _nothing()


@kernel
def _nothing() -> None:
    pass
