"""Kernels run wherever they are, kept or not."""

import ctypes
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numba
import numpy as np
import pytest
from numba.core import caching

from cellscale.compiled import callback, kernel


def twice(number):
    return 2 * number


def test_where_nothing_can_be_kept_a_kernel_is_compiled_all_the_same(monkeypatch):
    monkeypatch.setattr(caching.CompileResultCacheImpl, "_locator_classes", [])

    @kernel
    def double(number):
        return 2 * number

    assert double(21) == 42
    assert double.nopython_signatures


@pytest.mark.parametrize("missing", ["_cache", "_cache_file", "_data_name_pattern", "load_overload"])
def test_a_numba_that_keeps_its_files_in_another_way_costs_what_is_kept_and_nothing_else(
    monkeypatch, tmp_path, missing
):
    monkeypatch.setattr("numba.core.config.CACHE_DIR", str(tmp_path))
    monkeypatch.setattr("numba.njit", njit_without(missing))
    compiled = kernel(twice)
    assert compiled(21) == 42
    assert compiled.nopython_signatures
    assert not list(tmp_path.rglob("*.nbc"))


def test_a_folder_is_tried_once_unless_it_cannot_be_written(monkeypatch, tmp_path):
    monkeypatch.setattr("numba.core.config.CACHE_DIR", str(tmp_path))
    tried = []
    real = caching.tempfile.TemporaryFile
    monkeypatch.setattr(caching.tempfile, "TemporaryFile", lambda **given: tried.append(given) or real(**given))
    for _ in range(3):
        assert kernel(twice)(21) == 42
    assert len(tried) == 1
    assert list(tmp_path.rglob("*.nbc"))
    (tmp_path / "file").touch()
    nowhere = SimpleNamespace(get_cache_path=lambda: str(tmp_path / "file" / "kernels"))
    for _ in range(2):
        with pytest.raises(NotADirectoryError):
            caching._CacheLocator.ensure_cache_path(nowhere)


def test_what_c_calls_is_kept_as_kernels_are(monkeypatch, tmp_path):
    monkeypatch.setattr("numba.core.config.CACHE_DIR", str(tmp_path))
    for _ in range(2):
        address = callback(twice, numba.types.int64, numba.types.int64)
        assert ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(address)(21) == 42
        (kept,) = tmp_path.rglob("*.nbc")
    kept.write_bytes(b"damaged")
    address = callback(twice, numba.types.int64, numba.types.int64)
    assert ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(address)(21) == 42


def test_compiling_leaves_standard_output_to_whom_it_belongs(monkeypatch):
    pytest.importorskip("colorama")
    swapped = []

    class Watched(ModuleType):
        def __setattr__(self, name, value):
            if name in ("stdout", "stderr"):
                swapped.append(name)
            super().__setattr__(name, value)

    @kernel
    def impossible(number):
        return number.nothing_of_this_name

    monkeypatch.setattr(sys, "__class__", Watched)
    with pytest.raises(numba.TypingError, match="nothing_of_this_name"):
        impossible(21)
    assert not swapped


def test_kept_kernels_are_loaded_without_scipy_and_others_multiply_matrices_with_it():
    program = """
import sys
import numba, numpy as np
from cellscale.compiled import kernel, warm_up
from numba.np import linalg
ask = linalg.ensure_blas
warm_up()
print("scipy.linalg" in sys.modules)
from numba.np import arraymath
print(arraymath._HAVE_BLAS, arraymath.ensure_blas is linalg.ensure_blas is ask)
print(numba.njit(lambda a: a @ a)(np.eye(2)).tolist(), "scipy.linalg" in sys.modules)
"""
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert found.stdout.splitlines() == ["False", "True True", "[[1.0, 0.0], [0.0, 1.0]] True"], found.stderr


def njit_without(missing):
    """Return an ``njit`` of a numba whose kept functions lack a private attribute."""
    njit = numba.njit

    def changed(*, cache, **options):
        compiled = njit(cache=cache, **options)
        if not cache:
            return compiled
        caches = {
            "_cache": SimpleNamespace(),
            "_cache_file": SimpleNamespace(_cache=SimpleNamespace()),
            "_data_name_pattern": SimpleNamespace(_cache=SimpleNamespace(_cache_file=SimpleNamespace())),
            "load_overload": SimpleNamespace(
                _cache=SimpleNamespace(_cache_file=SimpleNamespace(_data_name_pattern="{number}.nbc"))
            ),
        }
        return lambda function: caches[missing]

    return changed


