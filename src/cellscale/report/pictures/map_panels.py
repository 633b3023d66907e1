"""A picture of a network's input and all its maps, side by side."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Panel", "draw_panels"]

_COLUMNS = 5
_SIDE = 3.0
"""Inches of a panel's side."""


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """One plane with its title."""

    title: str
    note: str
    """A second line of the title; may be blank."""
    values: NDArray[np.float32]
    """``(rows, columns)``."""


def draw_panels(panels: Sequence[Panel], heading: str) -> bytes:
    """Return a PNG of planes, each stretched between its own lowest and highest value, which stand below it."""
    from matplotlib.figure import Figure  # slow to load, and few ask for it

    columns = min(len(panels), _COLUMNS)
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(columns * _SIDE, rows * (_SIDE + 0.7) + 0.4), layout="constrained")
    figure.suptitle(heading, fontsize=12)
    for position, panel in enumerate(panels, 1):
        axes = figure.add_subplot(rows, columns, position)
        axes.imshow(panel.values, cmap="gray", interpolation="nearest")
        axes.set_title("\n".join(filter(None, (panel.title, panel.note))), fontsize=10)
        axes.set_xlabel(f"{panel.values.min():.3g} to {panel.values.max():.3g}", fontsize=9)
        axes.set_xticks([])
        axes.set_yticks([])
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=100)
    return stream.getvalue()
