"""AMX is taken only where the processor has it, kernels are compiled for it and the system allows it."""

import platform
import subprocess
import sys

import pytest
from numba.core.registry import cpu_target

from cellscale.predict.native.matrices.permission import _refused, lacking_for_matrices
from tests.predict.native.processors import NEEDS_AMX

ALL = "+avx512f,+avx512bf16,+amx-tile,+amx-bf16"


@pytest.mark.parametrize("feature", ALL.split(","))
def test_a_target_without_the_instructions_has_none(monkeypatch: pytest.MonkeyPatch, feature: str) -> None:
    monkeypatch.setattr("numba.config.CPU_FEATURES", ALL.replace(feature, f"-{feature[1:]}"))
    assert lacking_for_matrices() == "this processor has none, or kernels are compiled for older ones"


@pytest.mark.skipif(sys.platform != "linux" or platform.machine() != "x86_64", reason="it is Linux that is asked")
def test_a_system_that_refuses_is_believed() -> None:
    """In a process of its own, where a filter of system calls refuses this one as an old system does."""
    command = [sys.executable, "-c", _REFUSED]
    refused = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=120)
    assert refused.stdout == "the system does not allow it (Invalid argument)\n"


_REFUSED = f"""
import ctypes, struct
import numba
from cellscale.predict.native.matrices.permission import lacking_for_matrices
numba.config.CPU_FEATURES = "{ALL}"

def rule(code, true, false, value):
    return struct.pack("HBBI", code, true, false, value)

# Load the number of a system call; where it is arch_prctl answer EINVAL, else allow it.
rules = rule(0x20, 0, 0, 0) + rule(0x15, 0, 1, 158) + rule(6, 0, 0, 0x50016) + rule(6, 0, 0, 0x7FFF0000)
kept = ctypes.create_string_buffer(rules)
program = struct.pack("HxxxxxxP", 4, ctypes.addressof(kept))
libc = ctypes.CDLL(None)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.create_string_buffer(program), 0, 0) == 0
print(lacking_for_matrices())
"""


@pytest.mark.parametrize(("system", "machine"), [("darwin", "arm64"), ("win32", "x86_64"), ("linux", "aarch64")])
def test_other_systems_are_not_asked(monkeypatch: pytest.MonkeyPatch, system: str, machine: str) -> None:
    monkeypatch.setattr("numba.config.CPU_FEATURES", ALL)
    monkeypatch.setattr("sys.platform", system)
    monkeypatch.setattr("platform.machine", lambda: machine)
    monkeypatch.setattr("cellscale.predict.native.matrices.permission._refused", _refused.__wrapped__)
    assert lacking_for_matrices().startswith("it is not known here how to ask")


@NEEDS_AMX
def test_kept_kernels_are_those_of_processors_that_have_it() -> None:
    """numba keeps kernels by what they are compiled for."""
    assert any("+amx-bf16" in str(part) for part in cpu_target.target_context.codegen().magic_tuple())
