"""Which processors kernels are compiled for, where they were compiled beforehand for several kinds."""

import os
from functools import cache
from pathlib import Path
from typing import Final

import llvmlite.binding
import numba
from numba.core.registry import cpu_target

__all__ = ["TARGETS", "choose_target", "targets"]

TARGETS: Final = "CELLSCALE_KERNEL_TARGETS"
"""Variable with the path of a file of kinds of processors, the best first: a line has LLVM's name of one, and its
features as in ``NUMBA_CPU_FEATURES``. The container images have one."""


def choose_target() -> None:
    """Have numba compile for, and load code of, the first kind whose features this processor has all.

    Nothing is done where the variable is not set, where ``NUMBA_CPU_FEATURES`` is none of the file's, which is a
    person's choice then, or where numba has begun to compile.
    """
    named = os.environ.get(TARGETS)
    if not named or numba.config.DISABLE_JIT or "_toplevel_target_context" in vars(cpu_target):
        return
    try:
        known = targets(Path(named).read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):  # it is for speed alone: what cannot be read says nothing
        return
    if numba.config.CPU_FEATURES not in known.values():
        return
    for name, features in known.items():
        if all(_has(feature) for feature in features.split(",")):
            numba.config.CPU_NAME = os.environ["NUMBA_CPU_NAME"] = name
            numba.config.CPU_FEATURES = os.environ["NUMBA_CPU_FEATURES"] = features  # for processes that are started
            return


def targets(text: str) -> dict[str, str]:
    """Return features by names, in the order of a file's lines.

    Parameters
    ----------
    text
        The file's; empty lines and those that begin with ``#`` say nothing.

    Raises
    ------
    ValueError
        A line has other than two words.
    """
    lines = (line.split() for line in text.splitlines() if line.strip() and not line.startswith("#"))
    return {name: features for name, features in lines}  # noqa: C416 - a line of two letters is none of two words


def _has(feature: str) -> bool:
    return _features().get(feature.removeprefix("+"), False)


@cache
def _features() -> dict[str, bool]:
    return dict(llvmlite.binding.get_host_cpu_features())
