"""Columns of text and numbers for Arrow, made of their memory.

Arrow's own ways to take Python's and numpy's values import pandas where it is installed, which takes half a second;
what it computes with (``take``, ``cast``) is made when it is first asked for, a twentieth of a second.
"""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

__all__ = ["ascii_column", "constant", "number_column"]


def constant(text: str, count: int) -> pa.Array:
    """Return a column that says the same in every row."""
    content = text.encode()
    offsets = np.arange(count + 1, dtype=np.int32) * np.int32(len(content))
    return pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(content * count))


def number_column(values: NDArray[Any], absent: NDArray[np.bool_] | None = None) -> pa.Array:
    """Return numbers as a column that is null where one is absent."""
    valid = None if absent is None else pa.py_buffer(np.packbits(~absent, bitorder="little"))
    data = pa.py_buffer(np.ascontiguousarray(values))
    return pa.Array.from_buffers(pa.from_numpy_dtype(values.dtype), len(values), [valid, data])


def ascii_column(texts: NDArray[np.bytes_]) -> pa.Array:
    """Return ASCII texts of equal length as a column."""
    width = texts.dtype.itemsize
    offsets = np.arange(len(texts) + 1, dtype=np.int32) * np.int32(width)
    data = pa.py_buffer(np.ascontiguousarray(texts).view(np.uint8))
    return pa.StringArray.from_buffers(len(texts), pa.py_buffer(offsets), data)
