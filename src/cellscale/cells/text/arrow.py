"""Columns of text and numbers for Arrow, made of their memory.

Arrow's own ways to take Python's and numpy's values import pandas where it is installed, which takes half a second.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cellscale.cells.text.decimal_text import Texts

__all__ = ["ascii_column", "constant", "named", "number_column", "text_columns"]


def constant(text: str, count: int) -> pa.Array:
    """Return a column that says the same in every row."""
    return named((text,), np.zeros(count, np.int64))


def named(names: Sequence[str], rows: NDArray[np.int64]) -> pa.Array:
    """Return a column that has one of a few names in each row."""
    texts = [name.encode() for name in names]
    offsets = np.cumsum([0, *map(len, texts)], dtype=np.int32)
    column = pa.StringArray.from_buffers(len(names), pa.py_buffer(offsets), pa.py_buffer(b"".join(texts)))
    return column.take(number_column(rows))


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


def text_columns(texts: Texts, count: int) -> list[pa.Array]:
    """Cut texts into columns of ``count`` rows, without copying them."""
    data = pa.py_buffer(texts.data)
    return [
        pa.StringArray.from_buffers(count, pa.py_buffer(texts.offsets[start : start + count + 1]), data)
        for start in range(0, max(len(texts.offsets) - 1, 1), max(count, 1))
    ]
