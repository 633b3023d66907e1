"""Kernels run wherever they are, kept or not."""

from numba.core import caching

from cellscale.compiled import kernel


def test_where_nothing_can_be_kept_a_kernel_is_compiled_all_the_same(monkeypatch):
    monkeypatch.setattr(caching.CompileResultCacheImpl, "_locator_classes", [])

    @kernel
    def double(number):
        return 2 * number

    assert double(21) == 42
    assert double.nopython_signatures
