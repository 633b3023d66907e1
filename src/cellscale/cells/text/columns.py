"""Names and order of the measurements in QuPath's two dialects."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cellscale.cells.text.dialects import Dialect

__all__ = [
    "COMPARTMENTS",
    "STATISTICS",
    "Columns",
    "cell_columns",
    "detection_columns",
    "measured_channels",
    "shown_names",
]

COMPARTMENTS = ("Nucleus", "Cytoplasm", "Membrane", "Cell")
"""Parts of a cell in which intensities are measured, in order."""

STATISTICS = ("Mean", "Median", "Min", "Max", "Std.Dev.", "Variance")
"""Statistics of a channel's intensities, in order."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Measurements by name, and where each one lies in the order of measuring."""

    names: tuple[str, ...]
    """Distinct names."""

    sources: NDArray[np.int64]
    """Column of each in the order of measuring, ``(len(names),)``."""

    def reordered(self, order: NDArray[np.int64]) -> "Columns":
        """Return the columns that ``order`` lists, in that order."""
        return Columns(tuple(self.names[index] for index in order), self.sources[order])


def shown_names(channels: Sequence[str]) -> tuple[str, ...]:
    """Return the names of all channels as QuPath has them: a blank one is named by its position."""
    return tuple(name if name.strip() else f"Channel {number}" for number, name in enumerate(channels, 1))


def cell_columns(channels: Sequence[str], unit: str, dialect: Dialect) -> Columns:
    """Return the measurements of cells: 24 for each channel, then the nucleus's and the cell's shape.

    The order of measuring, which ``Columns.sources`` refers to, is channel, compartment, statistic; then the six
    shape features of the nucleus, those of the cell, and the ratio of their areas.

    Parameters
    ----------
    channels
        Channel names of the image; QuPath trims them here.
    unit
        ``µm`` or ``px``.
    dialect
        Whose names and order.
    """
    names = [name.strip() for name in channels]
    return _columns([*_cell_intensities(names, dialect), *_cell_shapes(unit, 24 * len(names))])


def detection_columns(channels: Sequence[str], unit: str) -> Columns:
    """Return the measurements of detections, the same in both dialects: six for each channel, then the shape."""
    intensities = [f"{name}: {statistic}" for name in channels for statistic in STATISTICS]
    return _columns(list(zip([*intensities, *_shape_names("", unit)], range(len(intensities) + 6), strict=True)))


def measured_channels(columns: Sequence[str]) -> tuple[str, ...]:
    """Return the channels whose intensities a table has, from the names of its columns in either dialect."""
    mean = f": {STATISTICS[0]}"
    means = [name.removesuffix(mean) for name in columns if name.endswith(mean)]
    cell = COMPARTMENTS[-1]
    newer = [name.removeprefix(f"{cell}: ") for name in means if name.startswith(f"{cell}: ")]
    older = [name.removesuffix(f": {cell}") for name in means if name.endswith(f": {cell}")]
    return tuple(newer or older or means)


def _cell_intensities(names: Sequence[str], dialect: Dialect) -> Iterator[tuple[str, int]]:
    """Yield name and source of the intensities."""
    channels, compartments = range(len(names)), range(len(COMPARTMENTS))
    channel_first = dialect.conventions.channel_first
    if channel_first:
        pairs = [(channel, compartment) for channel in channels for compartment in compartments]
    else:
        pairs = [(channel, compartment) for compartment in compartments for channel in channels]
    for channel, compartment in pairs:
        where = (names[channel], COMPARTMENTS[compartment])
        first, second = where if channel_first else where[::-1]
        for index, statistic in enumerate(STATISTICS):
            yield f"{first}: {second}: {statistic}", (channel * len(COMPARTMENTS) + compartment) * 6 + index


def _cell_shapes(unit: str, start: int) -> Iterator[tuple[str, int]]:
    """Yield name and source of the shape features, whose sources begin at ``start``."""
    names = [*_shape_names("Nucleus: ", unit), *_shape_names("Cell: ", unit), "Nucleus/Cell area ratio"]
    yield from zip(names, range(start, start + len(names)), strict=True)


def _shape_names(prefix: str, unit: str) -> list[str]:
    """Return the names of the six shape features."""
    features = (
        f"Area {unit}^2",
        f"Length {unit}",
        "Circularity",
        "Solidity",
        f"Max diameter {unit}",
        f"Min diameter {unit}",
    )
    return [prefix + feature for feature in features]


def _columns(named: Sequence[tuple[str, int]]) -> Columns:
    """Keep the first place of each name and its last source: QuPath's list of measurements is a map."""
    sources = dict(named)
    return Columns(tuple(sources), np.fromiter(sources.values(), dtype=np.int64, count=len(sources)))
