"""Kernels run wherever they are, kept or not."""

import numpy as np
from numba.core import caching

from cellscale.compiled import kernel


def test_where_nothing_can_be_kept_a_kernel_is_compiled_all_the_same(monkeypatch):
    monkeypatch.setattr(caching.CompileResultCacheImpl, "_locator_classes", [])

    @kernel
    def double(number):
        return 2 * number

    assert double(21) == 42
    assert double.nopython_signatures


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
