"""Uncompressed pixels at a known place of a file, read by region without decoding."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellscale.regions import Region
from cellscale.storage.ranges import RangeReader

__all__ = ["RawPixels"]

_BATCH_BYTES = 8 * 2**20
"""What one batch of reads may hold beside the result."""


@dataclass(frozen=True, slots=True)
class RawPixels:
    """Pixels in row-major order, without gaps, somewhere in a file."""

    source: RangeReader
    offset: int
    """Byte of the first pixel."""

    height: int
    width: int
    samples: int
    """Values a pixel."""

    dtype: np.dtype[Any]
    """Byte order as in the file."""

    @property
    def row_bytes(self) -> int:
        """Bytes of one row."""
        return self.width * self.samples * self.dtype.itemsize

    @property
    def end(self) -> int:
        """Byte after the last pixel."""
        return self.offset + self.height * self.row_bytes

    def read(self, region: Region) -> NDArray[Any]:
        """Return ``(rows, columns, samples)`` of a region, in native byte order.

        Raises
        ------
        EOFError
            The file ends before.
        """
        result = np.empty((*region.shape, self.samples), self.dtype.newbyteorder("="))
        whole_rows = 2 * region.width > self.width
        for top, bottom in self._batches(region, whole_rows=whole_rows):
            target = result[top - region.top : bottom - region.top]
            if whole_rows:
                target[:] = self._rows(top, bottom)[:, region.left : region.right]
            else:
                self._windows(target, Region(top, region.left, bottom, region.right))
        return result

    def _batches(self, region: Region, *, whole_rows: bool) -> Iterator[tuple[int, int]]:
        columns = self.width if whole_rows else region.width
        step = max(1, _BATCH_BYTES // max(1, columns * self.samples * self.dtype.itemsize))
        for top in range(region.top, region.bottom, step):
            yield top, min(top + step, region.bottom)

    def _rows(self, top: int, bottom: int) -> NDArray[Any]:
        (data,) = self.source.read([(self.offset + top * self.row_bytes, (bottom - top) * self.row_bytes)])
        return np.frombuffer(data, self.dtype).reshape(bottom - top, self.width, self.samples)

    def _windows(self, target: NDArray[Any], region: Region) -> None:
        pixel = self.samples * self.dtype.itemsize
        start = self.offset + region.left * pixel
        ranges = [(start + row * self.row_bytes, region.width * pixel) for row in range(region.top, region.bottom)]
        for row, data in zip(target, self.source.read(ranges), strict=True):
            row[:] = np.frombuffer(data, self.dtype).reshape(region.width, self.samples)
