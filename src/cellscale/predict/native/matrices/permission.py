"""Whether this process may use AMX: the processor has to have it, and the system to allow it."""

import ctypes
import os
import platform
import sys
from functools import cache
from typing import Final

from cellscale.predict.native.arithmetic import has_feature

__all__ = ["lacking_for_matrices"]

_FEATURES: Final = ("avx512f", "avx512bf16", "amx-tile", "amx-bf16")
"""As LLVM calls them: maps are rounded by AVX-512's instructions."""

# From Linux' asm/prctl.h and asm/unistd_64.h: a process has to ask before the registers are first used, because each
# of its threads then needs 8 KB more to be stopped and continued. Processes that it forks are allowed as well.
_ARCH_PRCTL: Final = 158
_REQUEST_PERMISSION: Final = 0x1023
_TILE_DATA: Final = 18


def lacking_for_matrices() -> str:
    """Return why products cannot be computed with AMX here; empty where they can."""
    if not all(has_feature(feature) for feature in _FEATURES):
        return "this processor has none, or kernels are compiled for older ones"
    return _refused()


@cache
def _refused() -> str:
    """Return why the system does not allow it; ask for it first."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        return f"it is not known here how to ask {platform.system()} for it"
    failed = ctypes.CDLL(None, use_errno=True).syscall(
        ctypes.c_long(_ARCH_PRCTL), ctypes.c_long(_REQUEST_PERMISSION), ctypes.c_long(_TILE_DATA)
    )
    # A virtual machine may show the instructions and not save the registers; Linux knows them from 5.16 on.
    return f"the system does not allow it ({os.strerror(ctypes.get_errno())})" if failed else ""
