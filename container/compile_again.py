"""Compile what is kept for one kind of processors for another one as well, which need not be this machine's.

Nothing is run: numba's own lists of what it keeps say which kernels there are, and for which types. Run with
``NUMBA_CPU_NAME`` and ``NUMBA_CPU_FEATURES`` of the other kind.
"""

import importlib
import pickle
import pkgutil
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numba
from numba.core.dispatcher import Dispatcher
from numba.core.registry import cpu_target

import cellscale
from cellscale import compiled, deadlock
from cellscale.predict.native.arithmetic import has_feature
from cellscale.predict.native.body import matrix_convolutions as convolutions
from cellscale.predict.native.heads import compute_head
from cellscale.predict.native.matrices import layout

Kept = tuple[str, object]
"""The file that lists a function's kept code, and a signature."""


def dispatchers() -> Iterator[Dispatcher]:
    """Yield all kernels that modules of cellscale hold."""
    for module in pkgutil.walk_packages(cellscale.__path__, "cellscale."):
        if not module.name.endswith("__main__"):
            with suppress(ModuleNotFoundError):  # of an extra that is not installed
                importlib.import_module(module.name)
    found = {
        id(value): value
        for name, module in list(sys.modules.items())
        if name.startswith("cellscale")
        for value in list(vars(module).values())
        if isinstance(value, Dispatcher)
    }
    yield from found.values()


def kept(target: tuple[str, ...]) -> set[Kept]:
    """Return what is kept for a kind of processors: LLVM's triple, its name and its features."""
    found = set()
    for path in Path(numba.config.CACHE_DIR).rglob("*.nbi"):
        with path.open("rb") as file:
            pickle.load(file)
            listed = pickle.loads(file.read())[1]
        found |= {(path.name, key[0]) for key in listed if key[1] == target}
    return found


def with_matrices() -> list[tuple[Dispatcher, tuple[object, ...]]]:
    """Return the kernels of AMX with the types that they are called with: on other processors they never are."""
    one, flag = numba.int64, numba.boolean
    floats, maps = numba.float32[::1], numba.float32[:, :, ::1]
    flat, pieces = numba.uint32[::1], numba.uint32[:, ::1]
    weights, blocks = numba.float32[:, :, ::1], numba.uint32[:, :, :, :, :, ::1]
    return [
        (layout._split_right, (weights, blocks)),
        (compute_head, (floats, pieces, floats, pieces, pieces, floats, floats, floats, flag, maps, one)),
        (convolutions._convolve_pixels, (floats, one, pieces, floats, floats, flag, flag)),
        (convolutions._split_maps, (floats, one, one, one, flat, one, one, one)),
        (convolutions._convolve_neighbours, (pieces, *[one] * 5, pieces, floats, floats, flag)),
    ]


def main(name: str, features: str) -> int:
    """Compile for this process's kind what is kept for another one; return 1 if something is missing."""
    here = cpu_target.target_context.codegen().magic_tuple()
    wanted = kept((here[0], name, features))
    by_file: dict[str, list[object]] = {}
    for file, signature in wanted:
        by_file.setdefault(file, []).append(signature)
    for kernel in dispatchers():
        for signature in by_file.get(Path(kernel._cache._cache_file._index_path).name, []):
            kernel.compile(signature)
    if has_feature("amx-bf16"):
        for kernel, signature in with_matrices():
            kernel.compile(signature)
    compiled.callback(deadlock._watch, numba.types.voidptr, numba.types.voidptr)
    missing = wanted - kept(here)
    for file, signature in sorted(missing, key=str):
        print(f"not compiled for {here[1]}: {file} {signature}")
    print(f"{len(wanted)} kernels for {here[1]}")
    return int(bool(missing))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
