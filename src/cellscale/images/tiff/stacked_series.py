"""Stacks whose channels were saved as focal planes or time points, as an image of channels.

Fiji saves channels without an order as slices, and the hyperstacks of CODEX have a time point for each cycle of
staining.
"""

import math
from typing import Any, Literal

import numpy as np

from cellscale.errors import ImageError
from cellscale.images.info import ChannelAxis
from cellscale.images.tiff.tiff_series import axis_sizes

__all__ = ["StackedSeries", "stack_size", "stacked"]


class StackedSeries:
    """A tifffile series as far as it is asked, with the planes of another axis as further channels.

    Channels are in the order of the other axis: all of the first time point, then those of the second.
    """

    def __init__(self, series: Any, axis: ChannelAxis) -> None:
        self._series = series
        sizes = axis_sizes(series)
        counts = dict(sizes)
        self.sizes = counts
        self.steps = counts[axis]
        """Time points or focal planes."""
        planes = [(letter, size) for letter, size in sizes if letter not in "YXS"]
        rest = [letter for letter, _ in planes if letter not in (axis, "C")]
        order = [*rest, axis, *(["C"] if "C" in counts else [])]
        numbers = np.arange(math.prod(size for _, size in planes)).reshape([size for _, size in planes])
        letters = [letter for letter, _ in planes]
        self.order = numbers.transpose([letters.index(letter) for letter in order]).ravel()
        self._is_in_order = bool((np.diff(self.order) == 1).all())
        self.axes = "".join([*rest, "C", *(letter for letter, _ in sizes if letter in "YXS")])
        self.shape = (
            *(counts[letter] for letter in rest),
            self.steps * counts.get("C", 1),
            *(size for letter, size in sizes if letter in "YXS"),
        )
        self.levels = [self, *(StackedSeries(level, axis) for level in series.levels[1:])]

    kind = property(lambda self: self._series.kind)
    is_multifile = property(lambda self: self._series.is_multifile)
    keyframe = property(lambda self: self._series.keyframe)
    name = property(lambda self: self._series.name)
    dtype = property(lambda self: self._series.dtype)

    @property
    def dataoffset(self) -> int | None:
        """Byte of the first pixel of planes without gaps, where they lie in the order of the channels."""
        offset: int | None = self._series.dataoffset
        return offset if self._is_in_order else None

    def __len__(self) -> int:
        return len(self._series)

    def __getitem__(self, number: int) -> Any:
        return self._series[int(self.order[number])]


def stack_size(series: Any, axis: Literal["Z", "T"]) -> int:
    """Return how many focal planes or time points an image's channels are made of."""
    return series.sizes.get(axis, 1) if isinstance(series, StackedSeries) else 1


def stacked(series: Any, axis: ChannelAxis | None, name: str) -> Any:
    """Return a series with the planes of an axis as channels, where it has several; else as it is.

    Raises
    ------
    ImageError
        Only the first plane has tags, and the others do not lie in the order of the channels.
    """
    letters = [letter for letter, _ in axis_sizes(series)]
    if axis is None or axis == "C" or dict(axis_sizes(series)).get(axis, 1) < 2 or len(set(letters)) < len(letters):
        return series
    found = StackedSeries(series, axis)
    if found.dataoffset is None and len(series) < len(found.order):
        raise ImageError(
            f"{name}: its planes lie one after the other in the order {series.axes}, which --channel_axis {axis} "
            "does not read: save it again from ImageJ, which writes another order"
        )
    return found
