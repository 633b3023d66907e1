"""Libraries are loaded without Python looking for cycles in what they bring, which stays."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["loading"]


@contextmanager
def loading(*, stays: bool) -> Iterator[None]:
    """Leave cycles alone until the ``with`` block ends.

    Libraries bring half a million objects, which Python would look through several times while they come, and many
    times afterwards: a tenth of what measuring a small image takes.

    Parameters
    ----------
    stays
        Never look through what is there at the end; where nothing else than loading has been done.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        if stays:
            gc.freeze()
        gc.enable()
