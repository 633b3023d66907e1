"""Names for the arrays that kernels take: one element a pixel of a haloed block with its padding."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Flags", "Labels", "Offsets", "PixelList", "PixelValues", "SortedPixels", "Verdicts"]

PixelValues: TypeAlias = NDArray[np.float32]
"""A map of the network, or what is made of one."""

Labels: TypeAlias = NDArray[np.int32]
"""OUTSIDE, FREE, UNKNOWN or a marker's label, of :mod:`cellscale.label.kernels.markers`."""

Verdicts: TypeAlias = NDArray[np.uint8]
"""UNDECIDED, NO, YES or MAYBE, of :mod:`cellscale.label.kernels.maxima`."""

Flags: TypeAlias = NDArray[np.bool_]
"""A truth value for each pixel."""

PixelList: TypeAlias = NDArray[np.int32]
"""Flat indices of pixels. A block has fewer than 2**31, and half the bytes leave twice as many in a core's cache."""

Offsets: TypeAlias = NDArray[np.int64]
"""Steps from a pixel to its neighbours, in flat indices."""

SortedPixels: TypeAlias = NDArray[np.uint64]
"""A key in the upper 32 bits and a pixel's flat index in the lower ones."""
