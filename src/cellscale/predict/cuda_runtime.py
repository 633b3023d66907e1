"""The two things that are asked of CUDA itself: how many cards there are, and memory that they can reach directly."""

import ctypes
import weakref
from functools import cache
from typing import Any

from numpy.typing import NDArray

__all__ = ["card_count", "page_locked"]

_LIBRARIES = ("libcudart.so.13", "libcudart.so.12", "cudart64_13.dll", "cudart64_12.dll")
_PORTABLE = 1
"""Flag of ``cudaHostRegister``: the memory is page-locked for all cards."""


def card_count(library: Any = None) -> int:
    """Return the number of NVIDIA cards that this process may use; 0 where CUDA is missing.

    Parameters
    ----------
    library
        CUDA's runtime library; None for the one that is installed.
    """
    library = library or _installed()
    found = ctypes.c_int(0)
    if library is None or library.cudaGetDeviceCount(ctypes.byref(found)):
        return 0
    return found.value


def page_locked(array: NDArray[Any], library: Any = None) -> bool:
    """Lock an array's memory, so that cards copy from and to it directly, while the processor does other work.

    Copies from other memory give the same result, only slower; so nothing fails where it cannot be locked. It is
    unlocked when the array goes.

    Parameters
    ----------
    array
        C-contiguous.
    library
        CUDA's runtime library; None for the one that is installed.

    Returns
    -------
    Whether it is locked.
    """
    library = library or _installed()
    if library is None:
        return False
    address, size = ctypes.c_void_p(array.ctypes.data), ctypes.c_size_t(array.nbytes)
    if library.cudaHostRegister(address, size, ctypes.c_uint(_PORTABLE)):
        return False
    weakref.finalize(array, library.cudaHostUnregister, address)
    return True


@cache
def _installed() -> Any:
    """Return CUDA's runtime library; None where there is none. ONNX Runtime has usually loaded it already."""
    for name in _LIBRARIES:
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    return None
