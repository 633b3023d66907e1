"""The one way in which cellscale compiles numeric kernels."""

import secrets
from collections.abc import Callable
from contextlib import nullcontext, suppress
from typing import Any, TypeVar, cast

import numba
from numba.core import errors
from numba.core.ccallback import CFunc

from cellscale.kernel_cache import guard, try_folders_once, work_on_a_copy
from cellscale.kernel_target import choose_target

__all__ = ["callback", "fused_kernel", "kernel", "warm_up"]

F = TypeVar("F", bound=Callable[..., object])

_PROCESS = secrets.token_hex(8)
"""In the names of the files that this process writes."""

work_on_a_copy()
choose_target()
try_folders_once()

# Where colorama is installed, numba has it wrap standard output and error around each of its own errors, of which
# compiling has many that nobody sees. They are the process's: put back by a thread that compiles, they undo what
# another one has turned elsewhere meanwhile. numba only puts texts together there, and prints nothing.
if hasattr(errors, "ColorShell"):
    errors.ColorShell = nullcontext


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
    return _kept(function)


def fused_kernel(function: F) -> F:
    """Compile ``function`` as `kernel` does, but multiply and add in one step where the processor can.

    That is what makes matrix products fast. It rounds once instead of twice, so that kinds of processors differ in
    last bits, as they do with every library of networks. On one processor a result stays the same, whoever asks.

    Parameters
    ----------
    function
        A function in numba's nopython subset.

    Returns
    -------
    The compiled function, typed as the original.
    """
    return _kept(function, fastmath={"contract"})


def callback(function: Callable[..., object], returned: Any, *given: Any) -> int:
    """Return the address of machine code that C can call; the code is kept on disk if it may be.

    Parameters
    ----------
    function
        A function in numba's nopython subset, defined in a module.
    returned, given
        numba's types of what it returns and of what it is given.
    """
    compiled = CFunc(function, (given, returned), {}, {})
    with suppress(RuntimeError, OSError):  # as for kernels
        kept = CFunc(function, (given, returned), {}, {})
        kept.enable_caching()
        if guard(kept, _PROCESS):
            compiled = kept
    compiled.compile()
    address = compiled.address
    assert address is not None, "it was compiled"
    return address


def _kept(function: F, **options: Any) -> F:
    """Compile ``function``, and keep it on disk if that is safe."""
    if numba.config.DISABLE_JIT:
        return function
    try:
        kept = _compiled(function, cache=True, **options)
    except (RuntimeError, OSError):  # no folder for what is compiled can be written: it is compiled each time
        kept = None
    if kept is None or not guard(kept, _PROCESS):
        kept = _compiled(function, cache=False, **options)
    return cast(F, kept)


def _compiled(function: Callable[..., object], *, cache: bool, **options: Any) -> Any:
    return numba.njit(cache=cache, nogil=True, error_model="numpy", **options)(function)


def warm_up() -> None:
    """Set numba up, which takes half a second at the first call of any kernel; from a thread, nobody waits for it."""
    _nothing()


@kernel
def _nothing() -> None:
    pass
