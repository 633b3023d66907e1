"""Columns of text for Arrow."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cellscale.cells.decimal_text import Texts

__all__ = ["ascii_column", "constant", "text_columns"]


def constant(text: str, count: int) -> pa.Array:
    """Return a column that says the same in every row."""
    return pa.repeat(pa.scalar(text, pa.string()), count)


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
