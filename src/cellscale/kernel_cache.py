"""Machine code that is kept on disk: numba's cache, safe for processes at the same time and damaged files."""

import atexit
import os
import shutil
import sys
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numba
from numba.core import caching

__all__ = ["guard", "try_folders_once", "work_on_a_copy"]


def guard(compiled: Any, part: str) -> bool:
    """Make the cache of a compiled function safe to use.

    numba numbers the files of a function's signatures. Processes that compile at the same time take the same number
    for different ones, and whoever loads it later runs code for pixels of another type: names get a part of theirs.
    A file that cannot be read or written, damaged or on a full disk, costs the time to compile and nothing else.

    Parameters
    ----------
    compiled
        What ``numba.njit(cache=True)`` made of a function.
    part
        What the names of the files that this process writes have in them, and those of no other.

    Returns
    -------
    Whether it is safe. If not, this numba keeps files in a way that is not known here, and nothing may be kept.
    """
    try:
        cache = compiled._cache
        names = cache._cache_file._data_name_pattern
        own = names.replace("{number", f"{part}-{{number")
        cache._cache_file._data_name_pattern = own
        _forgive(cache)
    except (AttributeError, TypeError):
        return False
    return bool(own != names)


def _forgive(cache: Any) -> None:
    """Have failures to load and to save kept code passed over."""
    load, save, flush = cache.load_overload, cache.save_overload, cache.flush

    def load_overload(*arguments: Any) -> Any:
        _load_without_scipy()
        try:
            return load(*arguments)
        except Exception:  # unpickling damaged files raises anything: it is compiled anew
            with suppress(Exception):
                flush()
            return None

    def save_overload(*arguments: Any) -> None:
        with suppress(Exception):  # the code is compiled and runs all the same
            save(*arguments)

    cache.load_overload, cache.save_overload = load_overload, save_overload


@cache
def _load_without_scipy() -> None:
    """Load numba's part that asks whether BLAS is there, and answer for SciPy: yes, if it is installed.

    Else numba loads scipy.linalg to find out, a quarter of a second that no kernel here needs. Kernels of others that
    multiply matrices ask once more, and then it is loaded.
    """
    with suppress(Exception):  # a numba that asks in another way
        if find_spec("scipy") is None or "numba.np.arraymath" in sys.modules:
            return
        from numba.np import linalg

        ask = linalg.ensure_blas
        linalg.ensure_blas = getattr(
            linalg, "_check_lapack_int_width", lambda: None
        )  # numba before 0.68 had no doubt
        try:
            from numba.np import arraymath
        finally:
            linalg.ensure_blas = ask
        arraymath.ensure_blas = ask


def try_folders_once() -> None:
    """Have numba try once for each folder whether it can be written to, and not for each of a hundred kernels."""
    with suppress(AttributeError):  # a numba that does so in another way
        locator = caching._CacheLocator
        ensure = locator.ensure_cache_path
        writable: set[str] = set()

        def ensure_once(self: Any) -> None:
            folder = self.get_cache_path()
            if folder not in writable:
                ensure(self)
                writable.add(folder)

        locator.ensure_cache_path = ensure_once


def work_on_a_copy() -> None:
    """Copy the kept code of a folder that may only be read, for as long as this process lives.

    numba passes over a folder that it cannot write to. In the container images one holds all kernels, which a user
    whom the image does not know would compile anew at every start.
    """
    named = os.environ.get("NUMBA_CACHE_DIR")
    if not named or not Path(named).is_dir() or os.access(named, os.W_OK):
        return
    with suppress(OSError):  # no room: they are compiled anew
        copy = Path(mkdtemp(prefix="cellscale-kernels-"))
        atexit.register(_remove, copy, os.getpid())
        for file in Path(named).rglob("*.nb[ic]"):
            target = copy / file.relative_to(named)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
        numba.config.CACHE_DIR = os.environ["NUMBA_CACHE_DIR"] = str(copy)  # processes that are started have it too


def _remove(folder: Path, owner: int) -> None:
    if os.getpid() == owner:  # not in a process forked from it
        shutil.rmtree(folder, ignore_errors=True)