def test_a_numba_that_names_its_files_otherwise_keeps_nothing(monkeypatch, tmp_path):
    monkeypatch.setattr("numba.core.config.CACHE_DIR", str(tmp_path))
    make = caching.IndexDataCacheFile.__init__

    def named_otherwise(self, *arguments, **named):
        make(self, *arguments, **named)
        self._data_name_pattern = "always.nbc"

    monkeypatch.setattr(caching.IndexDataCacheFile, "__init__", named_otherwise)
    assert kernel(twice)(21) == 42
    assert not list(tmp_path.rglob("*.nbc"))


@pytest.mark.parametrize("kind", ["nbi", "nbc"])
@pytest.mark.parametrize("left", [0, 0.5, 0.99])
def test_kept_code_that_is_damaged_is_compiled_and_kept_anew(monkeypatch, tmp_path, kind, left):
    monkeypatch.setattr("numba.core.config.CACHE_DIR", str(tmp_path))
    assert kernel(twice)(21) == 42
    (kept,) = tmp_path.rglob(f"*.{kind}")
    kept.write_bytes(kept.read_bytes()[: int(left * kept.stat().st_size)])
    assert kernel(twice)(21) == 42
    good = kernel(twice)
    assert good(21) == 42
    assert sum(good.stats.cache_hits.values()) == 1


def test_code_that_cannot_be_kept_runs_all_the_same(monkeypatch, tmp_path):
    monkeypatch.setattr("numba.core.config.CACHE_DIR", str(tmp_path))
    compiled = kernel(twice)
    for folder in tmp_path.iterdir():  # whoever clears caches while a run goes on, puts a file in their place
        folder.rmdir()
        folder.touch()
    assert compiled(21) == 42
    assert not list(tmp_path.rglob("*.nbc"))


@pytest.mark.slow
def test_kept_code_that_may_only_be_read_is_used_and_its_copy_removed(tmp_path):
    kept, scratch = tmp_path / "kept", tmp_path / "scratch"
    kept.mkdir()
    scratch.mkdir()
    program = (
        "import numba; from cellscale.compiled import _nothing; _nothing()\n"
        "print(sum(_nothing.stats.cache_hits.values()), numba.config.CACHE_DIR)"
    )

    def run(*before):
        done = subprocess.run(
            [*before, sys.executable, "-c", program],
            env={**os.environ, "NUMBA_CACHE_DIR": str(kept), "TMPDIR": str(scratch)},
            capture_output=True,
            text=True,
            check=True,
        )
        hits, folder = done.stdout.split()
        return int(hits), Path(folder)

    assert run() == (0, kept)
    for folder in (kept, *kept.iterdir()):
        folder.chmod(0o555)
    without_root = []
    if os.access(kept, os.W_OK):  # root may write everywhere
        if not shutil.which("setpriv"):
            pytest.skip("root may write everywhere, and setpriv, which takes that away, is not installed")
        without_root = ["setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override"]
    hits, folder = run(*without_root)
    assert hits == 1
    assert folder.parent == scratch
    assert not list(scratch.iterdir())


def test_kernels_can_be_run_as_python_to_be_debugged(monkeypatch):
    monkeypatch.setattr("numba.config.DISABLE_JIT", 1)
    assert kernel(lambda number: 2 * number)(21) == 42


def test_processes_that_compile_at_the_same_time_never_run_each_other_s_code(monkeypatch, tmp_path):
    monkeypatch.setattr("numba.core.config.CACHE_DIR", str(tmp_path))

    def total(values):
        found = values[0]
        for value in values[1:]:
            found += value
        return found

    def process(number):
        monkeypatch.setattr("cellscale.compiled._PROCESS", f"process{number}")
        return kernel(total)

    one, other = process(1), process(2)
    floats, integers = np.array([0.5, 1], np.float32), np.array([2, 3], np.int32)
    file = one._cache._cache_file
    save = file._save_data

    def meanwhile(name, data):
        """Both have seen an empty index; the other one writes index and code before this one writes its code."""
        monkeypatch.setattr(file, "_save_data", save)
        monkeypatch.setattr(other._cache._cache_file, "_load_index", dict)
        other(integers)
        save(name, data)

    monkeypatch.setattr(file, "_save_data", meanwhile)
    assert one(floats) == 1.5
    later = process(3)
    assert later(integers) == 5
    assert process(4)(floats) == 1.5
