"""Memory between the stages of an image."""

import ctypes
from contextlib import suppress

__all__ = ["give_back"]


def give_back() -> None:
    """Return memory that is free to the system, where the C library (GNU's) would keep it for later.

    What the network and the labelling leave behind is hundreds of megabytes, in pieces that measuring cannot use; so
    does measuring for the tables.
    """
    with suppress(AttributeError, OSError, TypeError):  # of other C libraries and systems
        ctypes.CDLL(None).malloc_trim(0)
