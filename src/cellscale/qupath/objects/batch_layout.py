"""A batch of objects, sorted by what they have in common and laid out in bytes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from cellscale.cells.object_batches import CellBatch, ObjectKind
from cellscale.cells.text import Columns, Dialect, Rows
from cellscale.qupath.java.java_types import JavaObject
from cellscale.qupath.objects.path_objects import CommonAttributes
from cellscale.qupath.objects.roi import FORMS, RoiBatch, roi_columns

__all__ = ["ObjectBatch"]

_ByName: TypeAlias = dict[str, tuple[Rows, ...]]
_ID_HEADER = b"\x74\x00\x24"
"""A string of 36 bytes follows."""


@dataclass(frozen=True, slots=True)
class ObjectBatch:
    """Objects, ready to be written."""

    batch: CellBatch
    sources: NDArray[np.int64]
    """Where each measurement lies in the batch."""

    outlines: RoiBatch
    nuclei: RoiBatch

    looks: tuple[CommonAttributes, ...]
    """The looks there are."""

    codes: NDArray[np.int64]
    """Index in ``looks`` of each object."""

    @classmethod
    def of(
        cls,
        batch: CellBatch,
        columns: Columns,
        dialect: Dialect,
        classes: Sequence[JavaObject | None] | None = None,
    ) -> "ObjectBatch":
        """Sort a batch.

        Parameters
        ----------
        batch
            Objects; must not be empty.
        columns
            Measurements to be written.
        dialect
            Decides how outlines are written.
        classes
            Of the objects; None where they have none.
        """
        outlines, nuclei = RoiBatch.of(batch.outlines, dialect), RoiBatch.of(batch.nuclei, dialect)
        looks, codes = _sort(batch, columns, outlines.forms, nuclei.forms, classes or [None] * len(batch))
        return cls(batch, columns.sources, outlines, nuclei, looks, codes)

    def columns(self, look: CommonAttributes, rows: NDArray[np.int64]) -> _ByName:
        """Return the varying parts, as ``path_object`` names them, of some objects that have this look."""
        ids = np.ascontiguousarray(self.batch.ids[rows]).view(np.uint8).reshape(len(rows), -1)
        columns = {
            "id": (Rows.repeated(_ID_HEADER, len(rows)), Rows.of_array(ids)),
            "measurements": self._measurements(look, rows),
        }
        columns |= _prefixed("outline", roi_columns(self.outlines, look.form, rows))
        if look.nucleus is not None:
            columns |= _prefixed("nucleus", roi_columns(self.nuclei, look.nucleus, self.batch.nucleus_rows[rows]))
        return columns

    def _measurements(self, look: CommonAttributes, rows: NDArray[np.int64]) -> tuple[Rows, ...]:
        absent = np.unpackbits(np.frombuffer(look.absent, dtype=np.uint8), count=len(self.sources))
        present = self.sources[absent == 0]
        values = self.batch.values[np.ix_(rows, present)].astype(">f4")
        return Rows.repeated(len(present).to_bytes(4, "big"), len(rows)), Rows.of_array(values)


def _sort(
    batch: CellBatch,
    columns: Columns,
    forms: NDArray[np.int64],
    nucleus_forms: NDArray[np.int64],
    classes: Sequence[JavaObject | None],
) -> tuple[tuple[CommonAttributes, ...], NDArray[np.int64]]:
    """Return the looks in a batch, in the order in which they appear, and the index of each object's look."""
    absent = np.packbits(batch.absent[:, columns.sources], axis=1)
    nucleus = np.full(len(batch), -1, dtype=np.int64)
    if batch.kind is ObjectKind.CELL:
        has_nucleus = batch.nucleus_rows >= 0
        nucleus[has_nucleus] = nucleus_forms[batch.nucleus_rows[has_nucleus]]
    distinct = {path_class: place for place, path_class in enumerate(dict.fromkeys(classes))}
    class_codes = np.fromiter(map(distinct.__getitem__, classes), np.int64, len(batch))
    _, first, codes = np.unique(_codes(absent, forms, nucleus, class_codes), return_index=True, return_inverse=True)
    order = np.argsort(first)
    looks = tuple(
        CommonAttributes(
            batch.kind,
            absent[row].tobytes(),
            FORMS[forms[row]],
            None if nucleus[row] < 0 else FORMS[nucleus[row]],
            classes[row],
        )
        for row in first[order]
    )
    return looks, np.argsort(order)[codes]


def _codes(absent: NDArray[np.uint8], *traits: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return numbers that are equal where all bits of ``absent`` and all traits are."""
    # Word by word, because sorting whole rows of bits takes ten times as long.
    words = np.zeros((len(absent), -(-absent.shape[1] // 8) * 8), dtype=np.uint8)
    words[:, : absent.shape[1]] = absent
    codes = np.zeros(len(absent), dtype=np.int64)
    for column in (*words.view(np.int64).T, *traits):
        values, inverse = np.unique(column, return_inverse=True)
        if len(values) > 1:
            codes = np.unique(codes * len(values) + inverse, return_inverse=True)[1]
    return codes


def _prefixed(prefix: str, columns: _ByName) -> _ByName:
    return {f"{prefix}.{name}": rows for name, rows in columns.items()}
