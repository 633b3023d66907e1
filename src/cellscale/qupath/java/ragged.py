"""Many templates are filled at once with rows of bytes of different lengths."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cellscale.cells.text import Rows, copy_rows
from cellscale.qupath.java.java_stream import Template
from cellscale.qupath.java.java_types import Encoded

__all__ = ["Filling", "fill"]


@dataclass(frozen=True, slots=True)
class Filling:
    """Objects of one kind among others."""

    template: Template

    columns: Mapping[str, tuple[Rows, ...]]
    """What fills each slot, by its name: one or more rows after another for each object."""

    places: NDArray[np.int64]
    """Position of each object among all, ``(n,)``."""

    def parts(self) -> Sequence[Rows]:
        """Return the rows that make up the objects from first to last byte."""
        count = len(self.places)
        found = [Rows.repeated(self.template.pieces[0], count)]
        for slot, piece in zip(self.template.slots, self.template.pieces[1:], strict=True):
            found += [*self.columns[slot.name], Rows.repeated(piece, count)]
        return found


def fill(fillings: Sequence[Filling], count: int) -> Encoded:
    """Fill the templates of ``count`` objects, each of which belongs to one filling, and join them in order."""
    parts = [filling.parts() for filling in fillings]
    ends = np.zeros(count + 1, dtype=np.int64)
    for filling, rows in zip(fillings, parts, strict=True):
        ends[filling.places + 1] = sum(part.lengths for part in rows)
    np.cumsum(ends, out=ends)
    out = np.empty(ends[-1], dtype=np.uint8)
    for filling, rows in zip(fillings, parts, strict=True):
        positions = ends[filling.places]
        for part in rows:
            copy_rows(out, positions, part.data, part.starts, part.lengths)
    return Encoded(out.data, sum(filling.template.handles * len(filling.places) for filling in fillings))
